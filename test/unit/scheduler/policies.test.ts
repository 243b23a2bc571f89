import { describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import type { ModelPlan, PolicyName, PolicyTuning, SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const busy: StreamOptions = { id: 'busy', costMs: 50, deadlineMs: 1_000 };

/** The core is busy with job 1 until 50; then whoever the policy takes of those that came meanwhile. */
function orderOf(
  policy: PolicyName,
  streams: readonly StreamOptions[],
  arrivals: readonly [number, string][],
  tuning: PolicyTuning = {},
): string[] {
  const bench = new Bench([busy, ...streams], { policy, tuning });
  bench.up(0);
  bench.arrive(0, 'busy');
  for (const [atMs, stream] of arrivals) bench.arrive(atMs, stream);
  const order: string[] = [];
  let words = bench.done(50, 1);
  for (let atMs = 60; order.length < arrivals.length; atMs += 10) {
    const started = words.find((word) => word.startsWith('start'));
    if (started === undefined) break;
    const id = Number(started.split(' ')[1]);
    order.push(arrivals[id - 2]?.[1] ?? '?');
    words = bench.done(atMs, id);
  }
  return order;
}

describe('the order of waiting jobs', () => {
  const a: StreamOptions = { id: 'a', deadlineMs: 400 };
  const b: StreamOptions = { id: 'b', deadlineMs: 300, criticality: 'safety' };
  const c: StreamOptions = { id: 'c', deadlineMs: 200 };
  const arrivals: [number, string][] = [
    [1, 'c'],
    [2, 'a'],
    [3, 'b'],
    [4, 'a'],
  ];

  it('is that of arrival under fifo', () => {
    expect(orderOf('fifo', [a, b, c], arrivals)).toEqual(['c', 'a', 'b', 'a']);
  });

  it('is class, then deadline under coxswain', () => {
    expect(orderOf('coxswain', [a, b, c], arrivals)).toEqual(['b', 'c', 'a', 'a']);
  });

  it('is deadline whatever the class under edf', () => {
    expect(orderOf('edf', [a, b, c], arrivals)).toEqual(['c', 'b', 'a', 'a']);
  });

  it('is class, then relative deadline under fixed-priority, however late a job came', () => {
    const late: [number, string][] = [
      [1, 'a'],
      [40, 'c'],
    ];
    const short: StreamOptions = { id: 'a', deadlineMs: 210 };
    expect(orderOf('edf', [short, c], late)).toEqual(['a', 'c']);
    expect(orderOf('fixed-priority', [short, c], late)).toEqual(['c', 'a']);
  });

  it('is each stream in turn under round-robin', () => {
    const many: [number, string][] = [
      [1, 'a'],
      [2, 'a'],
      [3, 'a'],
      [4, 'b'],
      [5, 'c'],
    ];
    expect(orderOf('round-robin', [a, b, c], many)).toEqual(['a', 'b', 'c', 'a', 'a']);
  });

  it('is the name of the stream under latency-greedy', () => {
    expect(orderOf('latency-greedy', [a, b, c], arrivals)).toEqual(['a', 'a', 'b', 'c']);
  });

  it('is that of arrival under laxity while all are lax, and least slack first for those that are not', () => {
    expect(orderOf('laxity', [a, b, c], arrivals)).toEqual(['c', 'a', 'b', 'a']);
    const tight: StreamOptions = { id: 'b', deadlineMs: 62 };
    const tighter: StreamOptions = { id: 'c', deadlineMs: 71 };
    // At 50, b has 5 ms of slack and c, with its 10 ms of run, 15: only b is critical; at 60, c is.
    expect(
      orderOf(
        'laxity',
        [a, tight, tighter],
        [
          [1, 'a'],
          [3, 'c'],
          [4, 'b'],
        ],
      ),
    ).toEqual(['b', 'c', 'a']);
  });
});

describe('the drop rule', () => {
  const short: StreamOptions = { id: 'short', deadlineMs: 55 };

  it('infeasible gives a job up as soon as it cannot be in time', () => {
    const bench = new Bench([busy, short], { policy: 'edf', tuning: { drop: 'infeasible' } });
    bench.up(0);
    bench.arrive(0, 'busy');
    expect(bench.arrive(1, 'short')).toEqual(['end 2 dropped infeasible']);
  });

  it('expired gives it up once its deadline is past, and asks for a timer then', () => {
    const bench = new Bench([busy, short], { policy: 'edf' });
    bench.up(0);
    bench.arrive(0, 'busy');
    expect(bench.arrive(1, 'short')).toEqual([]);
    expect(bench.wakeAtMs).toBe(56);
    expect(bench.timer(56)).toEqual([]);
    expect(bench.timer(56.001)).toEqual(['end 2 dropped infeasible']);
  });

  it('expired starts a job that will be late', () => {
    const bench = new Bench([busy, short], { policy: 'edf' });
    bench.up(0);
    bench.arrive(0, 'busy');
    bench.arrive(1, 'short');
    expect(bench.done(55, 1)).toEqual(['start 2 on 0']);
  });

  it('none gives nothing up, asks for no timer, and runs it however late', () => {
    const bench = new Bench([busy, short], { policy: 'edf', tuning: { drop: 'none' } });
    bench.up(0);
    bench.arrive(0, 'busy');
    bench.arrive(1, 'short');
    expect(bench.wakeAtMs).toBeUndefined();
    expect(bench.done(500, 1)).toEqual(['start 2 on 0']);
  });
});

/** One model with its cost in ms on cores 0 and 1. */
function hetero(costsMs: Readonly<Record<string, readonly [number, number]>>, extra: Partial<SchedulerPlan> = {}): Bench {
  const streams = Object.keys(costsMs).map((id): StreamOptions => ({ id, deadlineMs: 100, cores: [0, 1] }));
  const models = planFor(streams).models.map((row): ModelPlan => {
    const [on0 = 1, on1 = 1] = costsMs[row.model] ?? [];
    const exactCosts = [on0, on1].map((ms, core) => ({ core, costUs: durationFromMs(ms) }));
    return { ...row, exactCosts };
  });
  const bench = new Bench(streams, { models, ...extra });
  bench.up(0, 0);
  bench.up(0, 1);
  return bench;
}

describe('exact costs by core', () => {
  it('send a job to the idle core that is fastest for it', () => {
    const bench = hetero({ a: [20, 10], b: [10, 20] });
    expect(bench.arrive(0, 'a')).toEqual(['start 1 on 1']);
    expect(bench.arrive(0, 'b')).toEqual(['start 2 on 0']);
  });

  it('keep a job from a core that is too slow for its deadline, and start it on the other when that comes free', () => {
    const bench = hetero({ a: [150, 10] });
    bench.arrive(0, 'a');
    expect(bench.arrive(1, 'a')).toEqual([]);
    expect(bench.done(10, 1, 1)).toEqual(['start 2 on 1']);
  });

  it('give up what no core can finish in time', () => {
    expect(hetero({ a: [150, 110] }).arrive(0, 'a')).toEqual(['end 1 dropped infeasible']);
  });

  it('are not learnt from what is measured', () => {
    const bench = hetero({ a: [10, 150] });
    for (let n = 0; n < 20; n += 1) {
      const job = bench.nextJob;
      expect(bench.arrive(n * 200, 'a')).toEqual([`start ${job} on 0`]);
      bench.done(n * 200 + 99, job);
      bench.decoded(n * 200 + 99, job);
    }
  });
});

describe('a dependency', () => {
  const chain = (extra: Partial<SchedulerPlan> = {}): Bench => {
    const bench = new Bench(
      [
        { id: 'first', deadlineMs: 100, cores: [0, 1] },
        { id: 'second', deadlineMs: 100, cores: [0, 1] },
      ],
      { dependencies: [{ stream: 'second', after: 'first' }], ...extra },
    );
    bench.up(0, 0);
    bench.up(0, 1);
    return bench;
  };

  it('makes a job wait for the result of the same capture, though a core is idle', () => {
    const bench = chain();
    expect(bench.arrive(0, 'first')).toEqual(['start 1 on 0']);
    expect(bench.arrive(0, 'second')).toEqual([]);
    expect(bench.done(10, 1, 0)).toEqual([]);
    expect(bench.decoded(12, 1)).toEqual(['end 1 done', 'start 2 on 0']);
  });

  it('is met by a result that came before the job', () => {
    const bench = chain();
    bench.arrive(0, 'first');
    bench.done(10, 1, 0);
    bench.decoded(12, 1);
    expect(bench.arrive(13, 'second', 0)).toEqual(['start 2 on 0']);
  });

  it('is met by a late result as well, but then it is too late for the job', () => {
    const bench = chain();
    bench.arrive(0, 'first');
    bench.arrive(0, 'second');
    expect(bench.timer(95)).toEqual(['end 2 dropped infeasible']);
  });

  it('takes the job along when the result is lost, waiting or still to come', () => {
    const bench = chain();
    bench.arrive(0, 'first');
    bench.arrive(0, 'second');
    expect(bench.tell({ kind: 'segment-failed', at: bench.at(10), core: 0, job: 1, reason: 'non-finite' })).toEqual([
      'end 1 failed non-finite',
      'end 2 dropped predecessor-lost',
    ]);
    expect(bench.arrive(11, 'second', 0)).toEqual(['end 3 dropped predecessor-lost']);
  });

  it('makes the deadline of what comes before earlier by what comes after', () => {
    const streams: StreamOptions[] = [
      busy,
      { id: 'first', deadlineMs: 100 },
      { id: 'second', costMs: 30, deadlineMs: 100 },
      { id: 'other', deadlineMs: 90 },
    ];
    const bench = new Bench(streams, { dependencies: [{ stream: 'second', after: 'first' }] });
    bench.up(0);
    bench.arrive(0, 'busy');
    bench.arrive(10, 'other');
    bench.arrive(10, 'first');
    expect(bench.done(50, 1)).toEqual(['start 3 on 0']);
  });

  it('is counted by results, as published, with the quirks of latency-greedy', () => {
    const bench = chain({ policy: 'latency-greedy', tuning: { quirks: true } });
    bench.arrive(0, 'first');
    bench.arrive(0, 'second');
    bench.tell({ kind: 'segment-failed', at: bench.at(10), core: 0, job: 1, reason: 'non-finite' });
    bench.arrive(20, 'first', 20);
    expect(bench.done(30, 3, 0)).toEqual([]);
    // The only result there is is of another capture.
    expect(bench.decoded(32, 3)).toEqual(['end 3 done', 'start 2 on 0']);
  });

  it('in a circle, on nobody, or twice for one stream is a broken plan', () => {
    const of = (dependencies: SchedulerPlan['dependencies']) => () =>
      new Bench([{ id: 'a' }, { id: 'b' }], dependencies === undefined ? {} : { dependencies });
    expect(of([{ stream: 'a', after: 'a' }])).toThrow('does not depend on itself');
    expect(
      of([
        { stream: 'a', after: 'b' },
        { stream: 'b', after: 'a' },
      ]),
    ).toThrow('does not depend on itself');
    expect(of([{ stream: 'a', after: 'x' }])).toThrow('names streams of the plan');
    expect(
      of([
        { stream: 'a', after: 'b' },
        { stream: 'a', after: 'b' },
      ]),
    ).toThrow('depends on one other at most');
  });
});

describe('events of one instant', () => {
  it('are all taken in before anything is started', () => {
    const bench = new Bench([
      { id: 'a', deadlineMs: 400 },
      { id: 'b', deadlineMs: 300 },
    ]);
    bench.up(0);
    expect(bench.arriveTogether(0, ['a', 'b'])).toEqual(['start 2 on 0']);
  });
});

describe('victims by value', () => {
  it('starve the stream that costs the most for what it gives, where the older job would win', () => {
    const costs = { cheap: [10, 10], dear: [10, 10] } as const;
    const streams: StreamOptions[] = Object.keys(costs).map((id) => ({ id, periodMs: 12, deadlineMs: 12, criticality: 'interactive' }));
    const play = (tuning: PolicyTuning): Record<string, number> => {
      const models = planFor(streams).models.map(
        (row): ModelPlan => ({
          ...row,
          exactCosts: [{ core: 0, costUs: durationFromMs(10), energyUj: row.model === 'dear' ? 900 : 100 }],
        }),
      );
      const bench = new Bench(streams, { models, tuning, tailUs: durationFromMs(0) });
      bench.up(0);
      const started: Record<string, number> = { cheap: 0, dear: 0 };
      for (let n = 0; n < 40; n += 1) {
        const [dear, cheap] = [bench.nextJob, bench.nextJob + 1];
        const words = bench.arriveTogether(n * 12, ['dear', 'cheap']);
        for (const [job, name] of [
          [cheap, 'cheap'],
          [dear, 'dear'],
        ] as const) {
          if (!words.includes(`start ${job} on 0`)) continue;
          started[name] = (started[name] ?? 0) + 1;
          bench.done(n * 12 + 10, job);
          bench.decoded(n * 12 + 10, job);
        }
      }
      return started;
    };
    expect(play({})).toEqual({ cheap: 0, dear: 40 });
    expect(play({ victim: 'value', energyCapUj: 1_000 })).toEqual({ cheap: 40, dear: 0 });
  });

  it('keep a spare core out of use while the home core serves', () => {
    const streams: StreamOptions[] = [{ id: 'a', cores: [0, 1] }];
    const models = planFor(streams).models.map((row): ModelPlan => ({ ...row, spares: [1] }));
    const bench = new Bench(streams, { models, tuning: { victim: 'value' } });
    bench.up(0, 0);
    bench.up(0, 1);
    expect(bench.arrive(0, 'a')).toEqual(['start 1 on 0']);
    expect(bench.arrive(1, 'a')).toEqual([]);
    expect(bench.lose(2, 0)).toEqual(['start 1 on 1']);
  });

  it('never put a class below another, however dear', () => {
    const streams: StreamOptions[] = [
      { id: 'vital', periodMs: 12, deadlineMs: 12, criticality: 'safety' },
      { id: 'cheap', periodMs: 12, deadlineMs: 12, criticality: 'interactive' },
    ];
    const models = planFor(streams).models.map(
      (row): ModelPlan => ({ ...row, exactCosts: [{ core: 0, costUs: durationFromMs(10), energyUj: row.model === 'vital' ? 900 : 0 }] }),
    );
    const bench = new Bench(streams, { models, tuning: { victim: 'value', energyCapUj: 1_000 } });
    bench.up(0);
    expect(bench.arriveTogether(0, ['cheap', 'vital'])).toContain('start 2 on 0');
  });
});
