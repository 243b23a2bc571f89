import { type DurationUs, durationUs, type InstantUs, instantUs } from '../core/units.ts';

const SLOT_US = durationUs(100_000);
const SLOT_COUNT = 10;

/**
 * How much of the last second something was busy. Time is cut into slots of 100 ms; the figure covers the ten slots before the current one and the part of
 * the current one that has passed, so it reaches back 1.0 to 1.1 s, or to the start where that is later. Constant memory.
 */
export class BusyWindow {
  readonly #startedAt: InstantUs;
  readonly #slotsUs = new Float64Array(SLOT_COUNT + 1);
  #at: InstantUs;
  #isBusy = false;
  #busyUs = 0;
  /** Of the slot that the last instant lies in; none yet. */
  #slotIndex = 0;
  #slotEndsAt = Number.NEGATIVE_INFINITY;

  constructor(startedAt: InstantUs) {
    this.#startedAt = startedAt;
    this.#at = startedAt;
  }

  /** Instants must not go back; a smaller one counts as the last one. */
  set(isBusy: boolean, at: InstantUs): void {
    this.#advance(at);
    this.#isBusy = isBusy;
  }

  /** Share of time since the start, 0..1; 0 when no time has passed. */
  totalRatio(at: InstantUs): number {
    this.#advance(at);
    return ratio(this.#busyUs, this.#at - this.#startedAt);
  }

  /** Share of the last second, 0..1; 0 when no time has passed. */
  recentRatio(at: InstantUs): number {
    this.#advance(at);
    const windowStart = Math.max(this.#startedAt, (this.#slot(this.#at) - SLOT_COUNT) * SLOT_US);
    const busyUs = this.#slotsUs.reduce((sum, slot) => sum + slot, 0);
    return ratio(busyUs, this.#at - windowStart);
  }

  #slot(at: InstantUs): number {
    return Math.floor(at / SLOT_US);
  }

  #advance(to: InstantUs): void {
    if (to <= this.#at) return;
    if (this.#isBusy) this.#busyUs += to - this.#at;
    if (to < this.#slotEndsAt) {
      // Within the slot of the last call, whose counter is in use already: nine calls of ten on a core that runs segments of some milliseconds.
      const index = this.#slotIndex;
      if (this.#isBusy) this.#slotsUs[index] = (this.#slotsUs[index] as number) + (to - this.#at);
      this.#at = to;
      return;
    }
    // Slots that lie wholly before the window need no visit.
    const firstKept = this.#slot(to) - SLOT_COUNT;
    if (this.#slot(this.#at) < firstKept) {
      this.#slotsUs.fill(0);
      this.#at = instantUs(firstKept * SLOT_US);
    }
    for (let slot = this.#slot(this.#at); slot <= this.#slot(to); slot += 1) {
      const from = Math.max(this.#at, slot * SLOT_US);
      const until = Math.min(to, (slot + 1) * SLOT_US);
      const index = slot % this.#slotsUs.length;
      if (from === slot * SLOT_US) this.#slotsUs[index] = 0;
      if (this.#isBusy) this.#slotsUs[index] = (this.#slotsUs[index] ?? 0) + (until - from);
    }
    this.#at = to;
    const slot = this.#slot(to);
    this.#slotIndex = slot % this.#slotsUs.length;
    this.#slotEndsAt = (slot + 1) * SLOT_US;
  }
}

const ratio = (part: number, whole: DurationUs | number): number => (whole <= 0 ? 0 : Math.min(1, part / whole));
