import { assert } from '../../core/assert.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { CacheUsage } from '../../core/turn-task.ts';
import { requireTurnTokens } from '../../core/turn-tokens.ts';
import { type CachedText, Conversations, sharedLength } from './conversations.ts';
import { cacheBytesPerToken, type DecoderFacts } from './decoder-facts.ts';
import { DecoderForward } from './decoder-forward.ts';
import { DecoderTurn } from './decoder-turn.ts';
import { createKvCache, type KvCache } from './kv-cache.ts';
import type { TensorSession } from './tensor-session.ts';
import type { TokenChooser } from './token-chooser.ts';

export interface DecoderEngineOptions {
  /** Tokens of a prompt that are read in one step. */
  readonly chunkTokens: number;
  /** Of all caches together. */
  readonly cacheBytesMax: number;
  /** Conversations and shared beginnings together. */
  readonly textsMax: number;
}

export interface TurnRequest {
  readonly conversation: string;
  /** The whole text of the conversation from its beginning; what is cached of it is not read again. */
  readonly tokens: readonly number[];
  /** The answer ends here at the latest, and where the context ends. */
  readonly tokensMax: number;
  /** Steps that there are for it. More are needed when what was thought to be cached was evicted. */
  readonly stepsMax?: number;
  /** Or how it is made for an answer of so many tokens at most; what that throws, `begin` throws. */
  readonly chooser: TokenChooser | ((tokensMax: number) => TokenChooser);
  /** End the answer as the model's own do. */
  readonly stopIds?: readonly number[];
  /** So many tokens from the beginning are worth keeping for other conversations, such as a system prompt. */
  readonly sharedTokens?: number;
  /** What happens to a text that leaves no room for an answer; `drop-oldest` leaves out the oldest tokens behind the shared ones. Default: refuse. */
  readonly overflow?: 'refuse' | 'drop-oldest';
  /** Conversations that are about to go on: their caches stay. */
  readonly pinned?: ReadonlySet<string>;
}

/** Room in a cache is given in rows of so many tokens, so that a turn a little longer finds room in the old one. */
const CAPACITY_STEP = 64;

/** Shorter beginnings are read again sooner than copied and looked after. */
const SHARED_TOKENS_MIN = 16;

/**
 * A decoder with the caches of its conversations. Turns of different conversations may be under way at once and are run in any order, step by step; each conversation has
 * one at a time.
 */
export class DecoderEngine {
  readonly facts: DecoderFacts;
  readonly #session: TensorSession;
  readonly #options: DecoderEngineOptions;
  readonly #forward: DecoderForward;
  readonly #conversations: Conversations;

  constructor(session: TensorSession, facts: DecoderFacts, options: DecoderEngineOptions) {
    const { chunkTokens, cacheBytesMax, textsMax } = options;
    assert(chunkTokens >= 1 && cacheBytesMax >= 0 && textsMax >= 1, 'an engine is given bounds');
    this.facts = facts;
    this.#session = session;
    this.#options = { ...options, chunkTokens: Math.min(chunkTokens, facts.config.contextTokens) };
    this.#forward = new DecoderForward(session, facts, this.#options.chunkTokens);
    this.#conversations = new Conversations({ bytesMax: cacheBytesMax, countMax: textsMax });
  }

  get usage(): CacheUsage {
    const { byteLength, count, evictions } = this.#conversations;
    return { cacheBytes: byteLength, texts: count, evictions };
  }

  /**
   * Begins a turn: finds what is cached of its text and keeps room for the whole of it, so that it cannot fail for memory later. Nothing is run yet.
   * Errors: TOKENS_INVALID, CONTEXT_OVERFLOW, CACHE_FULL, CONVERSATION_BUSY; then everything is as it was. TURN_FAILED when `stepsMax` is too few.
   */
  begin(request: TurnRequest): DecoderTurn {
    this.#check(request);
    const { tokens, droppedTokens } = this.#fit(request);
    const tokensMax = Math.min(request.tokensMax, this.facts.config.contextTokens - tokens.length);
    const text = this.#prepare(request, tokens, tokens.length + tokensMax);
    const { stepsMax = Number.POSITIVE_INFINITY } = request;
    const steps = Math.ceil((tokens.length - text.cache.length) / this.#options.chunkTokens) + tokensMax - 1;
    if (steps > stepsMax)
      throw new CoxswainError(
        'TURN_FAILED',
        `The turn takes ${steps} steps and there are ${stepsMax}; what was to be cached of its text is gone. Ask again.`,
      );
    const { chooser } = request;
    const madeChooser = typeof chooser === 'function' ? chooser(tokensMax) : chooser;
    text.isLive = true;
    return new DecoderTurn(
      { forward: this.#forward, conversations: this.#conversations, keepShared: (from) => this.#keepShared(from, request) },
      {
        text,
        tokens,
        tokensMax,
        droppedTokens,
        chunkTokens: this.#options.chunkTokens,
        chooser: madeChooser,
        stopIds: new Set([...this.facts.config.eosTokenIds, ...(request.stopIds ?? [])]),
      },
    );
  }

  /** Runs a chunk and a token that nobody keeps, so that the first turn finds memory and weights where the later ones do. Throws what the session throws. */
  warmUp(): void {
    const capacity = Math.min(CAPACITY_STEP, this.facts.config.contextTokens);
    const cache = this.#allocate(capacity, capacity * cacheBytesPerToken(this.facts));
    try {
      const count = Math.min(capacity - 1, this.#options.chunkTokens);
      if (count > 0) this.#forward.run(cache, new Int32Array(count), 0, count);
      this.#forward.run(cache, [0], 0, 1);
    } finally {
      cache.release();
    }
  }

  /** How many of the tokens are cached, so need not be read: at most all but the last, whose logits are wanted. */
  cachedTokens(conversation: string, tokens: readonly number[]): number {
    return Math.min(this.#source(conversation, tokens).length, Math.max(0, tokens.length - 1));
  }

  /** Frees the cache of an idle conversation; one that is not cached is forgotten already. Error: CONVERSATION_BUSY. */
  forget(conversation: string): void {
    const text = this.#conversations.get(conversation);
    if (text?.isLive === true) throw busy(conversation);
    if (text !== undefined) this.#conversations.remove(text);
  }

  /** Frees all caches; turns under way are over. */
  release(): void {
    this.#conversations.removeAll();
    this.#forward.release();
  }

  #check({ conversation, tokens, tokensMax }: TurnRequest): void {
    requireTurnTokens(tokens, tokensMax, this.facts.config.vocabulary);
    if (this.#conversations.get(conversation)?.isLive === true) throw busy(conversation);
  }

  #fit({ tokens, overflow, sharedTokens = 0, tokensMax }: TurnRequest): {
    readonly tokens: readonly number[];
    readonly droppedTokens: number;
  } {
    const { contextTokens } = this.facts.config;
    if (tokens.length < contextTokens) return { tokens, droppedTokens: 0 };
    const kept = Math.min(sharedTokens, tokens.length);
    // Half of the context is for the answer at most, so that what is dropped is not dropped again a turn later.
    const room = contextTokens - kept - Math.min(tokensMax, contextTokens >> 1);
    if (overflow !== 'drop-oldest' || room < 1) {
      const message = `The text has ${tokens.length} tokens; the model reads at most ${contextTokens}, with one left to answer. Shorten it, or begin a new conversation.`;
      throw new CoxswainError('CONTEXT_OVERFLOW', message);
    }
    return { tokens: [...tokens.slice(0, kept), ...tokens.slice(tokens.length - room)], droppedTokens: tokens.length - kept - room };
  }

  #source(conversation: string, tokens: readonly number[]): { readonly text: CachedText | undefined; readonly length: number } {
    const own = this.#conversations.get(conversation);
    const best = this.#conversations.longestBeginning(tokens);
    const ownLength = own === undefined ? 0 : sharedLength(own.tokens, tokens);
    // Of equals the own one, which needs no copy.
    return own !== undefined && ownLength >= best.length ? { text: own, length: ownLength } : best;
  }

  /** The conversation's cache with room for `lengthMax` tokens and as much of `tokens` in it as is known, all but the last at most. */
  #prepare(request: TurnRequest, tokens: readonly number[], lengthMax: number): CachedText {
    const { conversation } = request;
    const { text: source, length: known } = this.#source(conversation, tokens);
    const length = Math.min(known, tokens.length - 1);
    const own = this.#conversations.get(conversation);
    if (own !== undefined && own.cache.capacity >= lengthMax) {
      if (source === own) own.cache.truncate(length);
      else if (source !== undefined) own.cache.copyFrom(source.cache, length);
      else own.cache.truncate(0);
      own.tokens = tokens.slice(0, length);
      this.#conversations.touch(own);
      return own;
    }
    return this.#grow(request, source, tokens.slice(0, length), lengthMax);
  }

  /** A new cache with room for `lengthMax` tokens and `tokens` in it, if their source is not what has to go for it. */
  #grow(
    { conversation, pinned = new Set() }: TurnRequest,
    source: CachedText | undefined,
    tokens: number[],
    lengthMax: number,
  ): CachedText {
    const capacity = Math.min(Math.ceil(lengthMax / CAPACITY_STEP) * CAPACITY_STEP, this.facts.config.contextTokens);
    const byteLength = capacity * cacheBytesPerToken(this.facts);
    // Its own cache is on the way out, but while it is copied it is still there, and counts.
    const others = new Set([...pinned].filter((name) => name !== conversation));
    const isSpared = source !== undefined && this.#conversations.canMakeRoom(byteLength, others, source);
    const emptied = this.#conversations.makeRoom(byteLength, others, isSpared ? source : undefined);
    const cache = emptied ?? this.#allocate(capacity, byteLength);
    const isThere = source !== undefined && this.#conversations.has(source);
    if (isThere) {
      cache.copyFrom(source.cache, tokens.length);
      this.#conversations.touch(source);
    }
    const own = this.#conversations.get(conversation);
    if (own !== undefined) this.#conversations.remove(own);
    return this.#conversations.add(conversation, isThere ? tokens : [], cache);
  }

  #allocate(capacity: number, byteLength: number): KvCache {
    try {
      return createKvCache(this.#session, this.facts, capacity);
    } catch (cause) {
      throw new CoxswainError(
        'CACHE_FULL',
        `No memory for a cache of ${byteLength} bytes. Allow fewer conversations, or a shorter context.`,
        { cause },
      );
    }
  }

  /** Keeps the beginning of a text that was just read for conversations to come, if there is room that nobody else has to make. */
  #keepShared(from: CachedText, { sharedTokens = 0 }: TurnRequest): void {
    const length = Math.min(sharedTokens, from.tokens.length);
    if (length < SHARED_TOKENS_MIN) return;
    const beginning = from.tokens.slice(0, length);
    if (this.#conversations.hasShared(beginning)) return;
    const byteLength = length * cacheBytesPerToken(this.facts);
    if (!this.#conversations.hasRoom(byteLength)) return;
    const cache = this.#allocate(length, byteLength);
    cache.copyFrom(from.cache, length);
    this.#conversations.add(undefined, beginning, cache);
  }
}

const busy = (conversation: string): CoxswainError =>
  new CoxswainError(
    'CONVERSATION_BUSY',
    `The conversation ${JSON.stringify(conversation)} has a turn under way. Wait for its end, or cancel it.`,
  );
