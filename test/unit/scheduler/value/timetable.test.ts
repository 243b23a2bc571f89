import { describe, expect, it } from 'vitest';
import type { Outlook, Prospect, Task } from '../../../../src/scheduler/value/outlook.ts';
import { Timetable } from '../../../../src/scheduler/value/timetable.ts';

interface Given {
  /** By core; Infinity where it cannot run. */
  readonly cost: number | readonly number[];
  readonly arrives?: number;
  readonly due: number;
  readonly urgent?: number;
  readonly before?: number;
  /** From one border to the next. */
  readonly border?: number;
  readonly price?: number;
  readonly runsOn?: number;
  readonly toBorder?: number;
}

/** Each task of a stream of its own, in microseconds from now, which is 0. */
function outlook(cores: number, given: readonly Given[]): Outlook {
  const prospects = given.map(({ price = 0 }) => ({ switchUs: price, tailUs: 0 }) as Prospect);
  const tasks = given.map((row, place): Task => {
    const { cost, arrives = 0, due, urgent = due, before = -1, border = Number.POSITIVE_INFINITY, runsOn = -1, toBorder = 0 } = row;
    const restUs = Float64Array.from({ length: cores }, (_, core) => (typeof cost === 'number' ? cost : (cost[core] ?? 0)));
    return {
      place,
      job: undefined,
      arrivesAt: arrives,
      dueAt: due,
      urgentAt: urgent,
      before,
      restUs,
      core: runsOn,
      borderUs: border,
      toBorderUs: toBorder,
    };
  });
  const list = Array.from({ length: cores });
  return { now: 0, endsAt: 1_000, cores: list as never, freeAt: list.map(() => 0), prospects, tasks, drop: 'expired' };
}

const WORK_MAX = 100_000;
const LATE = Number.POSITIVE_INFINITY;

function timetable(cores: number, given: readonly Given[], workMax = WORK_MAX) {
  const made = new Timetable(outlook(cores, given), workMax);
  made.clear();
  const take = (task: number, core = 0, by = given[task]?.due ?? 0): boolean => made.take(task, core, by);
  const ends = (): number[] => {
    made.settle();
    return given.map((_, task) => (made.coreOf(task) < 0 ? -1 : Math.round(made.endsAt(task) * 1e3) / 1e3));
  };
  return { made, take, ends };
}

describe('a timetable', () => {
  it('takes in what is in time and leaves out what would make another late', () => {
    const { take, ends } = timetable(1, [
      { cost: 10, due: 20 },
      { cost: 10, due: 30 },
      { cost: 15, due: 30 },
      { cost: 5, due: 25 },
    ]);
    expect([take(0), take(1), take(2), take(3)]).toEqual([true, true, false, true]);
    expect(ends()).toEqual([10, 25, -1, 15]);
  });

  it('lets a more urgent task interrupt at a border, which costs the other its price', () => {
    const { take, ends } = timetable(1, [
      { cost: 40, due: 100, border: 4, price: 3 },
      { cost: 5, arrives: 10, due: 20 },
    ]);
    expect([take(0), take(1)]).toEqual([true, true]);
    expect(ends()).toEqual([48, 17]);
  });

  it('counts the steps of what runs from the border that it comes to first', () => {
    const given = (toBorder: number): Given[] => [
      { cost: 40, due: 100, border: 8, runsOn: 0, toBorder },
      { cost: 5, due: 12 },
    ];
    const soon = timetable(1, given(6));
    expect([soon.take(0), soon.take(1)]).toEqual([true, true]);
    expect(soon.ends()).toEqual([45, 11]);
    const late = timetable(1, given(8));
    expect([late.take(0), late.take(1)]).toEqual([true, false]);
  });

  it('leaves a core idle for a more urgent task where a run could not be interrupted', () => {
    const { take, ends, made } = timetable(1, [
      { cost: 20, due: 60 },
      { cost: 5, arrives: 10, due: 18 },
    ]);
    expect([take(0), take(1)]).toEqual([true, true]);
    expect(ends()).toEqual([35, 15]);
    expect(made.firsts()).toEqual([]);
  });

  it('starts a task that waits for another where that has ended, on whatever core', () => {
    const { take, ends } = timetable(2, [
      { cost: [10, 10], due: 40, urgent: 20 },
      { cost: [30, 15], due: 40, before: 0 },
    ]);
    expect(take(1, 1)).toBe(false);
    expect([take(0, 0), take(1, 0)]).toEqual([true, true]);
    expect(ends()).toEqual([10, 40]);
    const other = timetable(2, [
      { cost: [10, 10], due: 40 },
      { cost: [31, 15], due: 40, before: 0 },
      { cost: [5, 5], due: 12 },
    ]);
    expect([other.take(0, 0), other.take(1, 0), other.take(1, 1), other.take(2, 0)]).toEqual([true, false, true, true]);
    expect(other.ends()).toEqual([15, 30, 5]);
  });

  it('can ask for an earlier end than the task is due', () => {
    const { take } = timetable(1, [
      { cost: 10, due: 40 },
      { cost: 10, due: 15 },
      { cost: 5, due: 40 },
    ]);
    expect([take(1), take(0, 0, 15), take(0, 0, 20), take(2, 0, 24)]).toEqual([true, false, true, false]);
  });

  it('runs late tasks in the gaps, and only where they hurt nobody', () => {
    const given: Given[] = [
      { cost: 10, arrives: 20, due: 30 },
      { cost: 30, due: 5 },
      { cost: 30, due: 5, border: 5 },
    ];
    const { take, ends, made } = timetable(1, given);
    expect([take(0), take(2, 0, LATE)]).toEqual([true, true]);
    expect(ends()).toEqual([30, -1, 40]);
    expect(made.isLate(2)).toBe(true);
    expect(made.firsts()).toEqual([{ core: 0, task: 2 }]);
    const whole = timetable(1, given);
    expect([whole.take(0), whole.take(1, 0, LATE)]).toEqual([true, true]);
    expect(whole.ends()).toEqual([30, 60, -1]);
    expect(whole.made.firsts()).toEqual([]);
  });

  it('says what it had before when a task was left out after it', () => {
    const { take, ends, made } = timetable(1, [
      { cost: 10, due: 10 },
      { cost: 10, due: 12 },
    ]);
    expect([take(0), take(1)]).toEqual([true, false]);
    expect(ends()).toEqual([10, -1]);
    expect(made.firsts()).toEqual([{ core: 0, task: 0 }]);
  });

  it('takes nothing more in when its work is used up', () => {
    const given = Array.from({ length: 40 }, () => ({ cost: 1, due: 1_000 }));
    const { made, take } = timetable(1, given, 200);
    const taken = given.filter((_, task) => take(task)).length;
    expect(made.isExhausted).toBe(true);
    expect(taken).toBeGreaterThan(5);
    expect(taken).toBeLessThan(40);
  });
});
