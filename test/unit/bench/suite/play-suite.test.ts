import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aimResults } from '../../../../src/bench/suite/aims.ts';
import { playSuite, type SuiteOptions, type SuiteResult } from '../../../../src/bench/suite/play-suite.ts';
import { createConfigFiles } from '../../../../src/config/config-files.ts';
import { loadSoc } from '../../../../src/config/load-soc.ts';
import type { BenchSuite, Load, LoadPattern } from '../../../../src/core/bench-suite.ts';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { durationFromMs, durationUs } from '../../../../src/core/units.ts';

const profile = loadSoc(resolve(import.meta.dirname, '../../../../configs/soc/orin-agx.yaml'), { files: createConfigFiles() });
const [mode] = profile.modes;
if (mode === undefined) throw new Error('a profile has a mode');

const timed = (id: string, runMs: number, blocks = 1): BenchSuite['models'][number] => ({
  ...{ id, source: 'stated', blocks, kind: 'time' },
  runUs: durationFromMs(runMs),
});
const load = (id: string, model: string, pattern: LoadPattern, rest: Partial<Load> = {}): Load => ({
  ...{ id, model, criticality: 'safety', pattern, queueMax: 1_000, cores: undefined },
  deadlineUs: durationFromMs(1_000),
  ...rest,
});
const suite = (models: BenchSuite['models'], loads: readonly Load[], rest: Partial<BenchSuite> = {}): BenchSuite => ({
  ...{ file: 'test.yaml', name: 'test', about: 'a test', soc: 'orin-agx', coresMax: 1, published: [], aims: [], measured: undefined },
  spanUs: durationFromMs(1_000),
  ...{ models, workloads: [{ id: 'w', about: 'a test', loads, reserves: [], bandwidthRatio: 1, busBudget: undefined }] },
  ...rest,
});
const play = (of: BenchSuite, rest: Partial<SuiteOptions> = {}): Promise<SuiteResult> =>
  playSuite({
    ...{ suite: of, workloads: of.workloads, policies: ['fifo'], costs: 'stated', drop: undefined, deadlineTimes: undefined },
    ...{ isWhole: false, doAllPreempt: false, profile, mode, spanUs: of.spanUs, seed: 1 },
    ...rest,
  });
const rowOf = ({ rows }: SuiteResult, index = 0): SuiteResult['rows'][number] => {
  const row = rows[index];
  if (row === undefined) throw new Error(`there is no row ${index}`);
  return row;
};
const closed: LoadPattern = { kind: 'closed-loop', clients: 1, thinkUs: durationUs(0) };

describe('a suite on a simulated chip', () => {
  it('serves a Poisson load on one core as queueing theory says: Pollaczek and Khinchine', async () => {
    // Half of the core taken by runs of 2 ms: the mean wait of an M/D/1 queue is C rho / (2 (1 - rho)) = 1 ms.
    const of = suite([timed('m', 2)], [load('a', 'm', { kind: 'poisson', meanUs: 4_000 })], { spanUs: durationFromMs(50_000) });
    const { loads, busyRatio } = rowOf(await play(of));
    expect(busyRatio).toBeCloseTo(0.5, 1);
    expect(loads[0]?.meanMs).toBeGreaterThan(2.85);
    expect(loads[0]?.meanMs).toBeLessThan(3.15);
  });

  it('keeps the core busy with a closed loop, and counts what it got', async () => {
    const of = suite([timed('m', 10)], [load('a', 'm', closed, { criticality: 'background' })]);
    const row = rowOf(await play(of));
    expect(row.loads[0]).toMatchObject({ requested: 100, done: 100, unfinished: 0, perSecond: 100, meanMs: 10 });
    expect(row.bestEffortPerSecond).toBe(100);
  });

  it('compares each load with the same requests alone', async () => {
    const models = [timed('short', 2), timed('long', 8)];
    const uniform: LoadPattern = { kind: 'uniform', periodUs: 20_000, phaseUs: 1_000 };
    const result = await play(suite(models, [load('a', 'short', uniform), load('b', 'long', closed, { criticality: 'background' })]));
    expect(result.alone).toEqual([{ workload: 'w', load: 'a', meanMs: 2, p50Ms: 2, p99Ms: 2, p999Ms: 2, maxMs: 2 }]);
    const row = rowOf(result);
    expect(row.loads[0]?.meanMs).toBeGreaterThan(2);
    expect(row.slowdownMean).toBeCloseTo((row.loads[0]?.meanMs ?? 0) / 2, 3);
  });

  it('plays a dependent load after every result of the first, alone with the first too', async () => {
    const first: LoadPattern = { kind: 'uniform', periodUs: 50_000, phaseUs: 0 };
    const second: LoadPattern = { kind: 'dependent', after: 'a', delayUs: durationUs(500) };
    const result = await play(suite([timed('m', 3)], [load('a', 'm', first), load('b', 'm', second)]));
    expect(rowOf(result).loads.map(({ requested }) => requested)).toEqual([20, 20]);
    expect(result.alone.map(({ meanMs }) => meanMs)).toEqual([3, 3]);
  });

  it('drops nothing for fifo unless told to, and what came too late when told', async () => {
    const models = [timed('m', 30)];
    const loads = [load('a', 'm', { kind: 'uniform', periodUs: 20_000, phaseUs: 0 }, { deadlineUs: durationFromMs(60) })];
    const [all, some] = [rowOf(await play(suite(models, loads))), rowOf(await play(suite(models, loads), { drop: 'expired' }))];
    expect(all.loads[0]).toMatchObject({ lost: 0, late: 29 });
    expect(some.loads[0]?.lostBy).toEqual({ infeasible: expect.any(Number) });
  });

  it('interrupts a long run between its blocks for one that would be late, and not when it is whole', async () => {
    const models = [timed('short', 5), timed('long', 400, 40)];
    const loads = [
      load('a', 'short', { kind: 'uniform', periodUs: 50_000, phaseUs: 10_000 }, { deadlineUs: durationFromMs(40) }),
      load('b', 'long', closed, { criticality: 'background', deadlineUs: durationFromMs(60_000) }),
    ];
    const options = { policies: ['coxswain'] } as const;
    const cut = rowOf(await play(suite(models, loads, { spanUs: durationFromMs(10_000) }), options));
    expect(cut.loads[0]).toMatchObject({ late: 0, lost: 0 });
    expect(cut.loads[1]?.done).toBeGreaterThan(15);
    const whole = rowOf(await play(suite(models, loads, { spanUs: durationFromMs(10_000) }), { ...options, isWhole: true }));
    expect((whole.loads[0]?.missed ?? 0) + (15 - (whole.loads[1]?.done ?? 0))).toBeGreaterThan(10);
  });

  it('gives the same result for the same seed, byte for byte, and another for another', async () => {
    const loads = [load('a', 'm', { kind: 'poisson', meanUs: 9_000 }), load('b', 'm', closed, { criticality: 'background' })];
    const of = suite([timed('m', 4)], loads);
    const policies = ['fifo', 'round-robin', 'coxswain', 'laxity'] as const;
    const texts = await Promise.all([1, 1, 2].map(async (seed) => JSON.stringify((await play(of, { policies, seed })).rows)));
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
  });

  it('takes measured times in place of stated ones when asked', async () => {
    const measured = { source: 'a stop-watch', runUs: { m: durationFromMs(7) } };
    const of = suite([timed('m', 3)], [load('a', 'm', { kind: 'uniform', periodUs: 50_000, phaseUs: 0 })], { measured });
    expect((await play(of)).models).toEqual([{ id: 'm', aloneMs: 3, blocks: 1, source: 'stated' }]);
    expect((await play(of, { costs: 'measured' })).models).toEqual([{ id: 'm', aloneMs: 7, blocks: 1, source: 'a stop-watch' }]);
  });

  it('sets deadlines as multiples of a run alone, for all but best effort', async () => {
    const loads = [
      load('a', 'm', closed, { criticality: 'background' }),
      load('b', 'm', { kind: 'uniform', periodUs: 10_000, phaseUs: 0 }),
    ];
    const tight = rowOf(await play(suite([timed('m', 4)], loads), { deadlineTimes: 1 }));
    expect(tight.loads.map(({ late }) => late > 0)).toEqual([false, true]);
  });

  it('refuses a model that the memory of the chip has no room for', async () => {
    const big: BenchSuite['models'][number] = {
      ...{ id: 'big', source: 'stated', blocks: 1, kind: 'network', macs: 1e12, parameters: 1e11, height: 64, width: 64, channels: 3 },
    };
    const refusal = play(suite([big], [load('a', 'big', closed)])).catch((error: unknown) => error);
    expect(await refusal).toBeInstanceOf(CoxswainError);
    expect(await refusal).toMatchObject({ code: 'MODEL_UNLOADABLE', message: expect.stringContaining('GB') });
  });

  it.each([
    ['cores that the chip does not have', { cores: [1, 2] }, 'load a of workload w may run on core 1, 2 only, and cores 0 to 0 take part'],
    [
      'more requests than can be remembered',
      { pattern: { kind: 'uniform', periodUs: 10, phaseUs: 0 } },
      'about 60000000 requests in 600 s',
    ],
    [
      'a trace that never ends',
      { pattern: { kind: 'trace', atUs: [0, 1, 2].map(durationUs), repeatUs: durationUs(3) } },
      '600000000 requests',
    ],
  ] as const)('refuses %s', async (_, wrong, text) => {
    const of = suite([timed('m', 1)], [load('a', 'm', closed, wrong)], { spanUs: durationFromMs(600_000) });
    const refusal = await play(of).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(text) });
  });

  it('tells how far it is, never going back', async () => {
    const of = suite([timed('m', 0.05)], [load('a', 'm', closed), load('b', 'm', closed)]);
    const told: number[] = [];
    await playSuite(
      {
        ...{
          suite: of,
          workloads: of.workloads,
          policies: ['fifo', 'coxswain'],
          costs: 'stated',
          drop: undefined,
          deadlineTimes: undefined,
        },
        ...{ isWhole: false, doAllPreempt: false, profile, mode, spanUs: durationFromMs(1_500), seed: 1 },
      },
      { pause: async (ratio) => void told.push(ratio) },
    );
    expect(told.length).toBeGreaterThan(4);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.every((ratio) => ratio >= 0 && ratio <= 1)).toBe(true);
  });
});

describe('a language model on a simulated chip', () => {
  const talk: BenchSuite['models'][number] = {
    ...{ id: 'talk', source: 'made up', blocks: 1, kind: 'language', layers: 16, hidden: 2048, heads: 16, kvHeads: 4, headSize: undefined },
    ...{ intermediate: 8192, vocabulary: 32_000, tiedEmbedding: false, bits: 8, kvBits: 16, chunkTokens: 64, burstTokens: 4 },
  };
  const turns = (rest: Partial<Load> = {}): Load =>
    load('assistant', 'talk', closed, {
      ...{ criticality: 'interactive', deadlineUs: durationFromMs(2_000), turn: { promptTokens: 256, tokensMax: 64 } },
      ...{ tokens: { perSecondMax: 50, everyUs: durationFromMs(20) } },
      ...rest,
    });

  it('gives its first token after the prompt and the others at the pace of the listener', async () => {
    const [figures] = rowOf(await play(suite([talk], [turns()], { spanUs: durationFromMs(20_000) }), { policies: ['coxswain'] })).loads;
    expect(figures).toMatchObject({ late: 0, lost: 0 });
    expect(figures?.tokenMeanMs).toBeCloseTo(20, 0);
    expect(figures?.slowestTokensPerSecond).toBeGreaterThan(48);
    expect(figures?.firstTokenMaxMs).toBeLessThan(60);
    // 64 tokens at 50 a second, and the prompt.
    expect(figures?.done).toBe(15);
  });

  it('keeps what is reserved for it beside somebody who would take everything, and gets less without a reserve', async () => {
    const crowd = load(
      'crowd',
      'net',
      { kind: 'closed-loop', clients: 3, thinkUs: durationUs(0) },
      { criticality: 'interactive', deadlineUs: durationFromMs(40) },
    );
    const reserves = [{ id: 'r', loads: ['assistant'], budgetUs: durationFromMs(25), periodUs: durationFromMs(100) }];
    const of = suite([talk, timed('net', 10, 4)], [turns({ deadlineUs: durationFromMs(60_000) }), crowd], {
      spanUs: durationFromMs(20_000),
    });
    const withReserve = { ...of, workloads: of.workloads.map((workload) => ({ ...workload, reserves })) };
    const [reserved, free] = await Promise.all(
      [withReserve, of].map(async (each) => rowOf(await play(each, { policies: ['coxswain'], workloads: each.workloads })).loads[0]),
    );
    const tokenMs = (await play(of)).models[0]?.aloneMs ?? Number.NaN;
    expect(reserved?.slowestTokensPerSecond).toBeGreaterThan((0.25 * 1000 * 0.9) / tokenMs);
    expect(reserved?.tokensPerSecond).toBeGreaterThan((free?.tokensPerSecond ?? 0) * 1.5);
  });

  it('is held to its budget on the bus', async () => {
    const budget = { periodUs: durationUs(1_000), bytesByStream: new Map([['assistant', 10e6]]) };
    const of = suite([talk], [turns({ tokens: {} })], { spanUs: durationFromMs(20_000) });
    const held = { ...of, workloads: of.workloads.map((workload) => ({ ...workload, busBudget: budget })) };
    const [figures] = rowOf(await play(held, { workloads: held.workloads })).loads;
    // Nearly all of its 0.9 GB are read for each token, at 10 GB/s.
    expect(figures?.tokenMeanMs).toBeGreaterThan(80);
    expect(figures?.tokenMeanMs).toBeLessThan(110);
  });
});

describe('aims', () => {
  const of = suite([timed('m', 10)], [load('a', 'm', { kind: 'uniform', periodUs: 20_000, phaseUs: 0 })]);

  it('are held to the default policy alone, bounds included, and left out where they were not played', async () => {
    const result = await play(of, { policies: ['fifo', 'coxswain'] });
    const aim = { workload: 'w', load: 'a', atMost: undefined, atLeast: undefined };
    const aims = [
      { ...aim, figure: 'p99Ms', atMost: 10 },
      { ...aim, figure: 'p99Ms', atMost: 9.9 },
      { ...aim, figure: 'perSecond', atLeast: 49 },
      { ...aim, figure: 'lost', workload: 'other', atMost: 0 },
    ] as const;
    expect(aimResults(aims, result.rows).map(({ got, isMet }) => [got, isMet])).toEqual([
      [10, true],
      [10, false],
      [50, true],
    ]);
    expect(aimResults(aims, (await play(of)).rows)).toEqual([]);
  });
});
