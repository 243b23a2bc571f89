import type { EmptyPayload, ImagePayload } from '../core/frame.ts';
import type { Job, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { StreamId } from '../core/stream.ts';
import type { TurnTask } from '../core/turn-task.ts';
import type { InstantUs } from '../core/units.ts';

/**
 * Outputs become results. The listener is told exactly once, inside the call or later; the outputs may be read until then. Not a promise, as at a device: in virtual
 * time the answer comes at its instant and not some turns of a queue after it.
 */
export type Decode = (outputs: readonly Region[], listener: DecodeListener) => void;

/** Who waits for results. Not a function, which would have to be made anew for each of them. */
export interface DecodeListener {
  /** What was found, or why nothing can be said. */
  decoded(answer: readonly ResultItem[] | Error): void;
}

/** A job with what it takes to run it and somebody to tell. Whoever holds it calls `decode` at most once, then `settle` exactly once. */
export interface Work {
  readonly job: Job;
  readonly inputs: readonly Region[];
  /** Of a turn that is really spoken. */
  readonly task?: TurnTask;
  /** An error fails the job as `decode-error`. */
  readonly decode: Decode;
  /** The end of the job. `items` are there when it is done or late. */
  settle(outcome: Outcome, items: readonly ResultItem[]): void;
}

/** Where the jobs of one stream are entered. */
export interface JobBook {
  arrived(job: JobId, capturedAt: InstantUs, at: InstantUs): void;
}

/** Where pipelines hand in their jobs and account for those that end before. */
export interface JobDesk {
  /** To be looked up once, since every frame makes a job. */
  bookOf(stream: StreamId): JobBook;
  /** A new job; from here on it must end exactly once, by `end` or through `submit`. */
  open(book: JobBook, capturedAt: InstantUs): JobId;
  /** Ends a job that was never submitted. */
  end(job: JobId, outcome: Outcome): void;
  submit(work: Work): void;
  /** The model that jobs of the stream are to be made for now; undefined: its own; null: none, since the stream is not served. */
  servedWith(stream: StreamId): ModelId | null | undefined;
}

/** What a conversation needs of the desk besides. */
export interface TurnDesk extends JobDesk {
  /** Nobody wants the job any more; it ends as `dropped`, soon if it runs. Does nothing to one that has ended. */
  cancel(job: JobId): void;
  /** Cores lost so far: what they had in their caches is gone. */
  readonly lossCount: number;
}

/** The tensor memory as pipelines see it. */
export interface TensorMemory {
  allocate(byteLength: number): Region | undefined;
  retain(region: Region): void;
  release(region: Region): void;
}

/** Media workers behind one model's codec. */
export interface ImageCoder {
  /** Fills the input. `onEnd` is called exactly once, inside the call or later, with how to read the outputs that belong to this image, or with what went wrong. */
  encode(payload: ImagePayload | EmptyPayload, input: Region, deadlineAt: InstantUs, onEnd: (answer: Decode | Error) => void): void;
}

/** One pipeline's audio codec over regions. */
export interface AudioCoder {
  readonly windowSamples: number;
  encode(window: Float32Array, input: Region): void;
  decode(window: Float32Array, capturedAt: InstantUs, outputs: readonly Region[]): readonly ResultItem[];
  skip(window: Float32Array, capturedAt: InstantUs): readonly ResultItem[];
  /** The sound has broken off. */
  flush(): readonly ResultItem[];
}
