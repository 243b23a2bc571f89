import type { Observable } from 'rxjs';
import type { Frame } from '../core/frame.ts';
import type { Job, Turn } from '../core/job.ts';
import type { ModelSpec } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Result, ResultItem } from '../core/result.ts';
import type { Stream } from '../core/stream.ts';
import { addUs, type DurationUs, elapsedUs, type InstantUs } from '../core/units.ts';

/** A result with the frame it came from. The frame's region is valid during the emission; whoever wants it longer retains it then. */
export interface FrameResult {
  readonly result: Result;
  readonly frame: Frame;
}

/** From frames to jobs to results, for one model under one Stream contract. */
export interface Pipeline {
  readonly stream: Stream;
  readonly results: Observable<FrameResult>;
  /** Takes a frame; its region stays the caller's, the pipeline makes its own claim. */
  accept(frame: Frame): void;
  /** The source has ended or broken off; what the pipeline holds back for want of the next frame comes out. */
  flush(): void;
  /** No more frames: those not yet submitted end as `stopping`, later ones are rejected. */
  stop(): void;
}

export interface PipelineOptions {
  readonly stream: Stream;
  readonly model: ModelSpec;
  /** A frame that is older than this when it gets here is rejected as `stale`. */
  readonly staleAfterUs: DurationUs;
}

/** The job that a frame asks for; its deadline counts from capture. All jobs have one shape, turns or not: everybody on their way looks into them. */
export function jobFor(stream: Stream, id: number, frame: Frame, model = stream.model, turn?: Turn): Job {
  return {
    id,
    stream: stream.id,
    model,
    capturedAt: frame.capturedAt,
    deadlineAt: addUs(frame.capturedAt, stream.deadlineUs),
    turn,
  };
}

export function resultFor(
  stream: Stream,
  job: Pick<Job, 'id' | 'model'>,
  frame: Frame,
  outcome: Outcome,
  items: readonly ResultItem[],
  at: InstantUs,
): Result {
  return {
    pipeline: stream.id,
    job: job.id,
    source: frame.source,
    sequence: frame.sequence,
    capturedAt: frame.capturedAt,
    model: job.model,
    ageUs: elapsedUs(frame.capturedAt, at),
    isLate: outcome.kind === 'late',
    items,
  };
}
