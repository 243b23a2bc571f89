import type { SimClock } from '../core/sim-clock.ts';
import type { InstantUs } from '../core/units.ts';

/** Tasks in one stretch: some milliseconds. */
const STRETCH = 8_192;

/** Plays up to and including `end`. Between two stretches of tasks it calls `pause`, which may take real time, and stops early when that resolves to true. */
export async function playUntil(clock: SimClock, end: InstantUs, pause: () => Promise<boolean>): Promise<void> {
  let count = 0;
  for (let next = clock.nextAt(); next !== undefined && next <= end; next = clock.nextAt()) {
    clock.step();
    count += 1;
    if (count % STRETCH === 0 && (await pause())) return;
  }
  clock.runUntil(end);
}
