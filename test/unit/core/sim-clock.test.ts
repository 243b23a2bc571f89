import { describe, expect, it } from 'vitest';
import { after, sleep } from '../../../src/core/clock.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';

describe('SimClock', () => {
  it('runs tasks in order of time and, at one instant, in the order asked for', () => {
    const clock = new SimClock();
    const seen: string[] = [];
    clock.at(instantUs(20), () => seen.push('b1'));
    clock.at(instantUs(10), () => seen.push('a'));
    clock.at(instantUs(20), () => seen.push('b2'));
    clock.runUntil(instantUs(20));
    expect(seen).toEqual(['a', 'b1', 'b2']);
    expect(clock.now()).toBe(20);
  });

  it('stands at the instant of the running task and at the end afterwards', () => {
    const clock = new SimClock();
    let seenAt = -1;
    clock.at(instantUs(7), () => {
      seenAt = clock.now();
    });
    clock.runFor(durationUs(100));
    expect(seenAt).toBe(7);
    expect(clock.now()).toBe(100);
  });

  it('runs a task for a past instant next, never inside the call that asked', () => {
    const clock = new SimClock(instantUs(50));
    let hasRun = false;
    clock.at(instantUs(10), () => {
      hasRun = true;
    });
    expect(hasRun).toBe(false);
    expect(clock.step()).toBe(true);
    expect(hasRun).toBe(true);
    expect(clock.now()).toBe(50);
  });

  it('skips cancelled tasks and reports the next live one', () => {
    const clock = new SimClock();
    const first = clock.at(instantUs(1), () => expect.unreachable());
    clock.at(instantUs(2), () => undefined);
    first.cancel();
    expect(clock.nextAt()).toBe(2);
    clock.runUntil(instantUs(5));
    expect(clock.nextAt()).toBeUndefined();
    expect(clock.step()).toBe(false);
  });

  it('carries awaiting code through virtual time', async () => {
    const clock = new SimClock();
    const seen: number[] = [];
    const walk = async (): Promise<void> => {
      for (let step = 0; step < 3; step += 1) {
        await sleep(clock, durationUs(10));
        seen.push(clock.now());
      }
    };
    const walking = walk();
    await clock.settleUntil(instantUs(100));
    await walking;
    expect(seen).toEqual([10, 20, 30]);
  });

  it('plays on until a promise is settled, and stands where it was', async () => {
    const clock = new SimClock();
    clock.at(instantUs(30), () => expect.unreachable());
    const walk = async (): Promise<string> => {
      await sleep(clock, durationUs(10));
      await sleep(clock, durationUs(10));
      return 'there';
    };
    expect(await clock.settle(walk(), instantUs(100))).toBe('there');
    expect(clock.now()).toBe(20);
    await expect(clock.settle(Promise.reject(new Error('lost')), instantUs(100))).rejects.toThrow('lost');
    expect(clock.now()).toBe(20);
  });

  it('waits before each task for what holds up time, and fails as that does', async () => {
    const clock = new SimClock();
    const seen: string[] = [];
    let isHeld = true;
    const held = async (): Promise<void> => {
      seen.push(`held at ${clock.now()}`);
      isHeld = false;
    };
    const before = (next: number): Promise<void> | undefined => (next === 20 && isHeld ? held() : undefined);
    for (const at of [10, 20, 30]) clock.at(instantUs(at), () => seen.push(`ran at ${at}`));
    await clock.settle(sleep(clock, durationUs(25)), instantUs(100), before);
    expect(seen).toEqual(['ran at 10', 'held at 10', 'ran at 20']);
    const lost = (): Promise<void> => Promise.reject(new Error('lost'));
    await expect(clock.settle(sleep(clock, durationUs(25)), instantUs(100), lost)).rejects.toThrow('lost');
  });

  it('labels with wall time that runs along', () => {
    const clock = new SimClock(instantUs(0), 1_000);
    after(clock, durationUs(2_000), () => undefined);
    clock.step();
    expect(clock.wallMs()).toBe(1_002);
  });

  it('refuses an instant that is not a number', () => {
    expect(() => new SimClock().at(instantUs(Number.NaN), () => undefined)).toThrow(/finite/);
  });
});
