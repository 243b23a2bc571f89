import { type DurationUs, durationUs } from '../core/units.ts';
import { SlidingWindow } from './sliding-window.ts';

/** About the last eight runs count: NanoDet adapts within a second, and one outlier moves the estimate by at most an eighth. */
const WEIGHT = 1 / 8;
/** A sample counts as at most twice the estimate: one stall of a second cannot make every job of a 60 ms model look infeasible. */
const SURPRISE_MAX = 2;
/** With 64 samples, the second largest is the 97th percentile by nearest rank, and a single outlier is ignored. */
const WINDOW = 64;
/** Below this many samples the manifest still has a say in the high quantile. */
const SAMPLES_TRUSTED = 8;
/** Measured runs of the sample models on a shared machine stay within 1.25 times their median, NanoDet at the 97th percentile. */
const SEED_MARGIN = 1.25;
const DOUBT = 0.9;

/**
 * What one run takes, learnt online: an exponentially weighted mean of samples clipped at twice the mean (for feasibility, where being wrong upwards
 * drops good jobs), and a high quantile over a sliding window (for look-ahead and timeouts, where being wrong downwards hurts others).
 */
export class CostEstimate {
  readonly #seedUs: number;
  #seedHighUs: number;
  readonly #window = new SlidingWindow(WINDOW);
  #samples = 0;
  /** The largest of the window but one. */
  #secondUs = 0;
  #meanUs: number;
  #highUs: number;

  /**
   * @param seedUs what to believe until measured
   * @param seedHighUs what to believe that it rarely exceeds
   */
  constructor(seedUs: number, seedHighUs: number = seedUs * SEED_MARGIN) {
    this.#seedUs = seedUs;
    this.#seedHighUs = seedHighUs;
    this.#meanUs = seedUs;
    this.#highUs = seedHighUs;
  }

  get typicalUs(): DurationUs {
    return durationUs(this.#meanUs);
  }

  get highUs(): DurationUs {
    return durationUs(this.#highUs);
  }

  observe(sampleUs: DurationUs): void {
    const window = this.#window;
    const isOther = window.push(sampleUs);
    this.#samples += 1;
    // The seed weighs as one sample, so a manifest from another machine is forgotten within a few runs; until it is, a low seed must not clip the truth.
    if (this.#samples < SAMPLES_TRUSTED) {
      this.#meanUs += (1 / (this.#samples + 1)) * (sampleUs - this.#meanUs);
      this.#highUs = Math.max(this.#seedHighUs, window.largest(0));
      return;
    }
    this.#meanUs += WEIGHT * (Math.min(sampleUs, this.#meanUs * SURPRISE_MAX) - this.#meanUs);
    if (isOther) this.#secondUs = window.largest(1);
    this.#highUs = Math.max(this.#meanUs, this.#secondUs);
  }

  /** From now on the seed is believed as it is, without a margin, until enough is measured. */
  trustSeed(): void {
    this.#seedHighUs = Math.min(this.#seedUs, this.#seedHighUs);
    if (this.#samples < SAMPLES_TRUSTED)
      this.#highUs = this.#samples === 0 ? this.#seedHighUs : Math.max(this.#seedHighUs, this.#window.largest(0));
  }

  /**
   * Called when a job was given up although nothing but this estimate stood against it. Without it an estimate that is too high would never be
   * corrected, since nothing would run; the high quantile stays, since a probe must not hurt others.
   */
  doubt(): void {
    this.#meanUs *= DOUBT;
  }
}
