import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { npFp } from '../../../../src/scheduler/analysis/np-fp.ts';
import { rta } from '../../../../src/scheduler/analysis/rta.ts';
import { analysisTasks, plenty, setCount } from './analysis-task.ts';
import { HYPERPERIOD, periodic, play, randomSet, sporadic } from './played-schedule.ts';

const TICKS = 3 * HYPERPERIOD;

describe('rta', () => {
  it('gives the very response of the synchronous schedule, deadlines within and beyond periods', () => {
    const random = new Prng('rta');
    let beyond = 0;
    for (let index = 0; index < setCount(2_000); index += 1) {
      const tasks = randomSet(random, { tasksMax: 4, deadlineRatioMax: 2 });
      const found = rta(analysisTasks(tasks), 'listed', plenty());
      const { responses } = play(
        tasks,
        tasks.map((task) => periodic(task, 0, TICKS)),
        'fixed',
        true,
        TICKS,
      );
      for (const [place, row] of found.tasks.entries()) {
        if (row.times.response === undefined) continue;
        if (row.times.response > (tasks[place]?.period ?? 0)) beyond += 1;
        expect({ tasks, place, response: row.times.response }).toEqual({ tasks, place, response: responses[place] });
      }
    }
    expect(beyond).toBeGreaterThan(50);
  });

  it('covers jobs that are released late within their jitter and something that blocks', () => {
    const random = new Prng('rta jitter');
    for (let index = 0; index < setCount(500); index += 1) {
      const tasks = randomSet(random, { tasksMax: 3, deadlineRatioMax: 2 });
      const jitter = tasks.map(({ period }) => random.integer(0, Math.floor(period / 2)));
      const found = rta(analysisTasks(tasks.map((task, place) => ({ ...task, jitter: jitter[place] ?? 0 }))), 'listed', plenty());
      const arrivals = tasks.map((task) => periodic(task, 0, TICKS));
      // The first comes as late as it may, the next ones on time: the densest pattern.
      const releases = arrivals.map((list, place) => list.map((at) => Math.max(at, jitter[place] ?? 0)));
      const { responses } = play(tasks, releases, 'fixed', true, TICKS);
      for (const [place, row] of found.tasks.entries()) {
        if (row.times.response !== undefined) expect(row.times.response).toBeGreaterThanOrEqual(responses[place] ?? 0);
      }
    }
  });
});

describe('np-fp', () => {
  it('is never exceeded, neither after the worst blocking nor under sporadic arrivals', () => {
    const random = new Prng('np-fp');
    let tight = 0;
    for (let index = 0; index < setCount(2_000); index += 1) {
      const tasks = randomSet(random, { tasksMax: 4, deadlineRatioMax: 2 });
      const found = npFp(analysisTasks(tasks), 'listed', plenty());
      for (let pattern = 0; pattern <= tasks.length; pattern += 1) {
        const releases = tasks.map((task, place) =>
          pattern === tasks.length ? sporadic(task, random, TICKS) : periodic(task, place === pattern ? 0 : 1, TICKS),
        );
        const { responses } = play(tasks, releases, 'fixed', false, TICKS);
        for (const [place, row] of found.tasks.entries()) {
          const bound = row.times.response ?? Number.POSITIVE_INFINITY;
          // Time is continuous in the formula: there the blocker can begin any moment before, here one tick before.
          if (bound - (responses[place] ?? 0) === (row.times.blocking === 0 ? 0 : 1)) tight += 1;
          if ((responses[place] ?? 0) > bound) expect({ tasks, releases, place, bound }).toBe(responses[place]);
        }
      }
    }
    expect(tight).toBeGreaterThan(1_000);
  });
});
