import { describe, expect, it } from 'vitest';
import type { Criticality, Stream } from '../../../src/core/stream.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { type PlacementRequest, placeModels } from '../../../src/scheduler/placement.ts';

interface Row {
  readonly model?: string;
  readonly criticality?: Criticality;
  readonly periodMs?: number;
  readonly isStateful?: boolean;
}

const COST_MS = { detect: 10, track: 20 } as const;

/** Streams s0, s1, ... of `detect` (10 ms) where nothing else is said, every 100 ms. */
const place = (rows: readonly Row[], cores: readonly number[], extra: Partial<PlacementRequest> = {}) =>
  placeModels({
    models: Object.entries(COST_MS).map(([id, costMs]) => ({ id, costUs: durationFromMs(costMs), memoryBytes: 2 })),
    streams: rows.map(
      ({ model = 'detect', criticality = 'safety', periodMs = 100, isStateful = false }, index): Stream => ({
        ...{ id: `s${index}`, model, criticality, periodUs: durationFromMs(periodMs), deadlineUs: durationFromMs(periodMs) },
        ...{ freshness: { kind: 'latest' }, isStateful },
      }),
    ),
    cores: cores.map((memoryBytes, id) => ({ id, memoryBytes })),
    ...extra,
  });

const times = (count: number, row: Row = {}): Row[] => Array.from({ length: count }, () => row);
const rowsOf = ({ models }: ReturnType<typeof place>) => models.map(({ model, cores, streams }) => [model, cores.join(), streams.join()]);
const loadsOf = ({ cores }: ReturnType<typeof place>) => cores.map(({ loadRatio }) => Number(loadRatio.toFixed(6)));

describe('a model whose streams no core holds all', () => {
  it('is copied to as few cores as hold them, and each gets as much to do', () => {
    const one = place(times(6), [10, 10, 10]);
    expect(rowsOf(one)).toEqual([['detect', '0', 's0,s1,s2,s3,s4,s5']]);
    const two = place(times(12), [10, 10, 10]);
    expect(rowsOf(two)).toEqual([
      ['detect', '0', 's0,s2,s4,s6,s8,s10'],
      ['detect', '1', 's1,s3,s5,s7,s9,s11'],
    ]);
    expect(two.problems).toEqual([]);
    expect(loadsOf(two)).toEqual([0.6, 0.6, 0]);
    expect(two.cores.map(({ memoryBytes }) => memoryBytes)).toEqual([2, 2, 0]);
    expect(two.models[0]?.reason).toBe('safety, 6 of its 12 streams, since no core holds all of them');
  });

  it('evens out what is there already', () => {
    const placement = place([...times(2, { model: 'track' }), ...times(8, { criticality: 'interactive' })], [10, 10, 10]);
    expect(placement.problems).toEqual([]);
    expect(loadsOf(placement)).toEqual([0.6, 0.6, 0]);
    expect(placement.cores.map(({ streams }) => streams.length)).toEqual([4, 6, 0]);
  });

  it('spreads fast streams before slow ones', () => {
    const placement = place([...times(4, { periodMs: 200 }), ...times(2, { periodMs: 20 })], [10, 10]);
    expect(placement.problems).toEqual([]);
    expect(loadsOf(placement)).toEqual([0.6, 0.6]);
  });

  it('keeps each stream with a state on one core, without spares, and gives the others spares', () => {
    const stateful = place(times(12, { isStateful: true }), [10, 10, 10], { hasSpares: true });
    expect(stateful.models.map(({ cores, spares }) => [cores, spares])).toEqual([
      [[0], []],
      [[1], []],
    ]);
    const others = place(times(12), [10, 10, 10], { hasSpares: true });
    expect(others.models.map(({ cores, spares }) => [cores, spares])).toEqual([
      [[0, 2], [2]],
      [[1, 2], [2]],
    ]);
    // It is there once, whoever may need it.
    expect(others.cores[2]?.memoryBytes).toBe(2);
  });

  it('counts streams without a guarantee too', () => {
    const placement = place([...times(5), ...times(7, { criticality: 'background' })], [10, 10, 10]);
    expect(placement.problems).toEqual([]);
    expect(loadsOf(placement)).toEqual([0.6, 0.6, 0]);
  });

  it('goes where there is memory for it', () => {
    const placement = place(times(12), [10, 1, 10]);
    expect(placement.models.map(({ cores }) => cores)).toEqual([[0], [2]]);
  });

  it('does the work and says what is not sure, where all cores together do not hold it', () => {
    const placement = place(times(16), [10, 10]);
    expect(loadsOf(placement)).toEqual([0.8, 0.8]);
    expect(placement.problems).toEqual([
      expect.stringMatching(/^Model detect does not fit for sure on cores 0, 1: s\d+ may take .* ms of the 88 ms that its deadline leaves/),
    ]);
  });

  it('takes the cores that nobody else needs where all together could not do it, so that nobody is hurt', () => {
    const problems = ['Model detect does not fit on any core: the core would be busy 276 % of the time.'];
    const alone = place(times(24), [10, 10]);
    expect(loadsOf(alone)).toEqual([1.2, 1.2]);
    expect(alone.problems).toEqual(problems);
    expect(alone.models[1]?.reason).toBe('safety, 12 of its 24 streams, since it fits nowhere and these cores have nothing else to do');
    const beside = place([...times(24), ...times(2, { model: 'track' })], [10, 10]);
    expect(loadsOf(beside)).toEqual([2.4, 0.4]);
    expect(beside.problems).toEqual(problems);
  });

  it('is not copied to cores that a gang ties together', () => {
    const splitUs = (cores: number): number => durationFromMs(20 / cores);
    const placement = place([...times(12), { model: 'track' }], [10, 10, 10, 10], {
      models: [
        { id: 'detect', costUs: durationFromMs(10), memoryBytes: 2 },
        { id: 'track', costUs: durationFromMs(20), memoryBytes: 2, splitUs },
      ],
      splits: { track: 2 },
    });
    expect(placement.problems).toEqual([]);
    expect(rowsOf(placement)).toEqual([
      ['detect', '2', 's0,s2,s4,s6,s8,s10'],
      ['detect', '3', 's1,s3,s5,s7,s9,s11'],
      ['track', '0,1', 's12'],
    ]);
  });
});

describe('pins', () => {
  it('are those of each stream, and of those without any the pins of others of their model', () => {
    const placement = place(times(4), [10, 10, 10], { pins: { s0: [1], s1: [2], s2: [1] } });
    expect(rowsOf(placement)).toEqual([
      ['detect', '1', 's0,s2'],
      ['detect', '2', 's1'],
      ['detect', '1,2', 's3'],
    ]);
    expect(placement.problems).toEqual([]);
  });

  it('share the streams where the first core does not hold them, and the others stand in', () => {
    const pins = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`s${index}`, [2, 0]]));
    const placement = place(times(12), [10, 10, 10], { pins, hasSpares: true });
    expect(placement.models).toMatchObject([
      { cores: [2, 0], spares: [0], reason: 'safety, 6 of its 12 streams, pinned by the configuration' },
      { cores: [0, 2], spares: [2], reason: 'safety, 6 of its 12 streams, pinned by the configuration' },
    ]);
    expect(placement.problems).toEqual([]);
  });

  it('let jobs run on any of the cores while the first holds all', () => {
    const pins = { s0: [2, 0], s1: [2, 0] };
    expect(place(times(2), [10, 10, 10], { pins }).models).toMatchObject([
      { cores: [2, 0], spares: [], reason: 'pinned by the configuration' },
    ]);
  });
});

describe('background work that one core cannot do', () => {
  const heavy: Row = { criticality: 'background', periodMs: 4 };

  it('runs on whichever of several quiet cores is free', () => {
    const placement = place([heavy], [10, 10, 10, 10]);
    expect(placement.models).toMatchObject([
      { cores: [0, 1, 2], spares: [], reason: 'no guarantee, away from safety and interactive work; one core cannot do all of it' },
    ]);
    expect(loadsOf(placement)).toEqual([0.833333, 0.833333, 0.833333, 0]);
    expect(placement.cores.map(({ streams }) => streams)).toEqual([['s0'], [], [], []]);
  });

  it('stays where its state is, and away from hard work', () => {
    expect(place([{ ...heavy, isStateful: true }], [10, 10, 10]).models).toMatchObject([{ cores: [0] }]);
    expect(place([{ model: 'track' }, heavy], [10, 10]).models).toMatchObject([{ cores: [1] }, { cores: [0] }]);
  });
});
