import type { ErrorCode } from '../../core/errors.ts';
import type { CoreId, JobId, Turn } from '../../core/job.ts';
import type { ModelId, ModelSpec } from '../../core/model.ts';
import type { FailReason } from '../../core/outcome.ts';
import type { Region } from '../../core/region.ts';
import type { SpokenToken, TurnSummary, TurnWords } from '../../core/turn-task.ts';
import type { InstantUs } from '../../core/units.ts';

/** Descriptors that a core process inherits. */
export const REPLY_FD = 3;
export const ARENA_FD = 4;
export const MAILBOX_FD = 5;

/** What a core process is told once, as its only argument. */
export interface CoreProcessSettings {
  readonly core: CoreId;
  /** Whom to outlive never. */
  readonly parentPid: number;
  readonly arenaBytes: number;
  readonly threads: number;
  readonly cpu?: number;
  readonly niceness?: number;
  readonly realtime?: number;
  readonly isIdle?: boolean;
}

/** What a core process has to know of a manifest entry. */
export type LoadableModel = Pick<
  ModelSpec,
  'id' | 'file' | 'sha256' | 'inputs' | 'outputs' | 'states' | 'constants' | 'language' | 'blocks'
>;

/** An already optimised copy of a model, made by a core of the same device from bytes that were verified: one file, or one for each block that it was cut into. */
export type OptimizedCopy = readonly CopyFile[];

export interface CopyFile {
  readonly file: string;
  readonly sha256: string;
}

/** What the runtime asks of a core process, through its mailbox; one at a time, each answered by exactly one reply. */
export type Command =
  | {
      readonly kind: 'load';
      readonly model: LoadableModel;
      readonly copy: OptimizedCopy | undefined;
      readonly saveCopyAs: string | undefined;
    }
  /** Blocks of a network; all that it has where it is not cut. */
  | {
      readonly kind: 'run';
      readonly model: ModelId;
      readonly job: JobId;
      readonly from: number;
      readonly steps: number;
      readonly inputs: readonly Region[];
      readonly outputs: readonly Region[];
      /** Jobs that ended half done. */
      readonly over: readonly JobId[];
    }
  /** Steps of a turn; the first ones begin it. */
  | {
      readonly kind: 'turn';
      readonly model: ModelId;
      readonly job: JobId;
      readonly from: number;
      readonly steps: number;
      readonly turn: Turn;
      readonly words: TurnWords;
      /** Jobs that ended before their turn did. */
      readonly over: readonly JobId[];
    }
  | { readonly kind: 'stop' };

/**
 * What a core process answers: one line of JSON each on its reply descriptor; `ready` comes first, unasked. `done` is an empty line, its instants lying in the mailbox:
 * without JSON on either side the end of a segment was told sooner (p50 186, 187, 164 instead of 213, 232, 222 us in alternating runs, both cores saturated with BlazeFace).
 */
export type Reply =
  | { readonly kind: 'ready'; readonly warnings: readonly string[] }
  /**
   * `savedCopy`: the copy that it was asked to save. `hasUsedCopy`: false when the given copy did not hold what it should. `uncut`: why the model is run whole though it was
   * to be cut.
   */
  | {
      readonly kind: 'loaded';
      readonly savedCopy: OptimizedCopy | undefined;
      readonly hasUsedCopy: boolean;
      readonly uncut?: string | undefined;
    }
  | { readonly kind: 'load-failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'done'; readonly startedAt: InstantUs; readonly endedAt: InstantUs }
  /** A network that was left between two blocks, when so many had been run. */
  | { readonly kind: 'left'; readonly startedAt: InstantUs; readonly endedAt: InstantUs; readonly steps: number }
  /** Unasked, while a turn runs. */
  | { readonly kind: 'tokens'; readonly job: JobId; readonly tokens: readonly SpokenToken[] }
  /** `summary`: the turn is over. */
  | {
      readonly kind: 'turn-done';
      readonly startedAt: InstantUs;
      readonly endedAt: InstantUs;
      readonly steps: number;
      readonly summary: TurnSummary | undefined;
    }
  | { readonly kind: 'failed'; readonly reason: FailReason; readonly message: string };

/** Characters of a message that crosses; parsers of models can be wordy. */
export const MESSAGE_LENGTH_MAX = 2000;

/** Bytes of one reply line: a message in which each character takes six (\u00e4), and the rest. */
export const REPLY_BYTES_MAX = 16 * 1024;
