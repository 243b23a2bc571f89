import type { SimClock } from '../core/sim-clock.ts';
import type { InstantUs } from '../core/units.ts';

/** Tasks in one stretch: some milliseconds. */
const STRETCH = 8_192;

/** Asked before each task, again and again until it gives no promise: virtual time waits for that, and who plays rejects as it does. */
export type Standing = (next: InstantUs) => Promise<void> | undefined;

/**
 * Plays up to and including `end`. Between two stretches of tasks, and after each wait, it calls `pause`, which may take real time, and stops early when that resolves
 * to true.
 */
export async function playUntil(clock: SimClock, end: InstantUs, pause: () => Promise<boolean>, before?: Standing): Promise<void> {
  let standing: Promise<void> | undefined;
  const mayRun =
    before === undefined
      ? undefined
      : (next: InstantUs): boolean => {
          standing = before(next);
          return standing === undefined;
        };
  for (;;) {
    const count = clock.play(end, STRETCH, mayRun);
    if (standing === undefined && count < STRETCH) break;
    await standing;
    standing = undefined;
    if (await pause()) return;
  }
  clock.runUntil(end);
}

/** Plays on while `isOn`, up to and including `end`. */
export async function playWhile(clock: SimClock, isOn: () => boolean, end: InstantUs, before?: Standing): Promise<void> {
  for (let next = clock.nextAt(); isOn() && next !== undefined && next <= end; next = clock.nextAt()) {
    const standing = before?.(next);
    if (standing === undefined) clock.step();
    else await standing;
  }
}
