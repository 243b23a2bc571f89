import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { analysedOrder } from '../../../../src/scheduler/analysis/analysed-order.ts';
import { classResponse } from '../../../../src/scheduler/analysis/class-bound.ts';
import { boundCore, type CoreTask } from '../../../../src/scheduler/analysis/core-bound.ts';
import { npEdf } from '../../../../src/scheduler/analysis/np-edf.ts';
import { analysisTasks, classTask, plenty, setCount } from './analysis-task.ts';
import { HYPERPERIOD, jittered, periodic, play, randomSet, sporadic } from './played-schedule.ts';
import { runScheduler, streamOf } from './scheduler-run.ts';

const TICKS = 3 * HYPERPERIOD;

const responseOf = (tasks: readonly CoreTask[], task: CoreTask): number | undefined =>
  classResponse(
    task,
    tasks.filter((other) => other !== task),
    { blocking: 0, isBlockedByOthers: true },
    plenty(),
  );

describe('classResponse', () => {
  it('is never exceeded by class-first EDF without preemption', () => {
    const random = new Prng('class bound');
    let tight = 0;
    for (let index = 0; index < setCount(1_500); index += 1) {
      const played = randomSet(random, { tasksMax: 4, deadlineRatioMax: 2 }).map((task) => ({ ...task, rank: random.integer(0, 1) }));
      const tasks = played.map(classTask);
      const bounds = tasks.map((task) => responseOf(tasks, task) ?? Number.POSITIVE_INFINITY);
      for (let pattern = 0; pattern <= played.length; pattern += 1) {
        const releases = played.map((task, place) =>
          pattern === played.length ? sporadic(task, random, TICKS) : periodic(task, place === pattern ? 0 : 1, TICKS),
        );
        const { responses } = play(played, releases, 'class-edf', false, TICKS);
        for (const [place, bound] of bounds.entries()) {
          if (bound - (responses[place] ?? 0) <= 1) tight += 1;
          if ((responses[place] ?? 0) > bound) expect({ played, releases, place, bound }).toBe(responses[place]);
        }
      }
    }
    expect(tight).toBeGreaterThan(1_000);
  });

  it('is never exceeded where frames come late by up to their jitter, deadlines with them', () => {
    const random = new Prng('class bound with jitter');
    let tight = 0;
    for (let index = 0; index < setCount(800); index += 1) {
      const played = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1.5 }).map((task) => ({ ...task, rank: random.integer(0, 1) }));
      const tasks = played.map((task, place) => ({ ...classTask(task, place), jitter: random.integer(0, task.period) }));
      const bounds = tasks.map((task) => responseOf(tasks, task) ?? Number.POSITIVE_INFINITY);
      for (let pattern = 0; pattern < 3; pattern += 1) {
        // First one as late as it may be, then as early as it may, which brings two as near as they come.
        const releases = played.map((task, place) => jittered(task, tasks[place]?.jitter ?? 0, pattern === 0, random, TICKS));
        const { responses } = play(played, releases, 'class-edf', false, TICKS);
        for (const [place, bound] of bounds.entries()) {
          if (bound - (responses[place] ?? 0) <= 1) tight += 1;
          if ((responses[place] ?? 0) > bound) expect({ tasks, releases, place, bound }).toBe(responses[place]);
        }
      }
    }
    expect(tight).toBeGreaterThan(300);
  });

  it('is within every deadline where, with one class, EDF without preemption is feasible', () => {
    const random = new Prng('class bound and np-edf');
    for (let index = 0; index < setCount(1_500); index += 1) {
      const played = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1.4 });
      const tasks = played.map(classTask);
      const load = played.reduce((sum, { cost, period }) => sum + cost / period, 0);
      if (load > 0.99) continue;
      const isWithin = tasks.every((task) => (responseOf(tasks, task) ?? Number.POSITIVE_INFINITY) <= task.deadline);
      expect({ played, isWithin }).toEqual({ played, isWithin: npEdf(analysisTasks(played), 0, plenty()).verdict === 'schedulable' });
    }
  });
});

describe('boundCore', () => {
  it('is kept by the scheduler itself: always, or as far as look-ahead sees', () => {
    const random = new Prng('core bound');
    const seen = { always: 0, 'look-ahead': 0, none: 0 };
    for (let index = 0; index < setCount(400); index += 1) {
      // Loads up to two thirds: beyond, hardly any set keeps every deadline without preemption.
      const streams = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1 }).map(({ cost, period, deadline }) => ({
        cost,
        period: Math.ceil(1.5 * period),
        deadline: Math.ceil(1.5 * deadline),
        rank: random.integer(0, 1),
      }));
      const restCost = random.chance(0.7) ? random.integer(1, 20) : 0;
      const rest = restCost === 0 ? [] : [{ id: 'rest', segment: restCost }];
      const bound = boundCore({ guaranteed: streams.map(classTask), guests: [], rest, doesLookAhead: true }, plenty());
      seen[bound.assurance] += 1;
      if (bound.assurance === 'none') continue;
      const run = runScheduler(streams, restCost, random.fork(String(index)));
      for (const [place, row] of bound.streams.entries()) {
        const worst = run.responses[place] ?? 0;
        const lost = run.lost[place] ?? 0;
        const isKept = worst <= (row.response ?? 0) && lost === 0;
        if (!isKept) expect({ streams, restCost, place, row, worst, lost }).toBe('kept');
      }
    }
    expect(Math.min(seen.always, seen['look-ahead'])).toBeGreaterThan(60);
  });

  it.each([
    { policy: 'edf', bounded: 0.4 },
    { policy: 'fixed-priority', bounded: 0.2 },
  ] as const)('is kept by the scheduler under $policy, which holds no core for anybody', ({ policy, bounded }) => {
    const random = new Prng(`core bound of ${policy}`);
    let [boundedCount, tight] = [0, 0];
    const count = setCount(200);
    for (let index = 0; index < count; index += 1) {
      const streams = randomSet(random, { tasksMax: 4, deadlineRatioMax: 1 }).map(({ cost, period, deadline }) => ({
        cost,
        period: Math.ceil(1.5 * period),
        deadline: Math.ceil(1.5 * deadline),
        rank: random.integer(0, 1),
      }));
      // Blind to classes, background work that always has a job waiting leaves nobody a bound.
      const restCost = policy === 'edf' ? 0 : random.integer(0, 4);
      const order = analysedOrder(policy, {}, streams.map(streamOf));
      if (order === undefined) throw new Error(`${policy} has a bound`);
      const tasks = streams.map((task, place) => ({ ...classTask(task, place), rank: order.rankOf(`s${place}`) }));
      const rest = restCost === 0 ? [] : [{ id: 'rest', segment: restCost }];
      const bound = boundCore({ guaranteed: tasks, guests: [], rest, doesLookAhead: order.doesLookAhead }, plenty());
      expect(bound.assurance).not.toBe('look-ahead');
      if (bound.assurance === 'none') continue;
      boundedCount += 1;
      const run = runScheduler(streams, restCost, random.fork(String(index)), policy);
      for (const [place, row] of bound.streams.entries()) {
        const worst = run.responses[place] ?? 0;
        if ((row.response ?? 0) - worst <= 1) tight += 1;
        const isKept = worst <= (row.response ?? 0) && run.lost[place] === 0;
        if (!isKept) expect({ streams, restCost, place, row, worst, lost: run.lost[place] }).toBe('kept');
      }
    }
    expect(boundedCount).toBeGreaterThan(count * bounded);
    expect(tight).toBeGreaterThan(boundedCount / 4);
  });
});
