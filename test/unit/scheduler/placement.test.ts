import { describe, expect, it } from 'vitest';
import type { Criticality, Stream } from '../../../src/core/stream.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { hardSetProblem } from '../../../src/scheduler/hard-set.ts';
import { type PlacementRequest, placeModels } from '../../../src/scheduler/placement.ts';

interface Row {
  readonly id: string;
  readonly criticality: Criticality;
  readonly periodMs: number;
  readonly deadlineMs: number;
  readonly costMs: number;
  readonly memory?: number;
  readonly isStateful?: boolean;
}

const objects: Row = { id: 'objects', criticality: 'safety', periodMs: 125, deadlineMs: 125, costMs: 57 };
const faces: Row = { id: 'faces', criticality: 'safety', periodMs: 66.667, deadlineMs: 66, costMs: 8 };
const vad: Row = { id: 'vad', criticality: 'interactive', periodMs: 32, deadlineMs: 100, costMs: 0.4, isStateful: true };
const find: Row = { id: 'find', criticality: 'background', periodMs: 500, deadlineMs: 1_000, costMs: 150 };
const lines: Row = { id: 'lines', criticality: 'background', periodMs: 1_000, deadlineMs: 2_000, costMs: 400 };
const cockpit = [objects, faces, vad, find, lines];

const streamOf = (row: Row): Stream => ({
  id: row.id,
  model: row.id,
  criticality: row.criticality,
  periodUs: durationFromMs(row.periodMs),
  deadlineUs: durationFromMs(row.deadlineMs),
  freshness: { kind: 'latest' },
  isStateful: row.isStateful ?? false,
});

const place = (rows: readonly Row[], cores: readonly number[], extra: Partial<PlacementRequest> = {}) =>
  placeModels({
    models: rows.map((row) => ({ id: row.id, costUs: durationFromMs(row.costMs), memoryBytes: row.memory ?? 1 })),
    streams: rows.map(streamOf),
    cores: cores.map((memoryBytes, id) => ({ id, memoryBytes })),
    ...extra,
  });

const coresOf = (placement: ReturnType<typeof place>) => Object.fromEntries(placement.models.map((model) => [model.model, model.cores]));

describe('placeModels', () => {
  it('packs the hard streams of the cockpit on one core and keeps background work off it', () => {
    const placement = place(cockpit, [10, 10]);
    expect(coresOf(placement)).toEqual({ objects: [0], faces: [0], vad: [0], find: [1], lines: [1] });
    expect(placement.problems).toEqual([]);
    expect(placement.cores[0]).toMatchObject({ core: 0, memoryBytes: 3, streams: ['objects', 'faces', 'vad'] });
    expect(placement.cores[0]?.loadRatio).toBeCloseTo(57 / 125 + 8 / 66.667 + 0.4 / 32, 6);
    expect(placement.models.map((model) => model.reason)).toEqual([
      'safety, fits by memory and deadlines beside nothing else',
      'safety, fits by memory and deadlines beside objects',
      'interactive, fits by memory and deadlines beside objects, faces',
      'no guarantee, away from safety and interactive work',
      'no guarantee, away from safety and interactive work',
    ]);
  });

  it('puts on an idle core what nothing was promised, and hard work and spares never', () => {
    const three = [10, 10, 10].map((memoryBytes, id) => ({ id, memoryBytes, isIdle: id === 0 }));
    const placement = place(cockpit, [], { cores: three, hasSpares: true });
    expect(coresOf(placement)).toEqual({ objects: [1, 2], faces: [1, 2], vad: [1], find: [0], lines: [0] });
    expect(placement.models.find(({ model }) => model === 'find')?.reason).toBe('no guarantee, on a core that has what others leave');
    expect(placement.problems).toEqual([]);
  });

  it('makes do with idle cores where there are no others', () => {
    const placement = place(cockpit, [], { cores: [{ id: 0, memoryBytes: 10, isIdle: true }] });
    expect(new Set(placement.models.flatMap(({ cores }) => cores))).toEqual(new Set([0]));
    expect(placement.problems).toEqual([]);
  });

  it('takes a second core for hard work when one cannot hold it', () => {
    const placement = place([{ ...objects, costMs: 80 }, faces, find], [10, 10, 10]);
    expect(coresOf(placement)).toEqual({ objects: [0], faces: [1], find: [2] });
    expect(placement.problems).toEqual([]);
  });

  it('takes a second core where the background streams of hard models would be more than one can do', () => {
    const shared = (periodMs: number, cores: number) => {
      const rows = ['detect', 'segment'].map(
        (model): Row => ({ id: model, criticality: 'safety', periodMs: 100, deadlineMs: 100, costMs: 20 }),
      );
      const extra = rows.map((row): Stream => ({ ...streamOf({ ...row, criticality: 'background', periodMs }), id: `${row.id}-too` }));
      return place(
        rows,
        Array.from({ length: cores }, () => 10),
        { streams: [...rows.map(streamOf), ...extra] },
      );
    };
    expect(coresOf(shared(67, 3))).toEqual({ detect: [0], segment: [0] });
    expect(coresOf(shared(66, 3))).toEqual({ detect: [0], segment: [1] });
    // Where there is no other core, nothing can be done about it.
    expect(coresOf(shared(66, 1))).toEqual({ detect: [0], segment: [0] });
    expect(shared(66, 1).problems).toEqual([]);
  });

  it('spreads background models over the quiet cores by load', () => {
    expect(coresOf(place(cockpit, [10, 10, 10]))).toMatchObject({ lines: [1], find: [2] });
  });

  it('puts background work on the least loaded core when each has hard work', () => {
    const placement = place(cockpit, [10]);
    expect(coresOf(placement)).toMatchObject({ find: [0], lines: [0] });
    expect(placement.models.at(-1)?.reason).toContain('each has safety or interactive work');
  });

  it('goes by memory too, to the last byte', () => {
    const rows = [
      { ...objects, memory: 6 },
      { ...faces, memory: 4 },
    ];
    expect(coresOf(place(rows, [10, 10]))).toEqual({ objects: [0], faces: [0] });
    expect(coresOf(place(rows, [9, 10]))).toEqual({ objects: [0], faces: [1] });
  });

  it('names what fits nowhere, and places it all the same', () => {
    const placement = place([{ ...find, memory: 20 * 2 ** 20 }], [2 ** 20, 3 * 2 ** 20]);
    expect(coresOf(placement)).toEqual({ find: [1] });
    expect(placement.problems).toEqual(['Model find does not fit on any core: it needs 20 MB of memory and core 1 has 3 MB left.']);
    const late = place([{ ...objects, costMs: 200 }], [10, 10]);
    expect(late.problems[0]).toContain('Model objects does not fit on any core: the core would be busy');
  });

  it('gives safety models a spare core where memory allows, and stateful or pinned ones none', () => {
    const placement = place(cockpit, [10, 3], { hasSpares: true });
    expect(coresOf(placement)).toEqual({ objects: [0, 1], faces: [0], vad: [0], find: [1], lines: [1] });
    expect(placement.models[0]?.reason).toContain('spare on core 1');
    expect(placement.models[1]?.reason).toContain('no other core has memory for a spare');
    const stateful = place([{ ...faces, isStateful: true }], [10, 10], { hasSpares: true });
    expect(coresOf(stateful)).toEqual({ faces: [0] });
  });

  it('obeys pins before everything else', () => {
    const placement = place(cockpit, [10, 10], { pins: { objects: [1, 0], lines: [0] }, hasSpares: true });
    expect(coresOf(placement)).toMatchObject({ objects: [1, 0], lines: [0] });
    expect(placement.models[0]?.reason).toBe('pinned by the configuration');
    expect(placement.problems).toEqual([]);
  });

  it('tells of pins that cannot be', () => {
    const pins = { faces: [7], vad: [1, 0], objects: [0] };
    const placement = place([{ ...objects, memory: 11 }, faces, vad], [10, 10], { pins });
    expect(coresOf(placement)).toEqual({ objects: [0], faces: [1], vad: [1] });
    expect(placement.models[1]?.reason).toBe('its pins name no core that exists; this one has the most memory left');
    expect(placement.problems).toEqual([
      expect.stringContaining('Model objects is pinned to core 0, but there it needs 1 MB of memory'),
      'Model faces is pinned to core 7, which does not exist.',
      'Model vad keeps a state and can have one core only; it is placed on the first of its pins.',
    ]);
  });

  it('leaves out models that no stream uses, and gives the same answer twice', () => {
    const request = {
      models: [{ id: 'unused', costUs: durationFromMs(1), memoryBytes: 1 }],
      streams: [],
      cores: [{ id: 0, memoryBytes: 1 }],
    };
    expect(placeModels(request).models).toEqual([]);
    expect(place(cockpit, [10, 10, 10])).toEqual(place(cockpit, [10, 10, 10]));
  });
});

describe('hardSetProblem', () => {
  const problemOf = (rows: readonly Row[]) =>
    hardSetProblem(rows.map((row) => ({ stream: streamOf(row), costUs: durationFromMs(row.costMs) })));

  it('finds none in the cockpit', () => {
    expect(problemOf([objects, faces, vad])).toBeUndefined();
  });

  it('sees a core that would be more than busy', () => {
    expect(problemOf([objects, { ...objects, id: 'more' }, faces])).toBe('the core would be busy 119 % of the time');
  });

  it('sees a run that fits between no two releases of a more urgent stream', () => {
    expect(problemOf([{ ...objects, costMs: 110, periodMs: 1_000, deadlineMs: 1_000 }, faces])).toMatch(
      /^a run of objects .* does not fit between two of faces/,
    );
  });

  it('sees a deadline that waiting for the more urgent ones breaks', () => {
    expect(problemOf([{ ...objects, costMs: 66 }, faces])).toMatch(/^objects may take .* ms of the 113 ms/);
  });
});

describe('placeModels on cores that differ', () => {
  /** What a run of each model takes on each core, in ms; undefined where it cannot run. */
  const placeOn = (
    rows: readonly Row[],
    costs: Readonly<Record<string, readonly (number | undefined)[]>>,
    extra: Partial<PlacementRequest> = {},
  ) =>
    place(rows, [10, 10, 10], {
      models: rows.map(({ id, costMs }) => ({
        id,
        costUs: durationFromMs(costMs),
        memoryBytes: 1,
        coreCostsUs: (costs[id] ?? []).map((ms) => (ms === undefined ? undefined : durationFromMs(ms))),
      })),
      ...extra,
    });

  it('puts each model where its load is least, and counts it with what it takes there', () => {
    const placement = placeOn([find, lines], { find: [600, 300, 150], lines: [400, 800, 400] });
    expect(coresOf(placement)).toEqual({ find: [2], lines: [0] });
    expect(placement.cores.map(({ loadRatio }) => loadRatio)).toEqual([0.4, 0, 0.3]);
  });

  it('takes no core on which a hard stream would be late, and none on which its model cannot run', () => {
    expect(coresOf(placeOn([objects], { objects: [130, 90, 57] }))).toEqual({ objects: [1] });
    expect(coresOf(placeOn([objects], { objects: [undefined, undefined, 57] }))).toEqual({ objects: [2] });
    expect(placeOn([objects], { objects: [undefined, undefined, 57] }).problems).toEqual([]);
  });

  it('says so when a pin or the lack of room leaves only cores on which it cannot run', () => {
    expect(placeOn([objects], { objects: [undefined, 57, 57] }, { pins: { objects: [0] } }).problems.join()).toContain(
      'it cannot run on core 0',
    );
    const full = place([objects], [0, 10], {
      models: [{ id: 'objects', costUs: durationFromMs(57), memoryBytes: 5, coreCostsUs: [durationFromMs(57), undefined] }],
    });
    expect(coresOf(full)).toEqual({ objects: [0] });
    expect(full.problems.join()).toContain('it needs');
  });

  it('takes a spare of the same kind before one of another that has less to do', () => {
    expect(coresOf(placeOn([objects], { objects: [57, 20, 57] }, { hasSpares: true }))).toEqual({ objects: [0, 2] });
    expect(coresOf(placeOn([objects], { objects: [57, 60, 61] }, { hasSpares: true }))).toEqual({ objects: [0, 1] });
  });
});
