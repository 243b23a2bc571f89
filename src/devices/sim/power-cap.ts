import { HEAT_STEP_US } from './thermal.ts';

/** What the chip may draw beyond its mode's power for a moment, as a time at that power: supplies and heat sinks do not notice less. */
export const BURST_US = 100_000;

/** The clock is left alone while this part of the burst is there. */
export const FREE_RATIO = 0.5;

/** Steps of the clock, as of a divider; the lowest is what is left when nothing more helps. */
const CLOCK_STEPS = 64;

/**
 * Holds a chip to the power of its mode by its clock, as power limits of real chips do: over a time, not at every instant. A bucket of energy fills at the mode's
 * power up to a burst and is emptied by what the chip takes; from half empty on the clock is lowered in proportion to what is left. So in any
 * time t the chip takes at most `capW x (t + BURST_US)` and what one step takes, as long as the lowest clock takes less than the cap.
 */
export class PowerCap {
  /** Of the mode's clock, 1/64 to 1. */
  clockRatio = 1;
  readonly #capW: number;
  readonly #burstJoules: number;
  #joules: number;

  constructor(capW: number) {
    this.#capW = capW;
    this.#burstJoules = (capW * BURST_US) / 1e6;
    this.#joules = this.#burstJoules;
  }

  /** One step of HEAT_STEP_US at this power; true when the clock changed. */
  step(watts: number): boolean {
    this.#joules = Math.min(this.#burstJoules, this.#joules + ((this.#capW - watts) * HEAT_STEP_US) / 1e6);
    const wanted = Math.min(1, this.#joules / (this.#burstJoules * FREE_RATIO));
    const before = this.clockRatio;
    this.clockRatio = Math.max(1, Math.floor(wanted * CLOCK_STEPS)) / CLOCK_STEPS;
    return this.clockRatio !== before;
  }
}
