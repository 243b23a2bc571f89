import { assert } from '../../core/assert.ts';
import type { DecoderFacts } from './decoder-facts.ts';
import { halvesInto } from './half-precision.ts';
import type { KvCache } from './kv-cache.ts';
import type { TensorHandle, TensorSession } from './tensor-session.ts';

/**
 * Runs tokens through the graph behind a cache. What it feeds besides the cache (ids, mask, positions) and the logits lie in memory that is allocated once; the
 * logits given are valid until the next run.
 */
export class DecoderForward {
  readonly #session: TensorSession;
  readonly #facts: DecoderFacts;
  readonly #chunkTokens: number;
  readonly #ids: BigInt64Array;
  readonly #positions: BigInt64Array;
  readonly #mask: BigInt64Array;
  readonly #logits: Float32Array | Uint16Array;
  /** A row of logits in float32, where the graph gives halves. */
  readonly #row: Float32Array;
  readonly #kept: TensorHandle | undefined;
  /** By number of tokens: of one, and of the chunk run last. */
  readonly #shapes = new Map<number, Shape>();

  constructor(session: TensorSession, facts: DecoderFacts, chunkTokens: number) {
    const { config, graph } = facts;
    this.#session = session;
    this.#facts = facts;
    this.#chunkTokens = chunkTokens;
    this.#ids = new BigInt64Array(chunkTokens);
    this.#positions = new BigInt64Array(chunkTokens);
    this.#mask = new BigInt64Array(config.contextTokens).fill(1n);
    const count = config.vocabulary * this.#rowsOf(chunkTokens);
    this.#logits = graph.logitsType === 'float32' ? new Float32Array(count) : new Uint16Array(count);
    this.#row = this.#logits instanceof Float32Array ? this.#logits : new Float32Array(config.vocabulary);
    this.#kept = graph.keepsLogits ? session.wrap(BigInt64Array.of(1n), []) : undefined;
  }

  /** What its own memory occupies. */
  get byteLength(): number {
    return this.#logits.byteLength + this.#mask.byteLength + 2 * this.#ids.byteLength;
  }

  /**
   * Appends `tokens[from..to]`, 1 to `chunkTokens` of them, to the cache, which has room for them. Gives the logits of the last. Throws what the session throws; the
   * cache is as it was then.
   */
  run(cache: KvCache, tokens: ArrayLike<number>, from: number, to: number): Float32Array {
    const count = to - from;
    assert(count >= 1 && count <= this.#chunkTokens, 'a run has at least a token and at most a chunk', count);
    const length = cache.length + count;
    for (let index = 0; index < count; index += 1) {
      this.#ids[index] = BigInt(tokens[from + index] ?? 0);
      this.#positions[index] = BigInt(cache.length + index);
    }
    const shape = this.#shapeOf(count);
    const mask = this.#session.wrap(this.#mask.subarray(0, length), [1, length]);
    try {
      this.#session.run([shape.ids, mask, ...shape.rest, ...cache.inputs()], [shape.logits, ...cache.outputs(length)]);
    } finally {
      mask.release();
    }
    cache.commit(length);
    return this.#lastRow(count);
  }

  release(): void {
    for (const shape of this.#shapes.values()) releaseShape(shape);
    this.#shapes.clear();
    this.#kept?.release();
  }

  #shapeOf(count: number): Shape {
    const known = this.#shapes.get(count);
    if (known !== undefined) return known;
    // Single tokens and whole chunks come again and again; the rest of a prompt has any length, so of those only the last is kept.
    for (const [other, shape] of this.#shapes) {
      if (other === 1 || other === this.#chunkTokens) continue;
      releaseShape(shape);
      this.#shapes.delete(other);
    }
    const { config, graph } = this.#facts;
    const rows = this.#rowsOf(count);
    const positions = graph.takesPositions ? [this.#session.wrap(this.#positions.subarray(0, count), [1, count])] : [];
    const shape = {
      ids: this.#session.wrap(this.#ids.subarray(0, count), [1, count]),
      positions,
      rest: [...positions, ...(this.#kept === undefined ? [] : [this.#kept])],
      logits: this.#session.wrap(this.#logits.subarray(0, rows * config.vocabulary), [1, rows, config.vocabulary]),
    };
    this.#shapes.set(count, shape);
    return shape;
  }

  /** Rows of logits that a run of so many tokens gives. */
  #rowsOf(count: number): number {
    const { keepsLogits, givesLastLogits = false } = this.#facts.graph;
    return keepsLogits || givesLastLogits ? 1 : count;
  }

  #lastRow(count: number): Float32Array {
    const { vocabulary } = this.#facts.config;
    const at = (this.#rowsOf(count) - 1) * vocabulary;
    if (this.#logits instanceof Float32Array) return this.#logits.subarray(at, at + vocabulary);
    halvesInto(this.#row, this.#logits.subarray(at, at + vocabulary));
    return this.#row;
  }
}

interface Shape {
  readonly ids: TensorHandle;
  readonly positions: readonly TensorHandle[];
  readonly rest: readonly TensorHandle[];
  readonly logits: TensorHandle;
}

function releaseShape({ ids, positions, logits }: Shape): void {
  for (const handle of [ids, ...positions, logits]) handle.release();
}
