import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { boundCore } from '../../../../src/scheduler/analysis/core-bound.ts';
import { isInTimeByHolds } from '../../../../src/scheduler/analysis/hold-bound.ts';
import { classTask, plenty, setCount } from './analysis-task.ts';
import { isClairvoyantInTime } from './clairvoyant.ts';
import { type PlayedTask, randomSet } from './played-schedule.ts';

const taskOf = ([cost = 1, period = 1, deadline = period, rank = 0]: readonly number[]): PlayedTask => ({ cost, period, deadline, rank });
const isProven = (rows: readonly (readonly number[])[]): boolean => isInTimeByHolds(rows.map(taskOf).map(classTask), plenty());

describe('isInTimeByHolds', () => {
  it('promises nothing that somebody clairvoyant could not keep, in any phase', () => {
    const random = new Prng('holds and clairvoyance');
    const seen = { proven: 0, newlyProven: 0 };
    for (let index = 0; index < setCount(500); index += 1) {
      const played = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1 }).map(({ cost, period, deadline }) => ({
        cost,
        period: Math.ceil(1.5 * period),
        deadline: Math.min(Math.ceil(1.5 * period), Math.ceil(1.5 * deadline)),
      }));
      const tasks = played.map(classTask);
      if (!isInTimeByHolds(tasks, plenty())) continue;
      seen.proven += 1;
      // With background runs of any length; without, plain EDF often does.
      const rest = [{ id: 'rest', segment: 1_000 }];
      const { streams } = boundCore({ guaranteed: tasks, guests: [], rest, doesLookAhead: true }, plenty());
      const isNew = streams.some(({ tolerates = 0 }, place) => tasks.some((other, at) => at !== place && other.segment > tolerates));
      if (isNew) seen.newlyProven += 1;
      for (let phase = 0; phase < 4; phase += 1) {
        const offsets = played.map(({ period }) => random.integer(0, period - 1));
        expect({ played, offsets, isPossible: isClairvoyantInTime(played, offsets) }).toMatchObject({ isPossible: true });
      }
    }
    expect(Math.min(seen.proven, seen.newlyProven)).toBeGreaterThan(30);
  });

  it('proves what needs one run held for another', () => {
    expect(
      isProven([
        [1, 45, 30],
        [3, 12, 6],
        [6, 45, 29],
      ]),
    ).toBe(true);
    const beside = (cost: number): boolean =>
      isProven([
        [3, 12, 6],
        [cost, 45, 29],
      ]);
    expect([8, 9].map(beside)).toEqual([true, false]);
    // Between two runs of the 3 there are never more than 12.
    expect(
      isProven([
        [3, 12, 6],
        [13, 450, 450],
      ]),
    ).toBe(false);
  });

  it('proves nothing of an overload, of unsteady or cut frames, of bursts, nor of more streams than look-ahead looks at', () => {
    expect(
      isProven([
        [3, 5],
        [3, 5],
      ]),
    ).toBe(false);
    const task = classTask(taskOf([1, 100]), 0);
    expect(isInTimeByHolds([task], plenty())).toBe(true);
    expect(isInTimeByHolds([{ ...task, jitter: 1 }], plenty())).toBe(false);
    expect(isInTimeByHolds([{ ...task, cost: 2 }], plenty())).toBe(false);
    expect(
      isInTimeByHolds(
        Array.from({ length: 16 }, () => task),
        plenty(),
      ),
    ).toBe(true);
    expect(
      isInTimeByHolds(
        Array.from({ length: 17 }, () => task),
        plenty(),
      ),
    ).toBe(false);
  });

  it('reckons with releases that come earlier than told', () => {
    const tasks = [
      [1, 45, 30],
      [3, 12, 6],
      [6, 45, 29],
    ]
      .map(taskOf)
      .map(classTask);
    expect(
      isInTimeByHolds(
        tasks.map((task) => ({ ...task, early: 1 })),
        plenty(),
      ),
    ).toBe(true);
    expect(
      isInTimeByHolds(
        tasks.map((task) => ({ ...task, early: 5 })),
        plenty(),
      ),
    ).toBe(false);
  });
});
