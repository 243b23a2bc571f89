import type { Clock, Timer } from './clock.ts';
import { type InstantUs, instantUs } from './units.ts';

const nowUs = (): InstantUs => instantUs(Number(process.hrtime.bigint() / 1000n));

/** The longest delay setTimeout takes; longer ones are reached in steps. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/**
 * The machine's clock, and the only reader of it. `now` is CLOCK_MONOTONIC, which is the same axis in every process of this machine, so instants may
 * be compared between the runtime and its core processes.
 */
export function createSystemClock(): Clock {
  return {
    now: nowUs,
    wallMs: () => Date.now(),
    at(instant, task): Timer {
      let handle: NodeJS.Timeout;
      const arm = (): void => {
        // Node's timers count whole milliseconds from the loop's cached time and may fire early; rounding up and checking again keeps the promise "never before".
        const delayMs = Math.min(TIMEOUT_MAX_MS, Math.max(1, Math.ceil((instant - nowUs()) / 1000)));
        handle = setTimeout(() => (nowUs() >= instant ? task() : arm()), delayMs);
      };
      arm();
      return { cancel: () => clearTimeout(handle) };
    },
  };
}
