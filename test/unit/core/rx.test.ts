import { interval, throttleTime, timeout, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { rxScheduler } from '../../../src/core/rx.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs } from '../../../src/core/units.ts';

describe('rxScheduler', () => {
  it('drives interval from the clock, exactly', () => {
    const clock = new SimClock();
    const seen: number[] = [];
    const subscription = interval(10, rxScheduler(clock)).subscribe(() => seen.push(clock.now()));
    clock.runFor(durationUs(35_000));
    subscription.unsubscribe();
    clock.runFor(durationUs(100_000));
    expect(seen).toEqual([10_000, 20_000, 30_000]);
  });

  it('drives throttleTime and timeout', () => {
    const clock = new SimClock();
    const kept: number[] = [];
    let timedOutAt = -1;
    interval(4, rxScheduler(clock))
      .pipe(throttleTime(10, rxScheduler(clock)))
      .subscribe((value) => kept.push(value));
    timer(1_000, rxScheduler(clock))
      .pipe(timeout({ each: 20, scheduler: rxScheduler(clock) }))
      .subscribe({
        error: () => {
          timedOutAt = clock.now();
        },
      });
    clock.runFor(durationUs(40_000));
    expect(kept).toEqual([0, 3, 6, 9]);
    expect(timedOutAt).toBe(20_000);
  });
});
