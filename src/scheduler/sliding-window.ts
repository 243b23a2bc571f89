import { assert } from '../core/assert.ts';

/**
 * The last `size` samples, both in order of time and in order of value, so that exact order statistics (nearest rank) are one look-up. Costs at
 * most `size` moves a sample, allocates once at most, and forgets: a slow quarter of an hour does not haunt the rest of the day, as it would in a P2 estimator.
 */
export class SlidingWindow {
  readonly #size: number;
  /** While all samples are alike, as on a machine whose times are known: one of them stands for all. */
  #only = 0;
  /** Since they are not: in order of time, and from `size` on in order of value. */
  #samples: Float64Array | undefined = undefined;
  #count = 0;
  /** Where the next sample goes. */
  #next = 0;

  constructor(size: number) {
    assert(size >= 1, 'a window holds a sample');
    this.#size = size;
  }

  get count(): number {
    return this.#count;
  }

  /** False when nothing is told otherwise than before, since a sample like it left for it. */
  push(sample: number): boolean {
    if (this.#count === 0) this.#only = sample;
    if (this.#samples === undefined && sample === this.#only) return this.#makeRoom();
    this.#samples ??= this.#unfold();
    return this.#put(this.#samples, sample);
  }

  /** The sample with `above` samples over it: 0 is the largest. Needs more than `above` samples. */
  largest(above: number): number {
    assert(above < this.#count, 'the window has that many samples');
    return this.#ranked(this.#count - 1 - above);
  }

  /** The sample with half of the others under it; the lower one of an even number. Needs a sample. */
  median(): number {
    assert(this.#count > 0, 'the window has a sample');
    return this.#ranked((this.#count - 1) >> 1);
  }

  /** A quarter of the samples lie at or under the first, three quarters at or under the second; half their distance is the spread returned. Needs a sample. */
  quartileDeviation(): number {
    assert(this.#count > 0, 'the window has a sample');
    const last = this.#count - 1;
    return (this.#ranked(Math.ceil(last * 0.75)) - this.#ranked(Math.floor(last * 0.25))) / 2;
  }

  /** The sample with so many under it. */
  #ranked(under: number): number {
    return this.#samples === undefined ? this.#only : (this.#samples[this.#size + under] as number);
  }

  /** False when the oldest has to leave. */
  #makeRoom(): boolean {
    if (this.#count === this.#size) return false;
    this.#count += 1;
    return true;
  }

  #unfold(): Float64Array {
    const size = this.#size;
    const count = this.#count;
    this.#next = count === size ? 0 : count;
    return new Float64Array(2 * size).fill(this.#only, 0, count).fill(this.#only, size, size + count);
  }

  #put(samples: Float64Array, sample: number): boolean {
    const next = this.#next;
    const oldest = samples[next] as number;
    samples[next] = sample;
    this.#next = next + 1 === this.#size ? 0 : next + 1;
    if (this.#makeRoom()) this.#settle(samples, sample, this.#count - 1);
    else if (sample === oldest) return false;
    else this.#settle(samples, sample, this.#placeOf(samples, oldest));
    return true;
  }

  /** The sample takes the place of the one that leaves, or one behind all, and moves from there to where it belongs. */
  #settle(samples: Float64Array, sample: number, from: number): void {
    const first = this.#size;
    const last = first + this.#count - 1;
    let index = first + from;
    for (; index > first && (samples[index - 1] as number) > sample; index -= 1) samples[index] = samples[index - 1] as number;
    for (; index < last && (samples[index + 1] as number) < sample; index += 1) samples[index] = samples[index + 1] as number;
    samples[index] = sample;
  }

  /** Where the sample lies among the sorted ones. */
  #placeOf(samples: Float64Array, sample: number): number {
    const first = this.#size;
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((samples[first + middle] as number) < sample) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
