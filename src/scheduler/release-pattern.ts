import type { DurationUs, InstantUs } from '../core/units.ts';
import { SlidingWindow } from './sliding-window.ts';

/** Two seconds of an 8 fps camera: long enough for a median, short enough to follow a source that changes its rate. */
const WINDOW = 15;
/** A source is believed to have stopped after three releases that did not come (faults.md S1: stale after three periods). */
const RELEASES_MISSED_MAX = 3;
/**
 * How much later than the latest of the last arrivals a release may come before it counts as missed: timers of a loaded machine are a millisecond or two
 * late, and fifteen samples rarely hold the worst lag. Generous, since a hold ends when the job arrives; only a source that stalls makes it wait this long.
 */
const MARGIN_US = 4_000;

/**
 * When the next job of a periodic stream is to be expected, learnt from the captures and arrivals seen: captures come at the median of the last
 * intervals, give or take their spread; arrivals lag behind captures by the time that preparing the frame takes.
 */
export class ReleasePattern {
  readonly #periodUs: number;
  readonly #intervals = new SlidingWindow(WINDOW);
  readonly #lags = new SlidingWindow(WINDOW);
  #lastCapturedAt = Number.NEGATIVE_INFINITY;
  #spreadUs = 0;
  #lagUs = 0;
  #lagHighUs = 0;
  /** Late arrival, and when it counts as missed, as far as is known since the last capture; like those below. */
  #arrivalLateFrom = Number.POSITIVE_INFINITY;
  #arrivalFromBy = Number.NEGATIVE_INFINITY;

  /** From one capture to the next. */
  intervalUs: number;
  /** The earliest that the next capture can be, as far as is known since the last one, and the likely arrival of its job; infinite before the first. */
  captureFrom = Number.POSITIVE_INFINITY;
  arrivalFrom = Number.POSITIVE_INFINITY;

  /** Of the next job, set by `predict`: the earliest capture, the likely arrival, a late arrival as seen before, and when it counts as missed. */
  captureAt = 0;
  arrivalAt = 0;
  arrivalLateAt = 0;
  arrivalBy = 0;

  constructor(periodUs: DurationUs) {
    this.#periodUs = periodUs;
    this.intervalUs = periodUs;
  }

  /** Several jobs may come of one capture, and a late one of an older capture; only a newer capture is a release. */
  observe(capturedAt: InstantUs, arrivedAt: InstantUs): void {
    if (capturedAt <= this.#lastCapturedAt || this.#periodUs === 0) return;
    const intervalUs = capturedAt - this.#lastCapturedAt;
    this.#lastCapturedAt = capturedAt;
    if (intervalUs !== Number.POSITIVE_INFINITY) this.#learnInterval(intervalUs);
    const lags = this.#lags;
    if (lags.push(Math.max(0, arrivedAt - capturedAt))) {
      this.#lagUs = lags.median();
      this.#lagHighUs = lags.largest(0);
    }
    const expectedAt = capturedAt + this.intervalUs;
    this.captureFrom = expectedAt - this.#spreadUs;
    this.arrivalFrom = expectedAt + this.#lagUs;
    this.#arrivalLateFrom = expectedAt + this.#lagHighUs;
    this.#arrivalFromBy = expectedAt + (this.#spreadUs + this.#lagHighUs + MARGIN_US);
  }

  /** False when no next job is to be expected: none came yet, or the source has stopped. */
  predict(now: InstantUs): boolean {
    if (now >= this.#arrivalFromBy) return this.#predictAfterMissed(now);
    this.captureAt = this.captureFrom;
    this.arrivalAt = Math.max(now, this.arrivalFrom);
    this.arrivalLateAt = Math.max(now, this.#arrivalLateFrom);
    this.arrivalBy = this.#arrivalFromBy;
    return true;
  }

  #predictAfterMissed(now: InstantUs): boolean {
    const last = this.#lastCapturedAt;
    if (last === Number.NEGATIVE_INFINITY) return false;
    const { intervalUs } = this;
    const missed = Math.floor((now - this.#arrivalFromBy) / intervalUs) + 1;
    if (missed > RELEASES_MISSED_MAX) return false;
    const expectedAt = last + (missed + 1) * intervalUs;
    this.captureAt = expectedAt - this.#spreadUs;
    this.arrivalAt = Math.max(now, expectedAt + this.#lagUs);
    this.arrivalLateAt = Math.max(now, expectedAt + this.#lagHighUs);
    this.arrivalBy = expectedAt + (this.#spreadUs + this.#lagHighUs + MARGIN_US);
    return true;
  }

  /** The median is kept within half and four times the configured period, and the spread under a quarter of it, whatever a broken source does. */
  #learnInterval(intervalUs: number): void {
    const intervals = this.#intervals;
    const periodUs = this.#periodUs;
    if (!intervals.push(intervalUs) || intervals.count < 3) return;
    this.intervalUs = Math.min(Math.max(intervals.median(), periodUs / 2), periodUs * 4);
    // Three quartile deviations are two standard deviations of normal jitter.
    this.#spreadUs = Math.min(3 * intervals.quartileDeviation(), periodUs / 4);
  }
}
