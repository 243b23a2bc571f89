import type { JobId } from './job.ts';
import type { ModelId } from './model.ts';
import type { FailReason } from './outcome.ts';
import type { Region } from './region.ts';
import type { InstantUs } from './units.ts';

/** The non-preemptible slice of a job, as handed to a device. Today a job is one segment; `index` counts when it is sliced. */
export interface Segment {
  readonly job: JobId;
  readonly index: number;
  readonly model: ModelId;
  /** One region per `ModelSpec.inputs`, in that order, filled before the call and left alone until it ends. */
  readonly inputs: readonly Region[];
  /** One region per `ModelSpec.outputs`, in that order; written by the core. */
  readonly outputs: readonly Region[];
  /** The core is killed if the segment has not ended by then. */
  readonly killAt: InstantUs;
}

/** How a segment ended, exactly once, also when its core was killed. Instants are when the core began and stopped computing. */
export type SegmentEnd =
  | { readonly kind: 'done'; readonly startedAt: InstantUs; readonly endedAt: InstantUs }
  | { readonly kind: 'failed'; readonly reason: FailReason; readonly message: string };
