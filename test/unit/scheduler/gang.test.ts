import { describe, expect, it } from 'vitest';
import type { StepPlan } from '../../../src/core/step-plan.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import type { SchedulerPlan } from '../../../src/scheduler/scheduler.ts';
import { Bench, planFor, type StreamOptions } from './harness.ts';

const FOUR = [0, 1, 2, 3];

/** `wide` takes cores 0 and 1 at once, 10 ms; the others are of their own. All cores are up. */
function bench(others: readonly StreamOptions[] = [], wide: Partial<StreamOptions> = {}, extra: Partial<SchedulerPlan> = {}): Bench {
  const made = new Bench([{ id: 'wide', cores: [0, 1], split: 2, ...wide }, ...others], { cores: FOUR, ...extra });
  for (const core of FOUR) made.up(0, core);
  return made;
}

const single = (id: string, core: number, more: Partial<StreamOptions> = {}): StreamOptions => ({
  id,
  cores: [core],
  costMs: 20,
  deadlineMs: 1_000,
  ...more,
});

describe('a gang', () => {
  it('starts on all of its cores at once, the first of them leading', () => {
    const it = bench();
    expect(it.arrive(1, 'wide')).toEqual(['start 1 on 0+1']);
    expect(it.done(11, 1)).toEqual([]);
    expect(it.decoded(12, 1)).toEqual(['end 1 done']);
  });

  it('takes its cores until its segment ends, and then frees all of them', () => {
    const it = bench([single('left', 0), single('right', 1)]);
    it.arrive(1, 'wide');
    expect(it.arrive(2, 'left')).toEqual([]);
    expect(it.arrive(3, 'right')).toEqual([]);
    expect(it.done(11, 1)).toEqual(['start 2 on 0', 'start 3 on 1']);
  });

  it('takes none while one is missing', () => {
    const it = bench([single('right', 1)]);
    it.arrive(1, 'right');
    expect(it.arrive(2, 'wide')).toEqual([]);
    expect(it.done(21, 1, 1)).toEqual(['start 2 on 0+1']);
  });

  it('takes any of its cores when it has more than it needs', () => {
    const it = bench([single('a', 0), single('c', 2)], { cores: FOUR });
    it.arrive(1, 'a');
    it.arrive(1, 'c');
    expect(it.arrive(2, 'wide')).toEqual(['start 3 on 1+3']);
  });

  it('is dropped at once when it cannot be in time on enough cores', () => {
    const it = bench([single('right', 1)], { deadlineMs: 25 });
    it.arrive(1, 'right');
    expect(it.arrive(2, 'wide')).toEqual(['end 2 dropped infeasible']);
  });

  it('is dropped for want of cores when one of them is not up and will not be in time', () => {
    const it = bench();
    it.lose(1, 1);
    expect(it.arrive(2, 'wide')).toEqual(['end 1 dropped no-core']);
  });

  it('of a stream with a state keeps the order of its jobs', () => {
    const it = bench([], { isStateful: true });
    it.arrive(1, 'wide');
    expect(it.arrive(2, 'wide')).toEqual([]);
    expect(it.done(11, 1)).toEqual(['start 2 on 0+1']);
  });

  it('has a timeout like any other run', () => {
    const it = bench([], { costMs: 200 });
    it.arrive(1, 'wide', 1, { deadlineAt: it.at(5_000) });
    const [start] = it.last;
    expect(start).toMatchObject({ kind: 'start', core: 0, others: [1], killAt: it.at(1) + durationFromMs(4 * 250 * 3) });
  });
});

describe('the loss of a core of a gang', () => {
  it('puts the job back to wait, and the others are free at once', () => {
    const it = bench([single('left', 0)], { deadlineMs: 1_000 });
    it.arrive(1, 'wide');
    it.arrive(2, 'left');
    expect(it.lose(5, 1)).toEqual(['start 2 on 0']);
    it.done(25, 2);
    expect(it.up(300, 1)).toEqual(['start 1 on 0+1']);
  });

  it('fails the job when it has been tried often enough', () => {
    const it = bench([], { deadlineMs: 5_000 });
    it.arrive(1, 'wide');
    it.lose(5, 1);
    it.up(100, 1);
    expect(it.lose(105, 0, 'core-hung')).toEqual(['end 1 failed core-hung']);
  });

  it('that led it is no different', () => {
    const it = bench([single('right', 1)], { deadlineMs: 1_000 });
    it.arrive(1, 'wide');
    it.arrive(2, 'right');
    expect(it.lose(5, 0)).toEqual(['start 2 on 1']);
  });

  it('does not touch a gang that still has enough of them to go on with', () => {
    const it = bench([], { cores: FOUR, deadlineMs: 1_000 });
    it.arrive(1, 'wide');
    expect(it.lose(5, 3)).toEqual([]);
    expect(it.lose(6, 1)).toEqual(['start 1 on 0+2']);
  });

  it('brings in a spare, which is left alone as long as there are enough others', () => {
    const plan = { models: [{ model: 'wide', cores: [0, 1, 2], spares: [2], split: 2, costUs: durationFromMs(10) }] };
    const it = bench([], { cores: [0, 1, 2], deadlineMs: 1_000 }, plan);
    expect(it.arrive(1, 'wide')).toEqual(['start 1 on 0+1']);
    expect(it.arrive(2, 'wide')).toEqual([]);
    expect(it.lose(5, 1)).toEqual(['start 1 on 0+2']);
  });
});

describe('while a gang waits for the last of its cores', () => {
  it('a free one is kept from a job that would hold it up', () => {
    const it = bench([single('right', 1), single('left', 0, { deadlineMs: 2_000 })], { deadlineMs: 500 });
    it.arrive(1, 'right');
    it.arrive(2, 'wide');
    expect(it.arrive(3, 'left')).toEqual(['hold 3 on 0 for wide']);
    expect(it.done(21, 1, 1)).toEqual(['start 2 on 0+1']);
    expect(it.done(31, 2)).toEqual(['start 3 on 0']);
  });

  it('a job that ends before that may use it', () => {
    const it = bench([single('right', 1), single('quick', 0, { costMs: 5, deadlineMs: 2_000 })], { deadlineMs: 500 });
    it.arrive(1, 'right');
    it.arrive(2, 'wide');
    expect(it.arrive(3, 'quick')).toEqual(['start 3 on 0']);
    it.done(8, 3);
    expect(it.done(21, 1, 1)).toEqual(['start 2 on 0+1']);
  });

  it('a job of several steps may run as many of them as fit', () => {
    const steps: StepPlan = { kind: 'blocks', shares: [0.25, 0.25, 0.25, 0.25], switchUs: [0, 0, 0].map(durationUs) };
    const streams = [
      { id: 'wide', cores: [0, 1], split: 2, deadlineMs: 500 },
      single('right', 1),
      single('sliced', 0, { costMs: 32, deadlineMs: 2_000 }),
    ];
    const models = planFor(streams).models.map((row) => (row.model === 'sliced' ? { ...row, steps } : row));
    const it = bench(streams.slice(1), { deadlineMs: 500 }, { models });
    it.arrive(1, 'right');
    it.arrive(2, 'wide');
    // 10 ms each by its high estimate, and the gang's last core is expected at 21.
    expect(it.arrive(3, 'sliced')).toEqual(['start 3 on 0 steps 0+1']);
  });

  it('a job that goes before it takes the core all the same', () => {
    const it = bench([single('right', 1), single('urgent', 0, { criticality: 'safety' })], { deadlineMs: 500 });
    it.arrive(1, 'right');
    it.arrive(2, 'wide');
    expect(it.arrive(3, 'urgent')).toEqual(['start 3 on 0']);
  });

  it('only as many cores are kept as it needs, those that are free first', () => {
    const it = bench([single('a', 0), single('b', 1, { costMs: 60 }), single('c', 2, { deadlineMs: 2_000 })], {
      cores: [0, 1, 2],
      deadlineMs: 500,
    });
    it.arrive(1, 'a');
    it.arrive(1, 'b');
    it.arrive(1, 'c');
    it.arrive(2, 'wide');
    // Core 0 and core 2 will be free first, so core 1 is not kept.
    expect(it.done(21, 1, 0)).toEqual([]);
    expect(it.done(22, 3, 2)).toEqual(['start 4 on 0+2']);
  });

  it('and a run takes longer than expected, nothing else begins on what is kept', () => {
    const it = bench([single('right', 1), single('quick', 0, { costMs: 1, deadlineMs: 2_000 })], { deadlineMs: 500 });
    it.arrive(1, 'right');
    it.arrive(2, 'wide');
    expect(it.arrive(30, 'quick')).toEqual(['hold 3 on 0 for wide']);
    expect(it.done(60, 1, 1)).toEqual(['start 2 on 0+1']);
  });

  it('a core that is free again by somebody else’s end is not lost to the gang either', () => {
    const it = bench([single('left', 0), single('right', 1), single('late', 0, { deadlineMs: 3_000 })], { deadlineMs: 500 });
    it.arrive(1, 'left');
    it.arrive(10, 'right');
    it.arrive(11, 'wide');
    it.arrive(12, 'late');
    expect(it.done(21, 1, 0)).toEqual(['hold 4 on 0 for wide']);
    expect(it.done(30, 2, 1)).toEqual(['start 3 on 0+1']);
  });
});

describe('two gangs', () => {
  const both: StreamOptions[] = [{ id: 'other', cores: [1, 2], split: 2, deadlineMs: 400, costMs: 10 }];

  it('that share a core run one after the other, the more urgent first', () => {
    const it = bench([...both, single('b', 1)], { deadlineMs: 500 });
    it.arrive(1, 'b');
    it.arrive(2, 'wide');
    it.arrive(3, 'other');
    expect(it.done(21, 1, 1)).toEqual(['start 3 on 1+2']);
    expect(it.done(31, 3, 1)).toEqual(['start 2 on 0+1']);
  });

  it('never wait for each other: each of three takes two of three cores, and all end', () => {
    const it = new Bench(
      [
        { id: 'a', cores: [0, 1], split: 2, deadlineMs: 500 },
        { id: 'b', cores: [1, 2], split: 2, deadlineMs: 500 },
        { id: 'c', cores: [2, 0], split: 2, deadlineMs: 500 },
      ],
      { cores: [0, 1, 2] },
    );
    for (const core of [0, 1, 2]) it.up(0, core);
    expect(it.arriveTogether(1, ['a', 'b', 'c'])).toEqual(['start 1 on 0+1', 'hold 3 on 2 for b']);
    expect(it.done(11, 1, 0)).toEqual(['start 2 on 1+2']);
    expect(it.done(21, 2, 1)).toEqual(['start 3 on 2+0']);
    expect(it.done(31, 3, 2)).toEqual([]);
  });
});

describe('interruption and gangs', () => {
  const steps: StepPlan = { kind: 'blocks', shares: [0.2, 0.2, 0.2, 0.2, 0.2], switchUs: [0, 0, 0, 0].map(durationUs) };
  const preemption = { kind: 'between-steps' } as const;

  it('asks the whole gang to yield for a more urgent job of one of its cores', () => {
    const streams = [{ id: 'wide', cores: [0, 1], split: 2 }, single('urgent', 1)];
    const models = planFor(streams).models.map((row) => (row.model === 'wide' ? { ...row, steps, costUs: durationFromMs(100) } : row));
    const it = bench(
      [single('urgent', 1, { criticality: 'safety', costMs: 5, deadlineMs: 50 })],
      { deadlineMs: 5_000 },
      { models, preemption },
    );
    expect(it.arrive(1, 'wide')).toEqual(['start 1 on 0+1 steps 0+5']);
    expect(it.arrive(5, 'urgent')).toEqual(['yield 1 on 0 for 2']);
    const progress = { steps: 1, isLast: false };
    expect(it.tell({ kind: 'segment-done', at: it.at(21), core: 0, job: 1, ranUs: durationUs(1), progress })).toEqual(['start 2 on 1']);
    expect(it.done(26, 2, 1)).toEqual(['start 1 on 0+1 steps 1+4']);
  });

  const long = (id: string, core: number): StreamOptions => single(id, core, { costMs: 100, deadlineMs: 5_000 });
  const cut = (streams: readonly StreamOptions[]): SchedulerPlan['models'] =>
    planFor(streams).models.map((row) => (row.model === 'wide' ? row : { ...row, steps }));

  it('asks all that stand in the way of a more urgent gang', () => {
    const others = [long('left', 0), long('right', 1)];
    const wide: StreamOptions = { id: 'wide', cores: [0, 1], split: 2, criticality: 'safety', deadlineMs: 60 };
    const it = bench(others, wide, { models: cut([wide, ...others]), preemption });
    it.arrive(1, 'left');
    it.arrive(3, 'right');
    expect(it.arrive(5, 'wide').sort()).toEqual(['yield 1 on 0 for 3', 'yield 2 on 1 for 3']);
  });

  it('asks nobody in vain, when one of its cores cannot be had in time', () => {
    const others = [long('left', 0), long('right', 1)];
    const wide: StreamOptions = { id: 'wide', cores: [0, 1], split: 2, criticality: 'safety', deadlineMs: 30, costMs: 20 };
    const models = cut([wide, ...others]).map((row) =>
      row.model === 'right' ? { model: row.model, cores: row.cores, costUs: row.costUs } : row,
    );
    const it = bench(others, wide, { models, preemption, tuning: { drop: 'expired' } });
    it.arrive(1, 'left');
    it.arrive(3, 'right');
    expect(it.arrive(5, 'wide')).toEqual([]);
  });
});

describe('a plan is refused that splits', () => {
  const planned = (row: Partial<SchedulerPlan['models'][number]>, extra: Partial<SchedulerPlan> = {}): (() => Bench) => {
    return () => new Bench([{ id: 'a' }], { models: [{ model: 'a', cores: [0, 1], costUs: durationFromMs(1), ...row }], ...extra });
  };

  it('over more cores than the model has, or over one', () => {
    expect(planned({ split: 3 })).toThrow('split over two to all of its cores');
    expect(planned({ split: 1 })).toThrow('split over two to all of its cores');
    expect(planned({ split: 1.5 })).toThrow('split over two to all of its cores');
  });

  it('where the policy plays through single cores', () => {
    expect(planned({ split: 2 }, { tuning: { victim: 'value' } })).toThrow('cannot place the gangs of a');
  });
});
