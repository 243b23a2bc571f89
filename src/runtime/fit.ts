import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Criticality, StreamId } from '../core/stream.ts';
import type { Assurance } from '../scheduler/analysis/core-bound.ts';
import type { PolicyName } from '../scheduler/scheduler.ts';

/** What is proven of one stream. Spans are in microseconds; null means that there is none or that it was not found. */
export interface StreamFit {
  readonly id: StreamId;
  readonly criticality: Criticality;
  /** Where its model is at home. */
  readonly core: CoreId;
  /** `unguarded`: background work and turns without a server, which get what is left and are promised nothing. */
  readonly assurance: Assurance | 'unguarded';
  /** From capture to result, at worst. */
  readonly responseUs: number | null;
  readonly deadlineUs: number;
  /** What one run was reckoned with at worst, at home. */
  readonly costUs: number;
  /** What its jobs move over the bus in the long run; null when not known. */
  readonly busBytesPerSecond: number | null;
  /** The longest less urgent run that may begin just before a job of it. */
  readonly blockingUs: number | null;
  /** The longest less urgent run that it stands. */
  readonly toleratesUs: number | null;
  /** Q: the longest run that it may itself make without preemption and without ever having to be held for somebody more urgent; null: any length. */
  readonly runUsMax: number | null;
  /**
   * What its cost may be multiplied with, everything else as it is, and all still fits; below 1 when it does not fit now; null when no factor helps, or when
   * `notComputed` says so.
   */
  readonly costFactorMax: number | null;
  /** Of a stream with a server; `assurance` is then that of the budget in every period, and `none` where that is too little for a first token in time. */
  readonly reserve?: ReserveFit;
}

/** Run time that a stream can count on: its share of a server. */
export interface ReserveFit {
  readonly server: string;
  readonly budgetUs: number;
  readonly periodUs: number;
  /** Of a language model, what a token takes at worst while there is work; of a network, a run: `c P / Q + 2 (P - Q)`. Null where the budget is not sure. */
  readonly stepUs: number | null;
  /**
   * Of turns: what the first token takes at worst after the longest prompt, of a turn that comes while no other of its stream is under way; `responseUs` as
   * well. Null where that is not known or not sure.
   */
  readonly firstTokenUs: number | null;
  /** Whether `stepUs` is of a token. */
  readonly isToken: boolean;
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

/**
 * Demand on the memory bus in the long run. What is guaranteed may not exceed what the bus carries for sure, which is less than its peak (MemGuard: Yun et al.
 * 2013).
 */
export interface BusFit {
  readonly usableBytesPerSecond: number;
  /** Of the streams whose deadlines are to be kept. */
  readonly guaranteedBytesPerSecond: number;
  readonly guaranteedRatio: number;
  /** Of all streams; beyond `usable`, background work gets what is left. */
  readonly demandedBytesPerSecond: number;
  readonly demandedRatio: number;
  /** What the budgets of regulated streams come to, which the bus has to carry as well; 0 where there are none. */
  readonly budgetedBytesPerSecond: number;
  readonly fits: boolean;
}

/** Of the memory that all cores share. */
export interface MemoryFit {
  readonly neededBytes: number;
  readonly haveBytes: number;
  readonly fits: boolean;
}

/** A model that a core it is placed on cannot address as a whole. */
export interface WindowMisfit {
  readonly model: ModelId;
  readonly core: CoreId;
  readonly neededBytes: number;
  readonly haveBytes: number;
}

/**
 * What all streams together take in the long run, at the upper end of what is known of the chip's energy. Beyond its limits the clock is lowered, and no bound
 * holds.
 */
export interface PowerFit {
  /** On average, idle power included. */
  readonly demandedW: number;
  /** With every core at its hungriest. */
  readonly peakW: number;
  /** Of the power mode. */
  readonly modeW: number;
  /** Where the die settles at most. */
  readonly dieC: number;
  readonly throttleC: number;
  readonly fits: boolean;
}

/** What the cores of a chip share. */
export interface ChipFit {
  /** Null when nothing is known of the bus. */
  readonly bus: BusFit | null;
  /** Null when each core has memory of its own, which the placement looks after. */
  readonly memory: MemoryFit | null;
  /** Each model once; empty where no limit is known. */
  readonly outOfWindow: readonly WindowMisfit[];
  /** Null when nothing is known of it. */
  readonly power: PowerFit | null;
}

export interface Fit extends ChipFit {
  readonly fits: boolean;
  readonly assurance: Assurance;
  /** The order of jobs that was looked at; of one that is not covered nothing is known, and nothing fits. */
  readonly policy: { readonly name: PolicyName; readonly isCovered: boolean };
  readonly streams: readonly StreamFit[];
  readonly cores: readonly CoreFit[];
  readonly pipelines: readonly PipelineFit[];
  /** What to change first, a sentence each; empty when everything fits. */
  readonly advice: readonly string[];
  /** The bound on work was reached: what `notComputed` names was left out. */
  readonly isCutShort: boolean;
  /** What there was no work left for, such as `cost x of camera`; empty when everything was looked at. */
  readonly notComputed: readonly string[];
}
