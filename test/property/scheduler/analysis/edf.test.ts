import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { edfDemand } from '../../../../src/scheduler/analysis/edf-demand.ts';
import { lpEdf } from '../../../../src/scheduler/analysis/lp-edf.ts';
import { npEdf } from '../../../../src/scheduler/analysis/np-edf.ts';
import { qpa } from '../../../../src/scheduler/analysis/qpa.ts';
import { analysisTasks, plenty, setCount } from './analysis-task.ts';
import { HYPERPERIOD, type PlayedTask, periodic, play, randomSet, sporadic } from './played-schedule.ts';

const TICKS = 2 * HYPERPERIOD + 80;

/** Together at 0; and, for each task, that one at 0 and all others one tick later, so that it blocks them for as long as it can. */
function missesInWorstPatterns(tasks: readonly PlayedTask[]): boolean {
  const patterns = [tasks.map(() => 0), ...tasks.map((_, blocker) => tasks.map((_, index) => (index === blocker ? 0 : 1)))];
  return patterns.some((offsets) => {
    const releases = tasks.map((task, index) => periodic(task, offsets[index] ?? 0, TICKS));
    return play(tasks, releases, 'edf', false, TICKS).isMissed;
  });
}

const OPTIONS = { tasksMax: 4, deadlineRatioMax: 1.4 };

describe('np-edf', () => {
  it('agrees with the worst patterns of arrival on every random set', () => {
    const random = new Prng('np-edf');
    const seen = { schedulable: 0, unschedulable: 0 };
    for (let index = 0; index < setCount(6_000); index += 1) {
      const tasks = randomSet(random, OPTIONS);
      const { verdict } = npEdf(analysisTasks(tasks), 1, plenty());
      const isMissed = missesInWorstPatterns(tasks);
      if ((verdict === 'schedulable') === isMissed || verdict === 'unknown') expect({ verdict, tasks }).toBe(isMissed);
      seen[isMissed ? 'unschedulable' : 'schedulable'] += 1;
    }
    // Neither side of the comparison is a handful.
    expect(Math.min(seen.schedulable, seen.unschedulable)).toBeGreaterThan(500);
  });

  it('never promises what some sporadic arrivals break', () => {
    const random = new Prng('np-edf sporadic');
    let proven = 0;
    for (let index = 0; index < setCount(1_500); index += 1) {
      const tasks = randomSet(random, OPTIONS);
      if (npEdf(analysisTasks(tasks), 1, plenty()).verdict !== 'schedulable') continue;
      proven += 1;
      const releases = tasks.map((task) => sporadic(task, random, TICKS));
      expect({ tasks, releases, isMissed: play(tasks, releases, 'edf', false, TICKS).isMissed }).toMatchObject({ isMissed: false });
    }
    expect(proven).toBeGreaterThan(200);
  });
});

describe('edf-demand and qpa', () => {
  it('agree with each other and with the synchronous schedule', () => {
    const random = new Prng('edf');
    const seen = { schedulable: 0, unschedulable: 0, unknown: 0 };
    for (let index = 0; index < setCount(3_000); index += 1) {
      const tasks = randomSet(random, { tasksMax: 4, deadlineRatioMax: index % 2 === 0 ? 1 : 1.4 });
      const rows = analysisTasks(tasks);
      const { verdict } = edfDemand(rows, plenty());
      const releases = tasks.map((task) => periodic(task, 0, TICKS));
      const { isMissed } = play(tasks, releases, 'edf', true, TICKS);
      expect({ tasks, qpa: qpa(rows, plenty()).verdict, isMissed }).toEqual({ tasks, qpa: verdict, isMissed: verdict !== 'schedulable' });
      seen[verdict] += 1;
    }
    expect(Math.min(seen.schedulable, seen.unschedulable)).toBeGreaterThan(300);
  });
});

describe('lp-edf', () => {
  /** Ticks are cut in four, so that a blocker can begin a quarter before the others. */
  const FINE = 4;
  const finely = (tasks: readonly PlayedTask[]): PlayedTask[] =>
    tasks.map(({ cost, period, deadline }) => ({ cost: cost * FINE, period: period * FINE, deadline: deadline * FINE }));

  function missesBlockedBy(blocker: number, region: number, tasks: readonly PlayedTask[]): boolean {
    const played = finely(tasks).map((task, index): PlayedTask => ({ ...task, region: index === blocker ? region : 1 }));
    const ticks = FINE * (HYPERPERIOD + 60);
    const releases = played.map((task, index) => periodic(task, index === blocker ? 0 : 1, ticks));
    return play(played, releases, 'edf', false, ticks).isMissed;
  }

  it('gives regions that keep every deadline, and none longer does', () => {
    const random = new Prng('lp-edf');
    let restricted = 0;
    for (let index = 0; index < setCount(400); index += 1) {
      const tasks = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1 });
      const { verdict, tasks: rows } = lpEdf(analysisTasks(tasks), plenty());
      if (verdict !== 'schedulable') continue;
      const first = Math.min(...tasks.map(({ deadline }) => deadline));
      for (const [blocker, task] of tasks.entries()) {
        const longest = rows[blocker]?.times.maxNonPreemptive ?? 0;
        const region = Math.min(longest, task.cost) * FINE;
        expect({ tasks, blocker, region, isMissed: missesBlockedBy(blocker, region, tasks) }).toMatchObject({ isMissed: false });
        if (task.deadline === first || task.cost <= longest) continue;
        restricted += 1;
        // A quarter is lost to the start before the others; the second quarter is too much.
        const tooLong = longest * FINE + 2;
        expect({ tasks, blocker, tooLong, isMissed: missesBlockedBy(blocker, tooLong, tasks) }).toMatchObject({ isMissed: true });
      }
    }
    expect(restricted).toBeGreaterThan(50);
  });

  it('needs no slices exactly where the set is feasible without preemption in continuous time', () => {
    const random = new Prng('lp-edf and np-edf');
    for (let index = 0; index < setCount(2_000); index += 1) {
      const rows = analysisTasks(randomSet(random, OPTIONS));
      const { verdict, tasks } = lpEdf(rows, plenty());
      const isUncut = verdict === 'schedulable' && tasks.every(({ counts }) => counts.slices === 1);
      expect({ rows, isUncut }).toEqual({ rows, isUncut: npEdf(rows, 0, plenty()).verdict === 'schedulable' });
    }
  });
});
