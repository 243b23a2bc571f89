import type { CoreId } from '../core/job.ts';
import type { Criticality, StreamId } from '../core/stream.ts';
import type { Assurance } from '../scheduler/analysis/core-bound.ts';
import type { PolicyName } from '../scheduler/scheduler.ts';

/** What is proven of one stream. Spans are in microseconds; null means that there is none or that it was not found. */
export interface StreamFit {
  readonly id: StreamId;
  readonly criticality: Criticality;
  /** Where its model is at home. */
  readonly core: CoreId;
  /** `unguarded`: background work, which gets what is left and is promised nothing. */
  readonly assurance: Assurance | 'unguarded';
  /** From capture to result, at worst. */
  readonly responseUs: number | null;
  readonly deadlineUs: number;
  /** What one run was reckoned with. */
  readonly costUs: number;
  /** The longest less urgent run that may begin just before a job of it. */
  readonly blockingUs: number | null;
  /** The longest less urgent run that it stands. */
  readonly toleratesUs: number | null;
  /** Q: the longest run that it may itself make without preemption and without ever having to be held for somebody more urgent; null: any length. */
  readonly runUsMax: number | null;
  /** What its cost may be multiplied with, everything else as it is, and all still fits; below 1 when it does not fit now; null when no factor helps, or unknown. */
  readonly costFactorMax: number | null;
}

export interface CoreFit {
  readonly core: CoreId;
  readonly assurance: Assurance;
  /** Of the streams whose deadlines are to be kept, guests from other cores included. */
  readonly loadRatio: number;
  /** What all costs here must be multiplied with to fit; null when it fits, or when nothing helps. */
  readonly factorNeeded: number | null;
}

export interface PipelineFit {
  readonly id: StreamId;
  /** The pipelines on the way, from the source. */
  readonly hops: readonly StreamId[];
  /** From a change in the world to the result at worst: one period of the source and the response of the last hop, which counts from capture. */
  readonly reactionUs: number | null;
}

export interface Fit {
  readonly fits: boolean;
  readonly assurance: Assurance;
  /** The order of jobs that was looked at; of one that is not covered nothing is known, and nothing fits. */
  readonly policy: { readonly name: PolicyName; readonly isCovered: boolean };
  readonly streams: readonly StreamFit[];
  readonly cores: readonly CoreFit[];
  readonly pipelines: readonly PipelineFit[];
  /** What to change first, a sentence each; empty when everything fits. */
  readonly advice: readonly string[];
  /** The bound on work was reached: what is null may just not have been computed. */
  readonly isCutShort: boolean;
}
