import type { DurationUs } from './units.ts';

/** What a job of a model consists of. A core can be given to another job between two steps. */
export type StepPlan = BlockSteps | TokenSteps;

/** A network cut between layers. */
export interface BlockSteps {
  readonly kind: 'blocks';
  /** Part of a whole run that each block takes; together 1. */
  readonly shares: readonly number[];
  /**
   * For each border, what it costs that somebody else ran there: the activations that cross it written out and read back. One fewer than `shares`.
   */
  readonly switchUs: readonly DurationUs[];
  /** What a job has come to stays in the memory of its core, as does that of a turn: it goes on there or begins anew. Absent: it goes on anywhere. */
  readonly isKept?: boolean;
}

/** A language model: chunks of the prompt, then tokens of the answer. */
export interface TokenSteps {
  readonly kind: 'tokens';
  /** Prompt tokens in one step. */
  readonly chunkTokens: number;
  /** Of one chunk, until measured. */
  readonly chunkUs: DurationUs;
  /** Most tokens of one segment. */
  readonly burstTokens: number;
  readonly switchUs: DurationUs;
  /** Turns of one stream that may be open at once on one core, each with a cache of its own. Default: 1. */
  readonly turnsMax?: number;
}
