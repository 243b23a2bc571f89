import { describe, expect, it } from 'vitest';
import type { Criticality, Stream } from '../../../src/core/stream.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { type PlacementRequest, placeModels } from '../../../src/scheduler/placement.ts';

interface Row {
  readonly id: string;
  readonly criticality?: Criticality;
  readonly periodMs?: number;
  readonly deadlineMs?: number;
  readonly costMs: number;
  readonly memory?: number;
  readonly isStateful?: boolean;
  /** A run on n cores takes an n-th, and in two clusters a tenth more; false: it cannot be split. */
  readonly canSplit?: boolean;
}

const streamOf = ({ id, criticality = 'safety', periodMs = 100, deadlineMs = 100, isStateful = false }: Row): Stream => ({
  ...{ id, model: id, criticality, periodUs: durationFromMs(periodMs), deadlineUs: durationFromMs(deadlineMs) },
  ...{ freshness: { kind: 'latest' }, isStateful },
});

const timesOf =
  (costMs: number) =>
  (cores: number, clusters: number): number =>
    durationFromMs((costMs / cores) * (clusters === 1 ? 1 : 1.1));

/** Two clusters of four cores each with memory for ten. */
const place = (rows: readonly Row[], splits: PlacementRequest['splits'] = {}, extra: Partial<PlacementRequest> = {}) =>
  placeModels({
    models: rows.map(({ id, costMs, memory = 1, canSplit = true }) => ({
      ...{ id, costUs: durationFromMs(costMs), memoryBytes: memory },
      ...(canSplit ? { splitUs: timesOf(costMs) } : {}),
    })),
    streams: rows.map(streamOf),
    cores: Array.from({ length: 8 }, (_, id) => ({ id, memoryBytes: 10, cluster: Math.floor(id / 4) })),
    splits,
    ...extra,
  });

const only = (placement: ReturnType<typeof place>, id: string) => placement.models.find(({ model }) => model === id);

describe('a model that is split', () => {
  it('gets so many cores, of one cluster where one has enough', () => {
    const placement = place([{ id: 'wide', costMs: 80 }], { wide: 4 });
    expect(only(placement, 'wide')).toMatchObject({ cores: [0, 1, 2, 3], split: 4 });
    expect(only(placement, 'wide')?.reason).toBe('safety, split over 4 cores, 20 ms instead of 80 ms: as configured');
    expect(placement.problems).toEqual([]);
    for (const core of [0, 1, 2, 3]) expect(placement.cores[core]).toMatchObject({ loadRatio: 0.2, memoryBytes: 1, streams: ['wide'] });
  });

  it('spans clusters only when none is large enough', () => {
    const placement = place([{ id: 'wide', costMs: 300 }], { wide: 6 });
    expect(only(placement, 'wide')).toMatchObject({ cores: [0, 1, 2, 3, 4, 5], split: 6 });
    expect(placement.cores[5]?.loadRatio).toBeCloseTo((300 / 6) * 1.1 * 0.01, 6);
  });

  it('goes to the cluster with the least to do, and there to the cores with the least', () => {
    const rows: Row[] = [
      { id: 'wide', costMs: 40, criticality: 'interactive' },
      { id: 'a', costMs: 20 },
      { id: 'b', costMs: 20 },
      { id: 'c', costMs: 20 },
      { id: 'new', costMs: 10 },
    ];
    const placement = place(rows, { wide: 2 }, { pins: { a: [0], b: [1], c: [2], new: [5], wide: [0, 1, 2, 3, 4, 5, 6, 7] } });
    expect(only(placement, 'wide')).toMatchObject({ cores: [4, 6, 0, 1, 2, 3, 5, 7], split: 2 });
  });

  it('automatically takes the fewest cores that keep its deadline', () => {
    const auto = { wide: 'auto' } as const;
    // 12 ms pass off the core and costs count 1.15 times: 88 ms are left.
    const easy = place([{ id: 'wide', costMs: 70 }], auto);
    expect(only(easy, 'wide')).toMatchObject({ cores: [0], reason: 'safety, not split: the fewest cores that keep its deadline' });
    expect(only(easy, 'wide')?.split).toBeUndefined();
    const hard = place([{ id: 'wide', costMs: 160 }], auto);
    expect(only(hard, 'wide')).toMatchObject({ cores: [0, 1, 2], split: 3 });
    expect(only(hard, 'wide')?.reason).toMatch(/split over 3 cores, 53.33 ms instead of 160 ms: the fewest cores that keep its deadline/);
  });

  it('automatically takes more cores when others have to keep their deadlines beside it', () => {
    const rows: Row[] = [
      { id: 'wide', costMs: 70, criticality: 'interactive' },
      { id: 'a', costMs: 20, periodMs: 40, deadlineMs: 40 },
    ];
    const placement = place(rows, { wide: 'auto' }, { pins: { a: [0], wide: [0, 1, 2, 3] } });
    expect(placement.problems).toEqual([]);
    // On core 0 alone, 70 ms do not fit between frames of 40; elsewhere they fit alone.
    expect(only(placement, 'wide')).toMatchObject({ cores: [1, 0, 2, 3] });
    const crowded = place(
      rows,
      { wide: 'auto' },
      { pins: { a: [0], wide: [0, 1] }, cores: [0, 1].map((id) => ({ id, memoryBytes: id === 0 ? 10 : 1 })) },
    );
    expect(only(crowded, 'wide')).toMatchObject({ cores: [1, 0] });
  });

  it('keeps to its pins, and the rest of them may stand in', () => {
    const placement = place([{ id: 'wide', costMs: 40 }], { wide: 2 }, { pins: { wide: [3, 5, 6] } });
    expect(only(placement, 'wide')).toMatchObject({ cores: [5, 6, 3], split: 2 });
    expect(only(placement, 'wide')?.reason).toMatch(/^pinned by the configuration; safety, split over 2 cores/);
    const stateful = place([{ id: 'wide', costMs: 40, isStateful: true }], { wide: 2 }, { pins: { wide: [3, 5, 6] } });
    expect(only(stateful, 'wide')).toMatchObject({ cores: [5, 6], split: 2 });
  });

  it('has a spare core like others when it matters most', () => {
    const placement = place([{ id: 'wide', costMs: 40 }], { wide: 2 }, { hasSpares: true });
    expect(only(placement, 'wide')).toMatchObject({ cores: [0, 1, 2], spares: [2], split: 2 });
  });

  it('may be background work, away from hard work where there is room', () => {
    const rows: Row[] = [
      { id: 'eye', costMs: 10 },
      { id: 'wide', costMs: 400, criticality: 'background' },
    ];
    expect(only(place(rows, { wide: 4 }), 'wide')).toMatchObject({ cores: [4, 5, 6, 7], split: 4 });
    expect(only(place(rows, { wide: 8 }), 'wide')).toMatchObject({ split: 8 });
  });

  it('is told of when it does not fit, with the reason', () => {
    const late = place([{ id: 'wide', costMs: 1_000 }], { wide: 4 });
    expect(late.problems).toEqual([
      expect.stringMatching(/^Model wide does not fit on cores 0, 1, 2, 3 at once: the core would be busy 288 %/),
    ]);
    const large = place([{ id: 'wide', costMs: 10, memory: 11 }], { wide: 2 });
    expect(large.problems).toEqual([
      expect.stringMatching(/^Model wide does not fit on cores 0, 1 at once: it needs 1 MB of memory and core 0 has 0 MB/),
    ]);
    const slow = place([{ id: 'wide', costMs: 10_000 }], { wide: 'auto' });
    expect(only(slow, 'wide')?.split).toBe(8);
    expect(slow.problems).toHaveLength(1);
  });

  it('runs on one core where nothing is known of more, and that is told, unless the planner was to choose', () => {
    const row: Row = { id: 'wide', costMs: 10, canSplit: false };
    const told = place([row], { wide: 2 });
    expect(only(told, 'wide')).toMatchObject({ cores: [0] });
    expect(told.problems).toEqual(['Model wide is to be split over 2 cores, which only simulated cores can do.']);
    expect(place([row], { wide: 'auto' }).problems).toEqual([]);
    expect(place([row], { wide: 2 }, { pins: { wide: [4] } }).problems).toEqual([
      'Model wide is to be split over 2 cores, which only simulated cores can do.',
    ]);
    expect(place([{ id: 'wide', costMs: 10 }], { wide: 2 }, { pins: { wide: [4] } }).problems).toEqual([
      'Model wide is to be split over 2 cores, and it may use 1.',
    ]);
  });
});

describe('a model beside one that is split', () => {
  it('is judged as if the cores of the gang were one', () => {
    // Together 60 + 40 ms in 100: too much one after the other, though no core is busy for more than 60.
    const rows: Row[] = [
      { id: 'wide', costMs: 120, deadlineMs: 100 },
      { id: 'left', costMs: 30, criticality: 'interactive' },
    ];
    const placement = place(rows, { wide: 2 }, { cores: [0, 1].map((id) => ({ id, memoryBytes: 10 })), pins: { left: [1] } });
    expect(placement.problems).toEqual([
      expect.stringMatching(/^Model left is pinned to core 1|^Model wide does not fit on cores 0, 1 at once/),
    ]);
    const apart = place(rows, { wide: 2 }, { pins: { left: [4] } });
    expect(apart.problems).toEqual([]);
  });
});
