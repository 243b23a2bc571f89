import { describe, expect, test } from 'vitest';
import type { PipelineConfig, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { Criticality } from '../../../src/core/stream.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkFit } from '../../../src/runtime/check-fit.ts';
import type { Fit } from '../../../src/runtime/fit.ts';
import { manifestCosts } from '../../../src/runtime/fit-costs.ts';
import type { Placement } from '../../../src/scheduler/placement.ts';

interface Row {
  readonly id: string;
  readonly criticality: Criticality;
  readonly costMs: number;
  readonly periodMs: number;
  readonly deadlineMs: number;
  readonly cores?: readonly number[];
  readonly spares?: readonly number[];
  /** Cores that a job takes at once. */
  readonly split?: number;
  /** Parent pipeline and the most items of one of its results. */
  readonly from?: readonly [string, number];
}

/** Each pipeline has a model of its own name, at home on core 0 unless told. */
function fitOf(
  rows: readonly Row[],
  coreCount = 1,
  scheduler: Omit<RuntimeConfig['scheduler'], 'cuts'> = { policy: 'coxswain', tuning: {} },
  { jitterRatio = 0, burstFrames = 1 } = {},
): Fit {
  const config = {
    scheduler: { cuts: 'auto', ...scheduler },
    sources: [{ id: 'camera', kind: 'synthetic', jitterRatio, burstRatio: burstFrames > 1 ? 0.1 : 0, burstFrames }],
    device: { kind: 'ort', cores: Array.from({ length: coreCount }, () => ({ memoryBytes: 1e9 })) },
    models: rows.map(({ id, costMs }) => ({ id, costUs: durationFromMs(costMs) })),
    pipelines: rows.map(
      ({ id, criticality, periodMs, deadlineMs, from }): Pick<PipelineConfig, 'id' | 'input' | 'stream'> => ({
        id,
        input: from === undefined ? { kind: 'source', source: 'camera' } : { kind: 'pipeline', pipeline: from[0], itemsMax: from[1] },
        stream: {
          id,
          model: id,
          criticality,
          periodUs: durationFromMs(periodMs),
          deadlineUs: durationFromMs(deadlineMs),
          freshness: { kind: 'latest' },
          isStateful: false,
        },
      }),
    ),
  } as unknown as RuntimeConfig;
  const models = rows.map(({ id, cores = [0], spares = [], split }) => ({
    ...{ model: id, streams: [id], cores, spares, reason: '' },
    ...(split === undefined ? {} : { split }),
  }));
  return checkFit(config, { models, cores: [], problems: [] } satisfies Placement, manifestCosts(config));
}

const camera: Row = { id: 'camera', criticality: 'safety', costMs: 20, periodMs: 100, deadlineMs: 80 };
const lines: Row = { id: 'lines', criticality: 'background', costMs: 30, periodMs: 100, deadlineMs: 2_000 };

describe('checkFit', () => {
  test('adds up a lone stream: 12 ms off the core and 1.15 times the cost on it', () => {
    const { fits, streams, pipelines, cores } = fitOf([camera]);
    expect(fits).toBe(true);
    expect(streams).toMatchObject([
      {
        id: 'camera',
        assurance: 'always',
        responseUs: 12_000 + 23_000,
        costUs: 23_000,
        blockingUs: 0,
        toleratesUs: 80_000 - 12_000 - 23_000,
        runUsMax: null,
      },
    ]);
    // The deadline leaves the core 68 ms: 2.95 times 23 ms fit, 2.96 times do not.
    expect(streams[0]?.costFactorMax).toBe(2.95);
    expect(cores[0]?.loadRatio).toBeCloseTo(0.23);
    expect(pipelines).toEqual([{ id: 'camera', hops: ['camera'], reactionUs: 100_000 + 35_000 }]);
  });

  test('looks for the factor as far as the deadline allows', () => {
    // 4.5 ms times 1.15 are 5.175 ms, and the core has 988.
    const { streams } = fitOf([{ ...camera, costMs: 4.5, periodMs: 1000, deadlineMs: 1000 }]);
    expect(streams[0]?.costFactorMax).toBe(190.91);
  });

  test('has a factor for each of 64 small streams on one core', () => {
    const rates = [1, 5, 7, 10, 13, 15, 20, 240];
    const rows = Array.from({ length: 64 }, (_, index): Row => {
      const periodMs = 1000 / (rates[index % rates.length] ?? 1);
      return { ...camera, id: `small-${index}`, costMs: 0.05, periodMs, deadlineMs: Math.max(20, periodMs) };
    });
    const { streams, isCutShort, notComputed } = fitOf(rows);
    expect([isCutShort, notComputed]).toEqual([false, []]);
    expect(Math.min(...streams.map(({ costFactorMax }) => costFactorMax ?? 0))).toBeGreaterThan(1);
  });

  test('counts the longest background run as blocking, and says how long one may be', () => {
    const { assurance, streams } = fitOf([camera, lines]);
    expect(assurance).toBe('always');
    expect(streams).toMatchObject([
      { id: 'camera', responseUs: 12_000 + 34_500 + 23_000, blockingUs: 34_500, toleratesUs: 45_000 },
      { id: 'lines', assurance: 'unguarded', responseUs: null, runUsMax: 45_000, costFactorMax: null },
    ]);
  });

  test('tells what holds by look-ahead only: background runs longer than a deadline stands', () => {
    const { fits, assurance, streams } = fitOf([camera, { ...lines, costMs: 40 }]);
    expect([fits, assurance]).toEqual([true, 'look-ahead']);
    expect(streams[0]).toMatchObject({ assurance: 'look-ahead', responseUs: 80_000, blockingUs: 46_000, toleratesUs: 45_000 });
  });

  test('says what to change first where it does not fit', () => {
    const { fits, streams, cores, advice } = fitOf([camera, { ...camera, id: 'rear', costMs: 45 }]);
    expect(fits).toBe(false);
    expect(streams.map(({ assurance }) => assurance)).toContain('none');
    expect(cores[0]?.factorNeeded).toBeLessThan(1);
    const rear = streams.find(({ id }) => id === 'rear');
    expect(rear?.costFactorMax).toBeGreaterThan(0.8);
    expect(advice).toEqual([
      expect.stringMatching(/^core 0: no bound within the deadline for .*; first make rear cheaper, to a costMs of 38\.7 \(factor 0\.86\)/),
    ]);
  });

  test('with the cost that it advises, it fits; with a hundredth more it does not', () => {
    const factor = fitOf([camera, { ...camera, id: 'rear', costMs: 45 }]).streams[1]?.costFactorMax ?? Number.NaN;
    const withFactor = (at: number): boolean => fitOf([camera, { ...camera, id: 'rear', costMs: 45 * at }]).fits;
    expect([withFactor(factor), withFactor(factor + 0.011)]).toEqual([true, false]);
  });

  test('counts frames of a source that comes late by up to its jitter, and all of its bursts', () => {
    const cabin: Row = { ...lines, id: 'cabin', criticality: 'interactive', costMs: 20, deadlineMs: 400 };
    const fixed = { policy: 'fixed-priority', tuning: {} } as const;
    const [steady, late] = [fitOf([camera, cabin], 1, fixed), fitOf([camera, cabin], 1, fixed, { jitterRatio: 0.9 })];
    // Two frames may come within 10 ms now, and of both streams: three more runs before the last one of the cabin, which came 10 ms later.
    expect([steady, late].map(({ streams }) => streams[1]?.responseUs)).toEqual([12_000 + 46_000, 12_000 + 4 * 23_000 - 10_000]);
    const burst = fitOf([{ ...camera, deadlineMs: 200 }], 1, undefined, { burstFrames: 3 });
    expect(burst.streams[0]?.responseUs).toBe(12_000 + 3 * 23_000);
    // The cabin may be held for a camera that comes later than expected, so under coxswain it relies on look-ahead.
    expect(fitOf([camera, cabin], 1, undefined, { jitterRatio: 0.9 }).streams[1]).toMatchObject({
      assurance: 'look-ahead',
      responseUs: 400_000,
    });
    expect(fitOf([camera, cabin], 1, undefined, { jitterRatio: 0.05 }).streams[1]).toMatchObject({ assurance: 'always' });
  });

  test('leaves out a spare core, which serves only when another is lost', () => {
    const guarded = { ...camera, id: 'guarded', costMs: 30, cores: [1, 0], spares: [0] };
    const { streams, cores } = fitOf([camera, guarded], 2);
    expect(cores.map(({ loadRatio }) => Number(loadRatio.toFixed(3)))).toEqual([0.23, 0.345]);
    expect(streams.map(({ responseUs }) => responseUs)).toEqual([12_000 + 23_000, 12_000 + 34_500]);
  });

  test('takes a stream whose model is on a second core as a guest there', () => {
    const guest = { ...camera, id: 'guest', costMs: 30, cores: [1, 0] };
    const { streams, cores } = fitOf([camera, guest], 2);
    expect(cores.map(({ loadRatio }) => Number(loadRatio.toFixed(3)))).toEqual([0.575, 0.345]);
    expect(streams.map(({ responseUs }) => responseUs)).toEqual([12_000 + 23_000 + 34_500, 12_000 + 34_500]);
  });

  test('takes all items of one result as one burst, after the deadline of the parent', () => {
    const texts: Row = { id: 'texts', criticality: 'interactive', costMs: 5, periodMs: 25, deadlineMs: 300, from: ['camera', 4] };
    const { streams, pipelines } = fitOf([camera, texts]);
    // 80 ms until the parent's result at worst, 12 off the core, four runs of 5.75, and one or two of the camera before the last of them.
    expect(streams[1]).toMatchObject({ assurance: 'always', responseUs: 80_000 + 12_000 + 4 * 5_750 + 23_000 });
    expect(pipelines[1]).toEqual({ id: 'texts', hops: ['camera', 'texts'], reactionUs: 100_000 + (streams[1]?.responseUs ?? 0) });
  });

  test('does not fit when the deadline is shorter than one run', () => {
    const { fits, advice } = fitOf([{ ...camera, deadlineMs: 20 }]);
    expect(fits).toBe(false);
    expect(advice[0]).toContain('first make camera cheaper');
  });

  describe('under another policy', () => {
    const interactive: Row = { id: 'cabin', criticality: 'interactive', costMs: 20, periodMs: 100, deadlineMs: 60 };

    test('edf is blind to classes: a stream with a shorter deadline goes first whatever it is, and background work is no mere blocking', () => {
      const [byClass, blind] = [fitOf([camera, interactive, lines]), fitOf([camera, interactive, lines], 1, { policy: 'edf', tuning: {} })];
      expect([byClass.policy, blind.policy]).toEqual([
        { name: 'coxswain', isCovered: true },
        { name: 'edf', isCovered: true },
      ]);
      // One long run of lines may have begun, then the cabin goes before the camera.
      expect(byClass.streams[0]).toMatchObject({ assurance: 'always', responseUs: 12_000 + 34_500 + 23_000 });
      expect(blind.streams[0]).toMatchObject({ assurance: 'none', responseUs: 12_000 + 34_500 + 23_000 + 23_000 });
      expect(byClass.cores[0]?.loadRatio).toBeCloseTo(0.46);
      expect(blind.cores[0]?.loadRatio).toBeCloseTo(0.46 + 0.345);
      expect(blind.fits).toBe(false);
    });

    test('fixed priorities hold no core: what is longer than a stream tolerates makes it late', () => {
      const long = { ...lines, costMs: 40 };
      const fixed = fitOf([camera, long], 1, { policy: 'fixed-priority', tuning: {} });
      expect([fitOf([camera, long]).assurance, fixed.assurance]).toEqual(['look-ahead', 'none']);
      expect(fixed.streams[0]).toMatchObject({ responseUs: 12_000 + 46_000 + 23_000, blockingUs: 46_000, toleratesUs: 45_000 });
      expect(fitOf([camera, lines], 1, { policy: 'fixed-priority', tuning: {} }).assurance).toBe('always');
    });

    test.each([
      ['fifo', { policy: 'fifo', tuning: {} }],
      ['laxity', { policy: 'laxity', tuning: {} }],
      ['coxswain with victim: value', { policy: 'coxswain', tuning: { victim: 'value' } }],
    ] as const)('of %s nothing is known, and it says so', (name, scheduler) => {
      const { fits, policy, streams, cores, advice } = fitOf([camera, lines], 1, scheduler);
      expect([fits, policy.isCovered]).toEqual([false, false]);
      expect(streams).toMatchObject([
        { assurance: 'none', responseUs: null, blockingUs: null, costUs: 23_000 },
        { assurance: 'unguarded', responseUs: null },
      ]);
      expect(cores[0]?.loadRatio).toBeCloseTo(0.23);
      expect(advice).toEqual([expect.stringContaining(`policy ${name}: no bound is known`)]);
    });
  });
});

describe('checkFit of gangs', () => {
  const wide: Row = { id: 'wide', criticality: 'safety', costMs: 20, periodMs: 100, deadlineMs: 80, cores: [0, 1], split: 2 };
  const left: Row = { ...camera, id: 'left', criticality: 'interactive', costMs: 10 };
  const right: Row = { ...left, id: 'right', cores: [1] };
  const of = ({ streams }: Fit, id: string) => streams.find((stream) => stream.id === id);

  test('a gang alone answers as one run would', () => {
    const fit = fitOf([wide], 2);
    expect(fit).toMatchObject({ fits: true, assurance: 'always' });
    expect(of(fit, 'wide')).toMatchObject({ responseUs: 35_000, costUs: 23_000, core: 0 });
    expect(fit.cores.map(({ loadRatio }) => loadRatio)).toEqual([0.23, 0.23]);
  });

  test('cores that a gang ties together are taken as one that does everything, and what holds it up counts with it', () => {
    // With deadlines that leave room for more: nobody is ever held for somebody.
    const fit = fitOf(
      [wide, left, right].map((row) => ({ ...row, deadlineMs: 100 })),
      2,
    );
    // One run of the others blocks the gang at first, and once more on the other core; each of the others waits for all of that, and for its peer.
    expect(of(fit, 'wide')?.responseUs).toBe(12_000 + 11_500 + 11_500 + 23_000);
    expect(of(fit, 'left')?.responseUs).toBe(12_000 + 23_000 + 11_500 + 11_500 + 11_500);
    expect(of(fit, 'right')?.responseUs).toBe(of(fit, 'left')?.responseUs);
    for (const { loadRatio } of fit.cores) expect(loadRatio).toBeCloseTo(0.345, 9);
  });

  test('cores that no gang ties together are judged apart', () => {
    const fit = fitOf([wide, { ...left, cores: [2] }, right], 3);
    expect(of(fit, 'left')?.responseUs).toBe(12_000 + 11_500);
    expect(fit.cores[2]).toMatchObject({ assurance: 'always', loadRatio: 0.115 });
  });

  test('gangs on just the same cores hold each other up once, like runs on one core', () => {
    const other: Row = { ...wide, id: 'other', criticality: 'interactive', costMs: 10 };
    const [gangs, singles] = [fitOf([wide, other], 2), fitOf([wide, other].map(({ split: _, ...row }) => ({ ...row, cores: [0] })))];
    for (const id of ['wide', 'other']) expect(of(gangs, id)?.responseUs).toBe(of(singles, id)?.responseUs);
  });

  test('background runs that would hold a gang up are held back as far as they are foreseen, and that is said', () => {
    const fit = fitOf([wide, { ...lines, cores: [1] }, left], 2);
    expect(of(fit, 'wide')).toMatchObject({ assurance: 'look-ahead', responseUs: 80_000 });
    expect(fit.assurance).toBe('look-ahead');
    const blind = fitOf([wide, { ...lines, cores: [1] }, left], 2, { policy: 'fixed-priority', tuning: {} });
    expect(of(blind, 'wide')?.assurance).toBe('none');
    // Nobody holds them back there, so a cheaper gang has to stand them.
    expect(of(blind, 'wide')?.costFactorMax ?? 0).toBeLessThan(1);
  });

  test('two gangs that share a core tie all of theirs together', () => {
    const fit = fitOf(
      [
        { ...wide, costMs: 5 },
        { ...wide, id: 'next', costMs: 5, cores: [1, 2] },
        { ...left, costMs: 5, cores: [2] },
      ],
      4,
    );
    // Both gangs go before it, each of them held up by a run of somebody who is not on just its cores.
    expect(of(fit, 'left')?.responseUs).toBe(12_000 + 5 * 5_750);
    expect(fit.cores[3]).toMatchObject({ assurance: 'always', loadRatio: 0 });
  });

  test('what does not fit is told of all its cores', () => {
    const fit = fitOf([wide, { ...left, costMs: 60 }, { ...right, costMs: 60 }], 2);
    expect(fit.fits).toBe(false);
    expect(fit.advice[0]).toMatch(/^cores 0, 1: no bound within the deadline for /);
  });

  test('nothing is proven of gangs under a policy without a bound', () => {
    const fit = fitOf([wide, left], 2, { policy: 'fifo', tuning: {} });
    expect(fit.fits).toBe(false);
    expect(fit.streams.map(({ assurance }) => assurance)).toEqual(['none', 'none']);
  });
});
