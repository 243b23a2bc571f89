import { assert } from '../core/assert.ts';
import type { DurationUs } from '../core/units.ts';

/** Longer durations count as this long; an hour is far beyond any deadline. */
const DURATION_MAX_US = 3_600_000_000;

/**
 * Durations below 2048 us have a bucket each; every octave above (2048 to 4095, 4096 to 8191, ...) is cut into 1024 equal ones. So a percentile is at most
 * 0.1 % above the true value. This is the layout of HdrHistogram (Gil Tene) with three figures.
 */
const EXACT_BITS = 11;
const EXACT_COUNT = 2 ** EXACT_BITS;
const OCTAVE_COUNT = EXACT_COUNT / 2;

/** Buckets are counted in blocks, and of those only the ones with a sample in them exist: most streams have their latencies close together. Few samples need none. */
const BLOCK_BITS = 7;
const BLOCK_COUNT = 2 ** BLOCK_BITS;

/** Samples wait to be counted until there are so many. One by one each would fetch another bucket from far away in memory; together they take less than one of those. */
const UNCOUNTED_MAX = BLOCK_COUNT;

/** In milliseconds; null while nothing was recorded, since 0 would claim a latency that nobody had. */
export interface LatencyMs {
  readonly samples: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** In microseconds; null while nothing was recorded. */
export interface StepUs {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/**
 * Durations in buckets. A percentile is the smallest duration that at least that share of samples does not exceed, told as the upper end of its bucket and held
 * to the exact maximum, so it never flatters. Durations lie within 0..1 h; longer ones count as one hour except in `maxUs`. Memory is 1 kB for each 128 buckets that
 * a sample fell into: at most 184 kB, and 1 kB for the newest samples.
 */
export interface DurationHistogram {
  readonly samples: number;
  record(duration: DurationUs): void;
  /** `ratio` within 0..1, exclusive of 0; null while nothing was recorded. */
  percentileUs(ratio: number): number | null;
  maxUs(): number | null;
}

export const createDurationHistogram = (): DurationHistogram => new BucketHistogram();

class BucketHistogram implements DurationHistogram {
  readonly #blocks: (Float64Array | undefined)[] = [];
  /** The buckets of the newest samples, one by one: of ten thousand streams most have few, and never need a block. */
  readonly #uncounted: number[] = [];
  #uncountedCount = 0;
  #samples = 0;
  #maxUs = 0;

  get samples(): number {
    return this.#samples;
  }

  record(duration: DurationUs): void {
    assert(duration >= 0, 'a recorded duration is a number and not negative');
    const whole = Math.round(duration);
    this.#samples += 1;
    if (whole > this.#maxUs) this.#maxUs = whole;
    const uncounted = this.#uncounted;
    const place = this.#uncountedCount;
    const bucket = bucketOf(Math.min(whole, DURATION_MAX_US));
    if (place < uncounted.length) uncounted[place] = bucket;
    else uncounted.push(bucket);
    this.#uncountedCount = place + 1;
    if (place + 1 === UNCOUNTED_MAX) this.#countAll();
  }

  percentileUs(ratio: number): number | null {
    if (this.#samples === 0) return null;
    // Rounded up to the nearest rank; the small number forgives 0.9 * 10 being a little more than 9.
    const rank = Math.max(1, Math.ceil(ratio * this.#samples - 1e-9));
    return Math.min(this.#maxUs, highestOf(this.#bucketAt(rank)));
  }

  maxUs(): number | null {
    return this.#samples === 0 ? null : this.#maxUs;
  }

  #countAll(): void {
    for (let place = 0; place < this.#uncountedCount; place += 1) this.#count(this.#uncounted[place] as number);
    this.#uncountedCount = 0;
  }

  #count(bucket: number): void {
    const block = this.#blocks[bucket >> BLOCK_BITS] ?? this.#openBlock(bucket >> BLOCK_BITS);
    const index = bucket & (BLOCK_COUNT - 1);
    block[index] = (block[index] as number) + 1;
  }

  #openBlock(place: number): Float64Array {
    while (this.#blocks.length < place) this.#blocks.push(undefined);
    const block = new Float64Array(BLOCK_COUNT);
    this.#blocks[place] = block;
    return block;
  }

  /** That holds the sample of this rank, 1 being the smallest. */
  #bucketAt(rank: number): number {
    if (this.#blocks.length === 0) return this.#uncounted.slice(0, this.#uncountedCount).sort((a, b) => a - b)[rank - 1] as number;
    this.#countAll();
    let left = rank;
    for (const [place, block] of this.#blocks.entries()) {
      if (block === undefined) continue;
      for (let index = 0; index < BLOCK_COUNT; index += 1) {
        left -= block[index] as number;
        if (left <= 0) return (place << BLOCK_BITS) + index;
      }
    }
    return bucketOf(this.#maxUs);
  }
}

/** Octave n has the durations with n + 11 binary digits, by their first eleven; those with fewer are octave 0, all of them exact. */
function bucketOf(whole: number): number {
  const octave = Math.max(0, 32 - Math.clz32(whole) - EXACT_BITS);
  return octave * OCTAVE_COUNT + (whole >>> octave);
}

/** The longest duration of a bucket. */
function highestOf(bucket: number): number {
  if (bucket < EXACT_COUNT) return bucket;
  const octave = Math.floor(bucket / OCTAVE_COUNT) - 1;
  return (bucket - octave * OCTAVE_COUNT + 1) * 2 ** octave - 1;
}

const msOrNull = (microseconds: number | null): number | null => (microseconds === null ? null : microseconds / 1000);

export const latencyMsOf = (histogram: DurationHistogram): LatencyMs => ({
  samples: histogram.samples,
  p50: msOrNull(histogram.percentileUs(0.5)),
  p90: msOrNull(histogram.percentileUs(0.9)),
  p99: msOrNull(histogram.percentileUs(0.99)),
  p999: msOrNull(histogram.percentileUs(0.999)),
  max: msOrNull(histogram.maxUs()),
});

export const stepUsOf = (histogram: DurationHistogram): StepUs => ({
  p50: histogram.percentileUs(0.5),
  p99: histogram.percentileUs(0.99),
  max: histogram.maxUs(),
});
