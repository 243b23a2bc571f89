import type { CoreId } from '../../src/core/job.ts';
import type { Prng } from '../../src/core/prng.ts';
import type { StreamId } from '../../src/core/stream.ts';
import { type DurationUs, durationFromMs, durationUs, type InstantUs, instantUs } from '../../src/core/units.ts';

/** `crash`: the core ends there and then. `hang`: what runs next on it never ends. `burst`: that many extra captures of one stream at once. `slow`: every cost counts that many times for a while. */
export type Fault = { readonly at: InstantUs } & (
  | { readonly kind: 'crash'; readonly core: CoreId }
  | { readonly kind: 'hang'; readonly core: CoreId }
  | { readonly kind: 'burst'; readonly stream: StreamId; readonly jobs: number }
  | { readonly kind: 'slow'; readonly factor: number; readonly forUs: DurationUs }
);

/** How many of each fall into the span. */
export interface FaultRates {
  readonly crashes: number;
  readonly hangs: number;
  readonly bursts: number;
  readonly slowdowns: number;
}

/** Faults fall anywhere in the first three quarters of the span, so that what they break has the time to heal. */
export function drawFaults(
  prng: Prng,
  rates: FaultRates,
  cores: readonly CoreId[],
  streams: readonly StreamId[],
  spanUs: DurationUs,
): Fault[] {
  const faults: Fault[] = [];
  const at = (): InstantUs => instantUs(prng.integer(0, Math.floor(spanUs * 0.75)));
  const pick = <T>(items: readonly T[]): T => items[prng.integer(0, items.length - 1)] as T;
  for (let n = 0; n < rates.crashes; n += 1) faults.push({ kind: 'crash', at: at(), core: pick(cores) });
  for (let n = 0; n < rates.hangs; n += 1) faults.push({ kind: 'hang', at: at(), core: pick(cores) });
  for (let n = 0; n < rates.bursts; n += 1) faults.push({ kind: 'burst', at: at(), stream: pick(streams), jobs: prng.integer(2, 40) });
  for (let n = 0; n < rates.slowdowns; n += 1) {
    faults.push({
      kind: 'slow',
      at: at(),
      factor: prng.integer(2, 6),
      forUs: durationUs(prng.integer(durationFromMs(50), durationFromMs(1_000))),
    });
  }
  return faults.sort((a, b) => a.at - b.at);
}
