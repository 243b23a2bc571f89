import { assert } from '../core/assert.ts';
import type { DurationUs } from '../core/units.ts';

/** Longer durations count as this long; an hour is far beyond any deadline. */
const DURATION_MAX_US = 3_600_000_000;

/**
 * Durations below 2048 us have a counter each; every octave above (2048 to 4095, 4096 to 8191, ...) is cut into 1024 equal buckets. So a percentile is at most
 * 0.1 % above the true value. This is the layout of HdrHistogram (Gil Tene) with three figures.
 */
const EXACT_BITS = 11;
const EXACT_COUNT = 2 ** EXACT_BITS;
const OCTAVE_COUNT = EXACT_COUNT / 2;

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
 * to the exact maximum, so it never flatters. Durations lie within 0..1 h; longer ones count as one hour except in `maxUs`. Memory is 16 kB, and 8 kB more for
 * each octave above 2 ms that a sample fell into: at most 184 kB.
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
  readonly #exact = new Float64Array(EXACT_COUNT);
  readonly #octaves: (Float64Array | undefined)[] = [];
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
    if (whole < EXACT_COUNT) this.#exact[whole] = (this.#exact[whole] as number) + 1;
    else this.#recordLong(Math.min(whole, DURATION_MAX_US));
  }

  percentileUs(ratio: number): number | null {
    if (this.#samples === 0) return null;
    // Rounded up to the nearest rank; the small number forgives 0.9 * 10 being a little more than 9.
    const rank = Math.max(1, Math.ceil(ratio * this.#samples - 1e-9));
    return Math.min(this.#maxUs, this.#highestOf(rank));
  }

  maxUs(): number | null {
    return this.#samples === 0 ? null : this.#maxUs;
  }

  /** Octave n has the durations with n + 12 binary digits, by their first eleven. */
  #recordLong(whole: number): void {
    const octave = 31 - Math.clz32(whole) - EXACT_BITS;
    const buckets = this.#octaves[octave] ?? this.#openOctave(octave);
    const index = (whole >>> (octave + 1)) - OCTAVE_COUNT;
    buckets[index] = (buckets[index] as number) + 1;
  }

  #openOctave(octave: number): Float64Array {
    while (this.#octaves.length < octave) this.#octaves.push(undefined);
    const buckets = new Float64Array(OCTAVE_COUNT);
    this.#octaves[octave] = buckets;
    return buckets;
  }

  /** The upper end of the bucket that holds the sample of this rank, 1 being the smallest. */
  #highestOf(rank: number): number {
    let left = rank;
    for (let index = 0; index < EXACT_COUNT; index += 1) {
      left -= this.#exact[index] as number;
      if (left <= 0) return index;
    }
    for (const [octave, buckets] of this.#octaves.entries()) {
      if (buckets === undefined) continue;
      for (let index = 0; index < OCTAVE_COUNT; index += 1) {
        left -= buckets[index] as number;
        if (left <= 0) return (OCTAVE_COUNT + index + 1) * 2 ** (octave + 1) - 1;
      }
    }
    return DURATION_MAX_US;
  }
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
