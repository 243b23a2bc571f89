import type { Region } from './region.ts';

/** A token of an answer, as it was chosen. */
export interface SpokenToken {
  readonly id: number;
  /** Natural logarithm of its probability; only where probabilities were asked for. */
  readonly logprob?: number;
  /** The likeliest tokens with theirs, likeliest first; only where asked for. */
  readonly top?: readonly { readonly id: number; readonly logprob: number }[];
}

/** How a turn went. */
export interface TurnSummary {
  /** `stop`: the model ended its answer; `length`: it was as long as it may be. */
  readonly finish: 'stop' | 'length';
  /** Of the text, found in the cache. */
  readonly cachedTokens: number;
  /** Of the text, read for this turn. */
  readonly promptTokens: number;
  /** Of the text, left out because it did not fit. */
  readonly droppedTokens: number;
  readonly writtenTokens: number;
  /** What the model's caches took on that core when the turn ended; absent where none are. */
  readonly cache?: CacheUsage;
}

/** Of the caches of all conversations of a model on one core. */
export interface CacheUsage {
  readonly cacheBytes: number;
  /** Conversations and shared beginnings. */
  readonly texts: number;
  /** Texts that went to make room, since the core began. */
  readonly evictions: number;
}

/** What of a turn crosses to the core that speaks it. */
export interface TurnWords {
  /** Turns of one conversation go on from each other's cache. */
  readonly conversation: string;
  /** Ids of the whole text so far, one int32 each, in the shared memory; left alone until the job has ended. */
  readonly text: Region;
  /** How tokens are chosen: `ChooserOptions` of models/language, but for their number. Absent: the likeliest, each time. */
  readonly choosing?: Readonly<Record<string, unknown>>;
  /** End the answer, as the model's own do. */
  readonly stopIds: readonly number[];
  /** So many tokens from the beginning are worth keeping for other conversations. */
  readonly sharedTokens: number;
  readonly overflow: 'refuse' | 'drop-oldest';
  /** Conversations that are about to go on: their caches stay. */
  readonly pinned: readonly string[];
}

/** A turn that is really spoken, with somebody who listens. */
export interface TurnTask extends TurnWords {
  /** Its first step is handed to a core: the first time, or again since the first core was lost; then the answer begins anew, with the same tokens. */
  onStart(): void;
  /** Tokens of the answer, in order, soon after they were made; all of a segment's before its end is told. */
  onTokens(tokens: readonly SpokenToken[]): void;
  /** Once, before the end of its last segment is told; never for a turn that fails or is given up. */
  onSummary(summary: TurnSummary): void;
  /** Why a segment of it failed, in words, before its end is told. */
  onFailure?(message: string): void;
}
