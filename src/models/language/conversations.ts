import { assert } from '../../core/assert.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { KvCache } from './kv-cache.ts';

/** Tokens whose keys and values are kept: of a conversation, or of a beginning that conversations share. */
export interface CachedText {
  /** Name of the conversation; undefined for a shared beginning. */
  readonly conversation: string | undefined;
  /** As many as the cache is long. */
  tokens: number[];
  cache: KvCache;
  /** Being read or written to: it may not go. */
  isLive: boolean;
  /** Grows with every use of anything. */
  lastUse: number;
}

export interface ConversationsOptions {
  readonly bytesMax: number;
  /** Conversations and shared beginnings together. */
  readonly countMax: number;
}

/** The caches of all conversations within a budget of bytes and a number. What nobody uses goes when room is needed, least recently used first. */
export class Conversations {
  readonly #options: ConversationsOptions;
  readonly #texts = new Set<CachedText>();
  readonly #byName = new Map<string, CachedText>();
  #uses = 0;
  #bytes = 0;
  #evictions = 0;

  constructor(options: ConversationsOptions) {
    this.#options = options;
  }

  get byteLength(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#texts.size;
  }

  /** Texts that went to make room, since the beginning. */
  get evictions(): number {
    return this.#evictions;
  }

  get(conversation: string): CachedText | undefined {
    return this.#byName.get(conversation);
  }

  has(text: CachedText): boolean {
    return this.#texts.has(text);
  }

  /** Whether this very beginning is kept. */
  hasShared(tokens: readonly number[]): boolean {
    return [...this.#texts].some(
      (text) =>
        text.conversation === undefined && text.tokens.length === tokens.length && sharedLength(text.tokens, tokens) === tokens.length,
    );
  }

  touch(text: CachedText): void {
    this.#uses += 1;
    text.lastUse = this.#uses;
  }

  /** The text that shares the longest beginning with `tokens`, and how long that is; a live one is good for it too, for it is only read. */
  longestBeginning(tokens: readonly number[]): { readonly text: CachedText | undefined; readonly length: number } {
    let best: CachedText | undefined;
    let length = 0;
    for (const text of this.#texts) {
      const shared = sharedLength(text.tokens, tokens);
      if (shared > length) [best, length] = [text, shared];
    }
    return { text: best, length };
  }

  /** Whether a text of `byteLength` fits without anything going. */
  hasRoom(byteLength: number): boolean {
    return this.#texts.size < this.#options.countMax && this.#bytes + byteLength <= this.#options.bytesMax;
  }

  /** Whether `makeRoom` would succeed. */
  canMakeRoom(byteLength: number, pinned: ReadonlySet<string>, spared?: CachedText): boolean {
    const idle = this.#idle(pinned, spared);
    const idleBytes = idle.reduce((sum, { cache }) => sum + cache.byteLength, 0);
    return this.#bytes - idleBytes + byteLength <= this.#options.bytesMax && this.#texts.size - idle.length < this.#options.countMax;
  }

  /**
   * Lets idle texts go until another of `byteLength` fits, least recently used first; neither those in `pinned` nor `spared`. A cache of just that length is not freed but
   * given, empty: its pages are there already, while new ones cost a fault each. Errors: CACHE_FULL when even all idle texts are not enough; then nothing went.
   */
  makeRoom(byteLength: number, pinned: ReadonlySet<string>, spared?: CachedText): KvCache | undefined {
    if (!this.canMakeRoom(byteLength, pinned, spared)) {
      const { bytesMax, countMax } = this.#options;
      const busy = this.#texts.size - this.#idle(pinned, spared).length;
      const got = `${this.#texts.size} texts of ${this.#bytes} bytes are cached, ${busy} of them in use, and ${byteLength} bytes more are needed`;
      throw new CoxswainError(
        'CACHE_FULL',
        `${got}; ${countMax} texts and ${bytesMax} bytes are allowed. Try again when a turn has ended, or allow more.`,
      );
    }
    let emptied: KvCache | undefined;
    for (const text of this.#idle(pinned, spared)) {
      if (this.hasRoom(byteLength)) break;
      this.#strike(text);
      this.#evictions += 1;
      if (emptied === undefined && text.cache.byteLength === byteLength) emptied = text.cache;
      else text.cache.release();
    }
    emptied?.truncate(0);
    return emptied;
  }

  /** What may go, least recently used first. */
  #idle(pinned: ReadonlySet<string>, spared: CachedText | undefined): CachedText[] {
    return [...this.#texts]
      .filter((text) => !text.isLive && text !== spared && (text.conversation === undefined || !pinned.has(text.conversation)))
      .sort((a, b) => a.lastUse - b.lastUse);
  }

  /** After `makeRoom`. */
  add(conversation: string | undefined, tokens: number[], cache: KvCache): CachedText {
    const text = { conversation, tokens, cache, isLive: false, lastUse: 0 };
    if (conversation !== undefined) {
      assert(!this.#byName.has(conversation), 'a conversation is cached once', conversation);
      this.#byName.set(conversation, text);
    }
    this.#texts.add(text);
    this.#bytes += cache.byteLength;
    this.touch(text);
    return text;
  }

  /** Frees its cache. */
  remove(text: CachedText): void {
    if (this.#strike(text)) text.cache.release();
  }

  /** From the list, whatever becomes of its cache. */
  #strike(text: CachedText): boolean {
    if (!this.#texts.delete(text)) return false;
    if (text.conversation !== undefined) this.#byName.delete(text.conversation);
    this.#bytes -= text.cache.byteLength;
    return true;
  }

  removeAll(): void {
    for (const text of [...this.#texts]) this.remove(text);
  }
}

/** How many tokens two texts have in common from their beginning. */
export function sharedLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}
