import type { DurationUs, InstantUs } from './units.ts';

/** A pending call of a Clock; cancelling one that has run or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a port of three functions. Deadlines, timeouts and order come from `now`; `wallMs` is a label for people and never enters a decision.
 */
export interface Clock {
  /** Monotonic, microseconds; unaffected by steps of the wall clock. */
  now(): InstantUs;
  /** Milliseconds since 1970-01-01 UTC, as the machine believes. May jump either way. */
  wallMs(): number;
  /** Calls `task` once at `instant` or as soon after as the clock can, never before, and never inside this call even when `instant` has passed. */
  at(instant: InstantUs, task: () => void): Timer;
}

/** Calls `task` once, `delay` from now. */
export function after(clock: Clock, delay: DurationUs, task: () => void): Timer {
  return clock.at((clock.now() + delay) as InstantUs, task);
}

/** Resolves `delay` from now; the one way to wait. */
export function sleep(clock: Clock, delay: DurationUs): Promise<void> {
  return new Promise((resolve) => {
    after(clock, delay, resolve);
  });
}
