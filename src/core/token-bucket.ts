import { type DurationUs, elapsedUs, type InstantUs } from './units.ts';

/** `count` at once, and `count` more in each `perUs`. Credit is kept in microseconds times `count`, whole numbers, so that nothing is lost to rounding. */
export class TokenBucket {
  readonly #count: number;
  readonly #costs: number;
  #credit: number;
  #at: InstantUs | undefined;

  constructor({ count, perUs }: { readonly count: number; readonly perUs: DurationUs }) {
    this.#count = count;
    this.#costs = perUs;
    this.#credit = perUs * count;
  }

  /** Takes one token; false, and nothing taken, when there is none. */
  take(now: InstantUs): boolean {
    if (this.#at !== undefined) {
      const earned = Math.max(0, elapsedUs(this.#at, now)) * this.#count;
      this.#credit = Math.min(this.#costs * this.#count, this.#credit + earned);
    }
    this.#at = now;
    if (this.#credit < this.#costs) return false;
    this.#credit -= this.#costs;
    return true;
  }
}
