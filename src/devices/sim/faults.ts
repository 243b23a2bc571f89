import type { CoreId } from '../../core/job.ts';
import type { Prng } from '../../core/prng.ts';
import { type DurationUs, durationFromMs, durationUs, type InstantUs, instantUs } from '../../core/units.ts';

/**
 * `crash`: the core ends there and then. `hang`: what it runs next never ends. `wrong`: what it runs next gives numbers that are not finite. `slow`: whatever
 * it does takes `factor` times as long for a while. `bandwidth`: the bus gives only this part for a while. `heat`: the air is hotter for a while.
 */
export type SimFault = { readonly at: InstantUs } & (
  | { readonly kind: 'crash' | 'hang' | 'wrong'; readonly core: CoreId }
  | { readonly kind: 'slow'; readonly core: CoreId; readonly factor: number; readonly forUs: DurationUs }
  | { readonly kind: 'bandwidth'; readonly ratio: number; readonly forUs: DurationUs }
  | { readonly kind: 'heat'; readonly byC: number; readonly forUs: DurationUs }
);

export const SIM_FAULT_KINDS = ['crash', 'hang', 'wrong', 'slow', 'bandwidth', 'heat'] as const satisfies readonly SimFault['kind'][];
export type SimFaultCounts = Readonly<Partial<Record<SimFault['kind'], number>>>;

export interface FaultSpan {
  readonly from: InstantUs;
  readonly spanUs: DurationUs;
  readonly cores: readonly CoreId[];
}

/** So many faults of each kind, anywhere in the first three quarters of the span, so that what they break has the time to heal. The same generator gives the same faults. */
export function drawSimFaults(counts: SimFaultCounts, { from, spanUs, cores }: FaultSpan, prng: Prng): SimFault[] {
  const faults = SIM_FAULT_KINDS.flatMap((kind) => {
    const draws = prng.fork(kind);
    return Array.from({ length: counts[kind] ?? 0 }, (): SimFault => {
      const at = instantUs(from + draws.integer(0, Math.floor(spanUs * 0.75)));
      const forUs = durationUs(draws.integer(durationFromMs(100), durationFromMs(5_000)));
      const core = cores[draws.integer(0, cores.length - 1)] ?? 0;
      switch (kind) {
        case 'slow':
          return { kind, at, core, factor: draws.integer(2, 6), forUs };
        case 'bandwidth':
          return { kind, at, ratio: draws.integer(2, 8) / 10, forUs };
        case 'heat':
          return { kind, at, byC: draws.integer(10, 40), forUs };
        default:
          return { kind, at, core };
      }
    });
  });
  return faults.sort((a, b) => a.at - b.at);
}
