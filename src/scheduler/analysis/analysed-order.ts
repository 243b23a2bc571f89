import { criticalityRank, type Stream, type StreamId } from '../../core/stream.ts';
import type { PolicyName, PolicyTuning } from '../plan.ts';

/** What a bound has to know of a policy. */
export interface AnalysedOrder {
  /** A smaller rank always goes first; jobs of one rank go by deadline. */
  readonly rankOf: (stream: StreamId) => number;
  /** Whether streams without a guarantee take part in the order like all others, instead of standing back behind those that have one. */
  readonly isBlindToClasses: boolean;
  /** Whether cores are held for jobs that are expected. */
  readonly doesLookAhead: boolean;
}

/**
 * The order of a policy in the terms of `classResponse`; undefined where no bound is known.
 *
 * - `coxswain`: rank is the class. What is dropped, and who loses between two that cannot both be served, matters only where something is late, and the bound
 *   says that nothing is. With `victim: value` the order itself is another from instant to instant.
 * - `edf`: everybody is of one rank, background included.
 * - `fixed-priority`: everybody has a rank of its own, by class, relative deadline and place in the plan, as the policy has it.
 */
export function analysedOrder(policy: PolicyName, tuning: PolicyTuning, streams: readonly Stream[]): AnalysedOrder | undefined {
  switch (policy) {
    case 'coxswain': {
      if (tuning.victim === 'value') return undefined;
      const classes = new Map(streams.map(({ id, criticality }) => [id, criticalityRank(criticality)]));
      return { rankOf: (id) => classes.get(id) ?? 0, isBlindToClasses: false, doesLookAhead: true };
    }
    case 'edf':
      return { rankOf: () => 0, isBlindToClasses: true, doesLookAhead: false };
    case 'fixed-priority': {
      const sorted = [...streams].sort(
        (a, b) => criticalityRank(a.criticality) - criticalityRank(b.criticality) || a.deadlineUs - b.deadlineUs,
      );
      const places = new Map(sorted.map(({ id }, place) => [id, place]));
      return { rankOf: (id) => places.get(id) ?? 0, isBlindToClasses: false, doesLookAhead: false };
    }
    case 'fifo':
    case 'latency-greedy':
    case 'laxity':
    case 'round-robin':
      return undefined;
  }
}
