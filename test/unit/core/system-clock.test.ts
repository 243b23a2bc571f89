import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { addUs, durationUs } from '../../../src/core/units.ts';

describe('the system clock', () => {
  it('never fires early, not even by part of a millisecond', async () => {
    const clock = createSystemClock();
    const earlyBy = await Promise.all(
      [300, 700, 1_500, 2_300].map(
        (delay) =>
          new Promise<number>((resolve) => {
            const due = addUs(clock.now(), durationUs(delay));
            clock.at(due, () => resolve(due - clock.now()));
          }),
      ),
    );
    for (const early of earlyBy) expect(early).toBeLessThanOrEqual(0);
  });

  it('never calls a cancelled task', async () => {
    const clock = createSystemClock();
    let hasRun = false;
    const timer = clock.at(clock.now(), () => {
      hasRun = true;
    });
    timer.cancel();
    await new Promise<void>((resolve) => {
      clock.at(addUs(clock.now(), durationUs(3_000)), resolve);
    });
    expect(hasRun).toBe(false);
  });
});
