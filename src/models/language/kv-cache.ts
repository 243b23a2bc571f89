import { assert } from '../../core/assert.ts';
import { cacheBytesPerToken, type DecoderFacts } from './decoder-facts.ts';
import type { TensorHandle, TensorSession } from './tensor-session.ts';

/**
 * Keys and values of one conversation. Its memory is allocated once for `capacity` tokens; `length` of them are there. Between `outputs` and `commit` the session
 * has written tokens that do not count yet: without `commit` they never were.
 */
export interface KvCache {
  readonly capacity: number;
  readonly byteLength: number;
  readonly length: number;
  /** By layer, key before value. Valid until the next call of anything but `outputs`. */
  inputs(): readonly TensorHandle[];
  /** Where a run has to leave the cache of `length` tokens, which is at most the capacity. */
  outputs(length: number): readonly TensorHandle[];
  /** The run was good: there are `length` tokens now. */
  commit(length: number): void;
  /** Forgets the tokens from `length` on. */
  truncate(length: number): void;
  /** Takes over the first `length` tokens of another cache of the same model, over whatever was here. */
  copyFrom(other: KvCache, length: number): void;
  release(): void;
  /** For `copyFrom`: `[kvHeads, stride, headSize]` each. */
  readonly parts: readonly CachePart[];
  readonly stride: number;
}

type CachePart = Float32Array | Uint16Array;

/** Of the processor's cache: parts begin at one. */
const LINE_BYTES = 64;

/** Error: none; `capacity` at least 1. */
export function createKvCache(session: TensorSession, facts: DecoderFacts, capacity: number): KvCache {
  return facts.graph.cacheKind === 'in-place' ? new InPlaceCache(session, facts, capacity) : new AppendedCache(session, facts, capacity);
}

/** All in one piece of memory, which the system gives zeroed page by page as it is touched: ten pieces of 48 KiB took 0.8 ms, one of 480 KiB takes 0.08. */
function allocateParts({ config, graph }: DecoderFacts, capacity: number): CachePart[] {
  const Part = graph.cacheType === 'float32' ? Float32Array : Uint16Array;
  const count = config.kvHeads * capacity * config.headSize;
  const stride = Math.ceil((count * Part.BYTES_PER_ELEMENT) / LINE_BYTES) * LINE_BYTES;
  const memory = new ArrayBuffer(2 * config.layers * stride);
  return Array.from({ length: 2 * config.layers }, (_, index) => new Part(memory, index * stride, count));
}

/** `GroupQueryAttention` leaves new tokens behind the old ones when past and present are the same memory: nothing is ever copied. */
class InPlaceCache implements KvCache {
  readonly capacity: number;
  readonly byteLength: number;
  readonly parts: readonly CachePart[];
  length = 0;
  readonly #kvHeads: number;
  readonly #headSize: number;
  readonly #handles: readonly TensorHandle[];

  constructor(session: TensorSession, facts: DecoderFacts, capacity: number) {
    const { kvHeads, headSize } = facts.config;
    this.capacity = capacity;
    this.byteLength = capacity * cacheBytesPerToken(facts);
    this.#kvHeads = kvHeads;
    this.#headSize = headSize;
    this.parts = allocateParts(facts, capacity);
    this.#handles = this.parts.map((part) => session.wrap(part, [1, kvHeads, capacity, headSize]));
  }

  get stride(): number {
    return this.capacity;
  }

  inputs(): readonly TensorHandle[] {
    return this.#handles;
  }

  outputs(length: number): readonly TensorHandle[] {
    assert(length <= this.capacity, 'a cache is not written beyond its capacity', length);
    return this.#handles;
  }

  commit(length: number): void {
    assert(length <= this.capacity, 'a cache does not grow beyond its capacity', length);
    this.length = length;
  }

  truncate(length: number): void {
    assert(length <= this.length, 'a cache is cut to what it has', length);
    this.length = length;
  }

  copyFrom(other: KvCache, length: number): void {
    assert(length <= other.length && length <= this.capacity, 'a cache takes over what there is and what fits', length);
    copyHeads(other, this.parts, { kvHeads: this.#kvHeads, headSize: this.#headSize, stride: this.capacity }, length);
    this.length = length;
  }

  release(): void {
    for (const handle of this.#handles) handle.release();
  }
}

/** The graph joins past and new tokens into another tensor, so there are two sets of memory that take turns. Each is packed: its stride is its length. */
class AppendedCache implements KvCache {
  readonly capacity: number;
  readonly byteLength: number;
  readonly #session: TensorSession;
  readonly #kvHeads: number;
  readonly #headSize: number;
  #now: CachePart[];
  #next: CachePart[];
  #length = 0;
  #inputs: readonly TensorHandle[] | undefined;
  #outputs: { readonly length: number; readonly handles: readonly TensorHandle[] } | undefined;

  constructor(session: TensorSession, facts: DecoderFacts, capacity: number) {
    this.capacity = capacity;
    this.byteLength = capacity * cacheBytesPerToken(facts);
    this.#session = session;
    this.#kvHeads = facts.config.kvHeads;
    this.#headSize = facts.config.headSize;
    this.#now = allocateParts(facts, capacity);
    this.#next = allocateParts(facts, capacity);
  }

  get parts(): readonly CachePart[] {
    return this.#now;
  }

  get stride(): number {
    return this.#length;
  }

  get length(): number {
    return this.#length;
  }

  inputs(): readonly TensorHandle[] {
    this.#inputs ??= this.#wrap(this.#now, this.#length);
    return this.#inputs;
  }

  outputs(length: number): readonly TensorHandle[] {
    assert(length <= this.capacity, 'a cache is not written beyond its capacity', length);
    if (this.#outputs?.length === length) return this.#outputs.handles;
    for (const handle of this.#outputs?.handles ?? []) handle.release();
    this.#outputs = { length, handles: this.#wrap(this.#next, length) };
    return this.#outputs.handles;
  }

  commit(length: number): void {
    assert(this.#outputs?.length === length, 'what was written is what counts', length);
    for (const handle of this.#inputs ?? []) handle.release();
    this.#inputs = this.#outputs.handles;
    this.#outputs = undefined;
    [this.#now, this.#next] = [this.#next, this.#now];
    this.#length = length;
  }

  truncate(length: number): void {
    assert(length <= this.#length, 'a cache is cut to what it has', length);
    if (length === this.#length) return;
    const from = this.#length * this.#headSize;
    const to = length * this.#headSize;
    // Heads move towards the beginning one after the other, so none is overwritten before it moved.
    for (const part of this.#now)
      for (let head = 1; head < this.#kvHeads; head += 1) part.copyWithin(head * to, head * from, head * from + to);
    this.#setLength(length);
  }

  copyFrom(other: KvCache, length: number): void {
    assert(length <= other.length && length <= this.capacity, 'a cache takes over what there is and what fits', length);
    copyHeads(other, this.#now, { kvHeads: this.#kvHeads, headSize: this.#headSize, stride: length }, length);
    this.#setLength(length);
  }

  release(): void {
    for (const handle of [...(this.#inputs ?? []), ...(this.#outputs?.handles ?? [])]) handle.release();
    this.#inputs = undefined;
    this.#outputs = undefined;
  }

  #setLength(length: number): void {
    this.release();
    this.#length = length;
  }

  #wrap(parts: readonly CachePart[], length: number): readonly TensorHandle[] {
    const count = this.#kvHeads * length * this.#headSize;
    return parts.map((part) => this.#session.wrap(part.subarray(0, count), [1, this.#kvHeads, length, this.#headSize]));
  }
}

interface Heads {
  readonly kvHeads: number;
  readonly headSize: number;
  /** Tokens from one head to the next where they go to. */
  readonly stride: number;
}

function copyHeads(from: KvCache, to: readonly CachePart[], { kvHeads, headSize, stride }: Heads, length: number): void {
  for (const [index, part] of from.parts.entries()) {
    const target = to[index];
    assert(target !== undefined && target.constructor === part.constructor, 'caches of one model have the same parts');
    for (let head = 0; head < kvHeads; head += 1) {
      const at = head * from.stride * headSize;
      target.set(part.subarray(at, at + length * headSize), head * stride * headSize);
    }
  }
}
