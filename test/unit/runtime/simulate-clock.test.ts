import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { instantUs } from '../../../src/core/units.ts';
import { playUntil } from '../../../src/runtime/simulate-clock.ts';

const end = instantUs(100);
const goOn = (): Promise<boolean> => Promise.resolve(false);

describe('playUntil', () => {
  it('runs nothing while something stands before the next task', async () => {
    const clock = new SimClock();
    const told: string[] = [];
    clock.at(instantUs(10), () => told.push('first'));
    clock.at(instantUs(20), () => told.push('second'));
    let isStanding = true;
    await playUntil(clock, end, goOn, (next) => {
      if (next < 20 || !isStanding) return undefined;
      isStanding = false;
      told.push(`waits at ${clock.now()}`);
      return Promise.resolve();
    });
    expect(told).toEqual(['first', 'waits at 10', 'second']);
    expect(clock.now()).toBe(end);
  });

  it('comes to its end when nothing is left to do after a wait', async () => {
    const clock = new SimClock();
    const timer = clock.at(instantUs(10), () => expect.unreachable('it was cancelled meanwhile'));
    await playUntil(clock, end, goOn, () => Promise.resolve().then(() => timer.cancel()));
    expect(clock.now()).toBe(end);
  });

  it('stops early when that is wished', async () => {
    const clock = new SimClock();
    const tick = (): void => void clock.at(instantUs(clock.now() + 1), tick);
    tick();
    let pauses = 0;
    await playUntil(clock, instantUs(1e9), () => {
      pauses += 1;
      return Promise.resolve(pauses === 3);
    });
    expect(clock.now()).toBeLessThan(1e6);
  });
});
