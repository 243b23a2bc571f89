import { assert } from '../core/assert.ts';

/**
 * The last `size` samples, both in order of time and in order of value, so that exact order statistics (nearest rank) are one look-up. Costs `size`
 * moves a sample, never allocates, and forgets: a slow quarter of an hour does not haunt the rest of the day, as it would in a P2 estimator.
 */
export class SlidingWindow {
  readonly #ring: Float64Array;
  readonly #sorted: Float64Array;
  #count = 0;
  #next = 0;

  constructor(size: number) {
    assert(size >= 1, 'a window holds a sample');
    this.#ring = new Float64Array(size);
    this.#sorted = new Float64Array(size);
  }

  get count(): number {
    return this.#count;
  }

  push(sample: number): void {
    const size = this.#ring.length;
    if (this.#count === size) this.#forget(this.#ring[this.#next] as number);
    this.#ring[this.#next] = sample;
    this.#next = (this.#next + 1) % size;
    const sorted = this.#sorted;
    let index = this.#count;
    while (index > 0 && (sorted[index - 1] as number) > sample) {
      sorted[index] = sorted[index - 1] as number;
      index -= 1;
    }
    sorted[index] = sample;
    this.#count += 1;
  }

  /** The sample with `above` samples over it: 0 is the largest. Needs more than `above` samples. */
  largest(above: number): number {
    assert(above < this.#count, 'the window has that many samples');
    return this.#sorted[this.#count - 1 - above] as number;
  }

  /** The sample with half of the others under it; the lower one of an even number. Needs a sample. */
  median(): number {
    assert(this.#count > 0, 'the window has a sample');
    return this.#sorted[(this.#count - 1) >> 1] as number;
  }

  /** A quarter of the samples lie at or under the first, three quarters at or under the second; half their distance is the spread returned. Needs a sample. */
  quartileDeviation(): number {
    assert(this.#count > 0, 'the window has a sample');
    const last = this.#count - 1;
    const lower = this.#sorted[Math.floor(last * 0.25)] as number;
    const upper = this.#sorted[Math.ceil(last * 0.75)] as number;
    return (upper - lower) / 2;
  }

  #forget(sample: number): void {
    const sorted = this.#sorted;
    const last = this.#count - 1;
    let index = 0;
    while (sorted[index] !== sample) index += 1;
    sorted.copyWithin(index, index + 1, last + 1);
    this.#count = last;
  }
}
