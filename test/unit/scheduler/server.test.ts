import { describe, expect, it } from 'vitest';
import type { StepPlan } from '../../../src/core/step-plan.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import { createScheduler, type SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { type PlayedJob, type PlayOptions, playSteps } from '../../support/step-player.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const MS = 1_000;

const blocks = (count: number, switchMs = 0): StepPlan => ({
  kind: 'blocks',
  shares: Array.from({ length: count }, () => 1 / count),
  switchUs: Array.from({ length: count - 1 }, () => durationFromMs(switchMs)),
});

/** All on core 0, in steps of a millisecond, at costs that are known; cores leave off between steps. */
function planOf(streams: readonly StreamOptions[], servers: SchedulerPlan['servers'], extra: Partial<SchedulerPlan> = {}): SchedulerPlan {
  const plan = planFor(streams, { preemption: { kind: 'between-steps' }, tailUs: durationUs(0), servers: servers ?? [], ...extra });
  return {
    ...plan,
    models: plan.models.map((row) => ({
      ...row,
      exactCosts: row.cores.map((core) => ({ core, costUs: row.costUs })),
      ...(row.costUs > MS ? { steps: blocks(row.costUs / MS) } : {}),
    })),
  };
}

const server = (stream: string, budgetMs: number, periodMs: number) => ({
  id: `server of ${stream}`,
  streams: [stream],
  budgetUs: durationFromMs(budgetMs),
  periodUs: durationFromMs(periodMs),
});

const every = (stream: string, periodMs: number, untilMs: number, fromMs = 0): PlayedJob[] =>
  Array.from({ length: Math.ceil((untilMs - fromMs) / periodMs) }, (_, n) => ({ stream, at: (fromMs + n * periodMs) * MS }));

/** One character a millisecond: the mark of the stream that has the core, `-` when none. */
function timeline(
  plan: SchedulerPlan,
  jobs: readonly PlayedJob[],
  untilMs: number,
  marks: Readonly<Record<string, string>>,
  options: Partial<PlayOptions> = {},
) {
  const played = playSteps(plan, jobs, { until: untilMs * MS, ...options });
  const row = Array.from({ length: untilMs }, () => '-');
  for (const { stream, from, to } of played.stretches) for (let at = from; at < to; at += MS) row[at / MS] = marks[stream] ?? '?';
  return { row: row.join(''), ...played };
}

const count = (row: string, mark: string): number => row.split(mark).length - 1;

describe('a server beside a hard stream', () => {
  it('gives the timeline of T11: hard (4, 7), server (3, 8), work of 4 at 3 and of 3 at 13, which end at 12 and 20', () => {
    const streams: StreamOptions[] = [
      { id: 'hard', criticality: 'interactive', costMs: 4, periodMs: 7, deadlineMs: 7 },
      { id: 'first', costMs: 4, deadlineMs: 1_000 },
      { id: 'second', costMs: 3, deadlineMs: 1_000 },
    ];
    const plan = planOf(streams, [{ ...server('first', 3, 8), streams: ['first', 'second'] }]);
    const jobs: PlayedJob[] = [...every('hard', 7, 24), { stream: 'first', at: 3 * MS }, { stream: 'second', at: 13 * MS }];
    const { row, ends } = timeline(plan, jobs, 25, { hard: '1', first: 'S', second: 'S' });
    expect(row.slice(0, 25)).toBe('1111SSS1111S-SS1111S-1111');
    expect(ends.get(5)?.at).toBe(12 * MS);
    expect(ends.get(6)?.at).toBe(20 * MS);
    for (const hard of [1, 2, 3]) expect(ends.get(hard)?.outcome.kind).toBe('done');
  });

  it('uses what nobody else wants for nothing: it gets its budget in every period however much it had before', () => {
    const streams: StreamOptions[] = [
      { id: 'greedy', criticality: 'interactive', costMs: 8, periodMs: 10, deadlineMs: 10 },
      { id: 'talk', criticality: 'interactive', costMs: 900, deadlineMs: 10_000 },
    ];
    const plan = planOf(streams, [server('talk', 2, 10)]);
    // Alone for 100 ms, then beside a stream that takes all the rest of the core.
    const jobs: PlayedJob[] = [{ stream: 'talk', at: 0 }, ...every('greedy', 10, 400, 100)];
    const { row } = timeline(plan, jobs, 400, { greedy: 'g', talk: 'S' });
    expect(row.slice(0, 100)).toBe('S'.repeat(100));
    for (let from = 100; from <= 370; from += 10) expect(count(row.slice(from, from + 20), 'S')).toBeGreaterThanOrEqual(2);
    expect(count(row.slice(100), 'S')).toBeGreaterThanOrEqual(58);
  });

  it('stands behind its class without budget, and before background work', () => {
    const streams: StreamOptions[] = [
      { id: 'talk', criticality: 'interactive', costMs: 30, deadlineMs: 10_000 },
      { id: 'peer', criticality: 'interactive', costMs: 5, deadlineMs: 12 },
      { id: 'rest', costMs: 5, deadlineMs: 50 },
    ];
    const plan = planOf(streams, [server('talk', 2, 20)]);
    const jobs: PlayedJob[] = [
      { stream: 'talk', at: 0 },
      { stream: 'peer', at: 4 * MS },
      { stream: 'rest', at: 4 * MS },
    ];
    const { row } = timeline(plan, jobs, 45, { talk: 'S', peer: 'p', rest: 'r' });
    expect(row).toBe(`SSSSSppppp${'S'.repeat(25)}rrrrr-----`);
  });

  it('pays back a step that took more than was left, and no more', () => {
    const streams: StreamOptions[] = [
      { id: 'greedy', criticality: 'interactive', costMs: 1, deadlineMs: 300, freshness: { kind: 'queue', jobsMax: 1000 } },
      { id: 'talk', criticality: 'interactive', costMs: 6, deadlineMs: 10_000 },
    ];
    // Steps of 1 ms are told; those of talk really take 3 ms, with a budget of 2 in 10.
    const plan = planOf(streams, [server('talk', 2, 10)], { tuning: { drop: 'none' } });
    const jobs: PlayedJob[] = [...every('greedy', 1, 200), { stream: 'talk', at: 0 }];
    const { row } = timeline(plan, jobs, 100, { greedy: 'g', talk: 'S' }, { stepUs: (job) => (job === 201 ? 3 * MS : MS) });
    const starts = [...row.matchAll(/S+/g)].map(({ index, 0: run }) => [index, run.length]);
    // 6 at once on a budget of 2 leave a debt of 4: nothing at 10 and 20, then what three periods give.
    expect(starts.slice(0, 3)).toEqual([
      [0, 6],
      [30, 6],
      [60, 6],
    ]);
  });

  it('begins anew when it comes back from idling, and keeps what it had when it comes back too soon for that', () => {
    const streams: StreamOptions[] = [
      { id: 'greedy', criticality: 'interactive', costMs: 1, deadlineMs: 60, freshness: { kind: 'queue', jobsMax: 1000 } },
      { id: 'talk', costMs: 2, deadlineMs: 10_000 },
    ];
    const plan = planOf(streams, [server('talk', 2, 10)], { tuning: { drop: 'none' } });
    const greedy = every('greedy', 1, 200);
    const soon = timeline(plan, [...greedy, { stream: 'talk', at: 20 * MS }, { stream: 'talk', at: 23 * MS }], 60, {
      talk: 'S',
      greedy: 'g',
    });
    // Of the second its budget is gone until 30.
    expect([...soon.row.matchAll(/S+/g)].map(({ index }) => index)).toEqual([20, 30]);
    const late = timeline(plan, [...greedy, { stream: 'talk', at: 20 * MS }, { stream: 'talk', at: 33 * MS }], 60, {
      talk: 'S',
      greedy: 'g',
    });
    expect([...late.row.matchAll(/S+/g)].map(({ index }) => index)).toEqual([20, 33]);
  });
});

describe('a reserved background stream', () => {
  const streams: StreamOptions[] = [
    { id: 'eyes', criticality: 'safety', costMs: 2, periodMs: 10, deadlineMs: 10 },
    { id: 'flood', criticality: 'interactive', costMs: 5, periodMs: 5, deadlineMs: 40, freshness: { kind: 'queue', jobsMax: 100 } },
    { id: 'report', costMs: 1_000, deadlineMs: 60_000 },
  ];
  const jobs: PlayedJob[] = [{ stream: 'report', at: 0 }, ...every('eyes', 10, 1_000), ...every('flood', 5, 1_000)];

  it('gets its rate beside interactive streams that want more than there is, and safety loses nothing', () => {
    const { row, ends } = timeline(planOf(streams, [server('report', 4, 20)]), jobs, 1_000, { eyes: 'e', flood: 'f', report: 'S' });
    expect(count(row, 'S')).toBeGreaterThanOrEqual(196);
    for (let from = 40; from < 960; from += 20) expect(count(row.slice(from, from + 40), 'S')).toBeGreaterThanOrEqual(4);
    const lost = jobs.flatMap(({ stream }, index) => (stream === 'eyes' && ends.get(index + 1)?.outcome.kind !== 'done' ? [index] : []));
    expect(lost.filter((index) => (jobs[index]?.at ?? 0) < 980 * MS)).toEqual([]);
  });

  it('starves without a server', () => {
    const { row } = timeline(planOf(streams, []), jobs, 1_000, { eyes: 'e', flood: 'f', report: 'S' });
    expect(count(row, 'S')).toBeLessThan(20);
  });
});

describe('a server', () => {
  const talk: StreamOptions = { id: 'talk', criticality: 'interactive', costMs: 1_000, deadlineMs: 60_000 };

  it('is divided among its streams in the order of their deadlines', () => {
    const streams: StreamOptions[] = [
      { id: 'a', costMs: 4, deadlineMs: 900 },
      { id: 'b', costMs: 4, deadlineMs: 500 },
      { id: 'flood', criticality: 'interactive', costMs: 1, deadlineMs: 40, freshness: { kind: 'queue', jobsMax: 1000 } },
    ];
    const plan = planOf(streams, [{ ...server('a', 2, 10), streams: ['a', 'b'] }]);
    const { row } = timeline(plan, [{ stream: 'a', at: 0 }, { stream: 'b', at: 0 }, ...every('flood', 1, 100)], 60, {
      a: 'a',
      b: 'b',
      flood: '.',
    });
    expect(row.replaceAll(/[.-]+/g, ' ').trim()).toBe('bb bb aa aa');
  });

  it('does not make up for the time that its core was away', () => {
    const flood: StreamOptions = {
      id: 'flood',
      criticality: 'interactive',
      costMs: 1,
      deadlineMs: 50,
      freshness: { kind: 'queue', jobsMax: 1000 },
    };
    const plan = planOf([{ ...talk, costMs: 400 }, flood], [server('talk', 2, 10)], { attemptsMax: 10 });
    const jobs: PlayedJob[] = [{ stream: 'talk', at: 0 }, ...every('flood', 1, 1_200)];
    const { row } = timeline(plan, jobs, 1_200, { talk: 'S', flood: '.' }, { lost: [{ at: 100 * MS, core: 0, forUs: 900_000 }] });
    expect(count(row.slice(1_000, 1_100), 'S')).toBeLessThanOrEqual(26);
    expect(count(row.slice(1_000, 1_100), 'S')).toBeGreaterThanOrEqual(20);
  });

  it('has what is less important yield at once where that is free, and where it is not once its own time is short', () => {
    const waiting = (switchMs: number, atMs: number): string[] => {
      const rest: StreamOptions = { id: 'rest', costMs: 20, deadlineMs: 10_000 };
      const plan = planOf([rest, { ...talk, costMs: 4 }], [server('talk', 4, 20)]);
      const steps = blocks(20, switchMs);
      const made = new Bench([], { ...plan, models: plan.models.map((row) => (row.model === 'rest' ? { ...row, steps } : row)) });
      made.up(0);
      expect(made.arrive(1, 'rest')).toEqual(['start 1 on 0 steps 0+20']);
      return made.arrive(atMs, 'talk');
    };
    expect(waiting(0, 10.5)).toEqual(['yield 1 on 0 for 2']);
    // Of 16 ms that the server can wait 10.5 are asked for, and then 17.5.
    expect(waiting(1, 10.5)).toEqual([]);
    expect(waiting(1, 3.5)).toEqual(['yield 1 on 0 for 2']);
  });

  it('is refused for safety streams, for two classes at once, and with a budget beyond its period', () => {
    const safe: StreamOptions = { id: 'safe', criticality: 'safety' };
    const rest: StreamOptions = { id: 'rest' };
    const make = (servers: SchedulerPlan['servers']) => () => createScheduler(planFor([safe, rest, talk], { servers: servers ?? [] }));
    expect(make([server('safe', 1, 10)])).toThrow('below safety');
    expect(make([{ ...server('rest', 1, 10), streams: ['rest', 'talk'] }])).toThrow('one class');
    expect(make([server('rest', 11, 10)])).toThrow('budget <= period');
    expect(make([server('rest', 1, 10), server('rest', 1, 20)])).toThrow('one server at most');
  });
});
