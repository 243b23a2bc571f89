import type { EmptyPayload, ImagePayload } from '../core/frame.ts';
import type { Job, JobId } from '../core/job.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { StreamId } from '../core/stream.ts';
import type { InstantUs } from '../core/units.ts';

/** A job with what it takes to run it and somebody to tell. Whoever holds it calls `decode` at most once, then `settle` exactly once. */
export interface Work {
  readonly job: Job;
  readonly inputs: readonly Region[];
  /** Outputs become results; they may be read until the promise settles. A rejection fails the job as `decode-error`. */
  decode(outputs: readonly Region[]): Promise<readonly ResultItem[]> | readonly ResultItem[];
  /** The end of the job. `items` are there when it is done or late. */
  settle(outcome: Outcome, items: readonly ResultItem[]): void;
}

/** Where pipelines hand in their jobs and account for those that end before. */
export interface JobDesk {
  /** Opens the account of a new job; from here on it must end exactly once, by `end` or through `submit`. */
  open(stream: StreamId, capturedAt: InstantUs): JobId;
  /** Ends a job that was never submitted. */
  end(job: JobId, outcome: Outcome): void;
  submit(work: Work): void;
}

/** The tensor memory as pipelines see it. */
export interface TensorMemory {
  allocate(byteLength: number): Region | undefined;
  retain(region: Region): void;
  release(region: Region): void;
}

/** An encoded image remembers how to read the outputs that belong to it. */
export interface EncodedImage {
  decode(outputs: readonly Region[]): Promise<readonly ResultItem[]>;
}

/** Media workers behind one model's codec. */
export interface ImageCoder {
  encode(payload: ImagePayload | EmptyPayload, input: Region, deadlineAt: InstantUs): Promise<EncodedImage>;
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
