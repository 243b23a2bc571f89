import type { CoreId, JobId, Turn } from './job.ts';
import type { ModelId } from './model.ts';
import type { FailReason } from './outcome.ts';
import type { Region } from './region.ts';
import type { StreamId } from './stream.ts';
import type { TurnTask } from './turn-task.ts';
import type { InstantUs } from './units.ts';

/** A row of steps of a job, as handed to a device, which can leave off after each of them. Most models have one step, which is the whole run. */
export interface Segment {
  readonly job: JobId;
  /** Whose job it is, where the device holds streams to budgets. */
  readonly stream?: StreamId;
  /** The first step to run, counted from 0 through the whole job. */
  readonly from: number;
  /** How many; at least 1. */
  readonly steps: number;
  readonly model: ModelId;
  /** One region per `ModelSpec.inputs`, in that order, filled before the call and left alone until it ends. */
  readonly inputs: readonly Region[];
  /** One region per `ModelSpec.outputs`, in that order; written by the core. */
  readonly outputs: readonly Region[];
  /** The core is killed if the segment has not ended by then. */
  readonly killAt: InstantUs;
  /** Of the job, when it is one of a language model: what its steps are. */
  readonly turn?: Turn | undefined;
  /** Of a turn that is really spoken. */
  readonly task?: TurnTask | undefined;
  /** Cores that run it together with the one that is told to, each its part. Absent: that one alone. */
  readonly others?: readonly CoreId[] | undefined;
}

/** How far a job of several steps has come. */
export interface Progress {
  /** Of the segment's steps, those that were run; fewer than asked for after `yield`, none after `abort`, and when the job was over sooner. */
  readonly steps: number;
  /** Whether the job is complete. */
  readonly isLast: boolean;
}

/**
 * How a segment ended, exactly once, also when its core was killed. Instants are when the core began and stopped computing. Without `progress` all steps
 * were run and the job is complete.
 */
export type SegmentEnd =
  | { readonly kind: 'done'; readonly startedAt: InstantUs; readonly endedAt: InstantUs; readonly progress?: Progress | undefined }
  | { readonly kind: 'failed'; readonly reason: FailReason; readonly message: string };
