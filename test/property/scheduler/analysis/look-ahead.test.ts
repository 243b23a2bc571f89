import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { setCount } from './analysis-task.ts';
import { isClairvoyantInTime } from './clairvoyant.ts';
import { type PlayedTask, randomSet } from './played-schedule.ts';
import { runScheduler } from './scheduler-run.ts';

/** Loads up to five sixths; beyond, hardly any set can be in time without preemption. */
const spread = ({ cost, period, deadline }: PlayedTask): PlayedTask => {
  const longer = Math.ceil(1.2 * period);
  return { cost, period: longer, deadline: Math.min(longer, Math.ceil(1.2 * deadline)) };
};

describe('look-ahead on one core, beside background work that always waits', () => {
  it('loses no job of any set of one class that somebody who knows the future could serve', () => {
    const random = new Prng('look-ahead and clairvoyance');
    const count = setCount(250);
    let [possible, lostSets, impossible] = [0, 0, 0];
    for (let index = 0; index < count; index += 1) {
      const streams = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1 }).map(spread);
      const run = runScheduler(streams, random.integer(0, 20), random.fork(String(index)));
      const isLost = run.lost.some((jobs) => jobs > 0);
      if (!isClairvoyantInTime(streams, run.offsets)) {
        // What nobody can do, this does not do either: the two know the same rules.
        expect({ streams, offsets: run.offsets, isLost }).toMatchObject({ isLost: true });
        impossible += 1;
        continue;
      }
      possible += 1;
      if (isLost) lostSets += 1;
    }
    expect(possible).toBeGreaterThan(count / 2);
    expect(impossible).toBeGreaterThan(count / 10);
    // Sets with hardly any slack sometimes need more search than a decision has time for: 1 of 1 206 in a longer run.
    expect(lostSets).toBeLessThanOrEqual(count / 400);
  });

  it('loses no safety job that could be served if there were no other class', () => {
    const random = new Prng('look-ahead and classes');
    let [possible, lostSets] = [0, 0];
    for (let index = 0; index < setCount(150); index += 1) {
      const streams = randomSet(random, { tasksMax: 5, deadlineRatioMax: 1 }).map((task) => ({
        ...spread(task),
        rank: random.integer(0, 1),
      }));
      const run = runScheduler(streams, random.integer(0, 20), random.fork(String(index)));
      const isSafety = streams.map(({ rank }) => rank === 0);
      const safety = streams.filter((_, place) => isSafety[place]);
      if (
        safety.length === 0 ||
        !isClairvoyantInTime(
          safety,
          run.offsets.filter((_, place) => isSafety[place]),
        )
      )
        continue;
      possible += 1;
      if (run.lost.some((jobs, place) => jobs > 0 && isSafety[place])) lostSets += 1;
    }
    expect(possible).toBeGreaterThan(setCount(80));
    // As above: the search of a decision has its bound.
    expect(lostSets).toBeLessThanOrEqual(setCount(150) / 400);
  });

  it('holds one job for another that is held itself: nothing is lost of a set that needs it', () => {
    const streams: PlayedTask[] = [
      { cost: 1, period: 45, deadline: 30 },
      { cost: 3, period: 12, deadline: 6 },
      { cost: 6, period: 45, deadline: 29 },
    ];
    const random = new Prng('held for the held');
    for (let index = 0; index < 20; index += 1) {
      const run = runScheduler(streams, 9, random.fork(String(index)));
      expect({ offsets: run.offsets, lost: run.lost }).toMatchObject({ lost: [0, 0, 0] });
    }
  });

  it('protects a stream whose deadline leaves no room for a margin, so that it runs and is measured', () => {
    const streams: PlayedTask[] = [
      { cost: 4, period: 6, deadline: 5 },
      { cost: 2, period: 36, deadline: 24 },
    ];
    const random = new Prng('no room for a margin');
    for (let index = 0; index < 10; index += 1) {
      const run = runScheduler(streams, 6, random.fork(String(index)));
      expect({ offsets: run.offsets, lost: run.lost }).toMatchObject({ lost: [0, 0] });
    }
  });
});
