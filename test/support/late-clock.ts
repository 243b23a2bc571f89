import type { Clock, Timer } from '../../src/core/clock.ts';
import type { SimClock } from '../../src/core/sim-clock.ts';
import { instantUs } from '../../src/core/units.ts';

/** A clock whose tasks come `lateUs()` after they are due, asked when they are set, as behind a blocked event loop. */
export function createLateClock(sim: SimClock, lateUs: () => number): Clock {
  return {
    now: () => sim.now(),
    wallMs: () => sim.wallMs(),
    at: (instant, task): Timer => sim.at(instantUs(instant + lateUs()), task),
  };
}
