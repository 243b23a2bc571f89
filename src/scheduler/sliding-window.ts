import { assert } from '../core/assert.ts';

/**
 * The last `size` samples, both in order of time and in order of value, so that exact order statistics (nearest rank) are one look-up. Costs at
 * most `size` moves a sample, never allocates, and forgets: a slow quarter of an hour does not haunt the rest of the day, as it would in a P2 estimator.
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
    const ring = this.#ring;
    const next = this.#next;
    const isFull = this.#count === ring.length;
    // A new sample takes the place of the one that leaves, and moves from there to where it belongs.
    const from = isFull ? this.#placeOf(ring[next] as number) : this.#count;
    if (!isFull) this.#count += 1;
    ring[next] = sample;
    this.#next = next + 1 === ring.length ? 0 : next + 1;
    this.#settle(sample, from);
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

  #settle(sample: number, from: number): void {
    const sorted = this.#sorted;
    const last = this.#count - 1;
    let index = from;
    for (; index > 0 && (sorted[index - 1] as number) > sample; index -= 1) sorted[index] = sorted[index - 1] as number;
    for (; index < last && (sorted[index + 1] as number) < sample; index += 1) sorted[index] = sorted[index + 1] as number;
    sorted[index] = sample;
  }

  /** Where the sample lies among the sorted ones. */
  #placeOf(sample: number): number {
    const sorted = this.#sorted;
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle] as number) < sample) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
