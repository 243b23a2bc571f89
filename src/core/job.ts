import type { ModelId } from './model.ts';
import type { StreamId } from './stream.ts';
import type { InstantUs } from './units.ts';

/** Unique within a run; grows by one per job, so smaller is older. */
export type JobId = number;

/** Cores are numbered from 0 across all devices of a run. */
export type CoreId = number;

/** One request to run one model for one frame. */
export interface Job {
  readonly id: JobId;
  readonly stream: StreamId;
  readonly model: ModelId;
  readonly capturedAt: InstantUs;
  /** By when the decoded result must be there. */
  readonly deadlineAt: InstantUs;
  /** Only of a job of a language model. */
  readonly turn?: Turn | undefined;
}

/** One turn of a conversation: a prompt to read and an answer to write. The deadline of its job is that of the first token. */
export interface Turn {
  /** To be read; what is in the cache already is not counted. At least 1. */
  readonly promptTokens: number;
  /** In the cache already, from turns before it: looked at with every token, not read again. Default: none. */
  readonly pastTokens?: number;
  /** The answer ends here at the latest; the model mostly ends it sooner. The first token comes with the last of the prompt. At least 1. */
  readonly tokensMax: number;
}
