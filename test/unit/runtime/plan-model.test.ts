import { describe, expect, it } from 'vitest';
import type { LanguageShape, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { columnCost } from '../../../src/devices/sim/column-cost.ts';
import { aloneUs } from '../../../src/devices/sim/sim-device.ts';
import { planModel, planNetwork } from '../../../src/runtime/plan-model.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { languageModelOf } from '../../../src/runtime/simulate-costs.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const shape = vehicle.models.find(({ id }) => id === 'assistant-8b')?.shape as LanguageShape;
const small: LanguageShape = {
  ...shape,
  layers: 24,
  hidden: 896,
  heads: 14,
  kvHeads: 2,
  headSize: 64,
  intermediate: 4864,
  vocabulary: 151936,
};
const chipOf = (id: string) => ({ profile: shippedSoc(id), mode: modeOf(shippedSoc(id)) });
const speedOf = (soc: string, { of = shape, contextTokens = 2048 } = {}) =>
  planModel({ ...chipOf(soc), shape: of, bits: 4, contextTokens }).speed;

/** Somebody asks with so many tokens every ten seconds, and nobody else is there. */
const asking = (promptTokens: number): RuntimeConfig => ({
  ...vehicle,
  sources: vehicle.sources.flatMap((source) =>
    source.kind === 'turns'
      ? [
          {
            ...source,
            arrivals: 'periodic',
            periodUs: durationFromMs(10_000),
            promptTokens: { from: promptTokens, to: promptTokens },
            answerTokens: { from: 4, to: 4 },
          },
        ]
      : [],
  ),
  pipelines: vehicle.pipelines.flatMap(({ answer, ...pipeline }) =>
    answer === undefined
      ? []
      : [
          {
            ...pipeline,
            cores: undefined,
            stream: { ...pipeline.stream, periodUs: durationFromMs(10_000), tokens: {} },
            answer: { tokensMax: 10, breaksIn: false },
          },
        ],
  ),
  scheduler: { ...vehicle.scheduler, servers: [] },
  modes: undefined,
});

describe('the time to the first token', () => {
  it.each(['orin-agx', 'thor'])(
    'is what a simulated turn takes on %s, the last chunk of the prompt giving the first token',
    async (soc) => {
      const chip = chipOf(soc);
      const config = asking(512);
      const { report } = await simulate(
        { ...chip, config, spanUs: durationFromMs(30_000), seed: 1, faults: {}, isTraced: false },
        { costs: usedCosts(config, chip.profile) },
      );
      const { samples = 0, mean } = report.streams[0]?.answers?.firstTokenMs ?? {};
      expect(samples).toBeGreaterThan(1);
      const planned = speedOf(soc)?.prompt.firstTokenMs ?? Number.NaN;
      expect(Math.abs((mean ?? Number.NaN) / planned - 1)).toBeLessThan(0.01);
    },
  );

  it('does not depend on how long the conversation may get, and of one token is that of one token', () => {
    const [short, long] = [2048, 100_000].map((contextTokens) => speedOf('orin-agx', { contextTokens })?.prompt);
    expect(short).toEqual(long);
    const one = speedOf('orin-agx', { contextTokens: 1 });
    expect(one?.prompt.tokens).toBe(1);
    expect((one?.prompt.firstTokenMs ?? 0) * (one?.decode.tokensPerSecond ?? 0)).toBeCloseTo(1000, 0);
  });
});

describe('what a core can address', () => {
  const chip = chipOf('car-500');
  const within = (addressWindowBytes: number, addressWindows?: number) =>
    planModel({ ...chip, profile: { ...chip.profile, addressWindowBytes, addressWindows }, shape, bits: 4, contextTokens: 2048 });

  it('has to hold the model, however much memory there is', () => {
    const { memory, window, speed } = within(4e9);
    expect([memory.doesFit, window?.fits, speed]).toEqual([true, false, undefined]);
    expect(window?.neededBytes).toBeGreaterThanOrEqual(memory.weightBytes + memory.kvBytes);
    expect(within(5e9)).toMatchObject({ window: { fits: true }, speed: { prompt: { tokens: 512 } } });
    expect(within(2.5e9, 2).window).toMatchObject({ fits: true, haveBytes: 5e9 });
  });

  it('holds each network as well, in one window', () => {
    const layers = languageModelOf(shape).decodeLayers(1, 1);
    expect(
      planNetwork(layers, 4e9, { ...chip, profile: { ...chip.profile, addressWindowBytes: 3e9, addressWindows: 2 } }).window,
    ).toMatchObject({
      ...{ fits: false, haveBytes: 3e9 },
    });
    expect(planNetwork(layers, 4e9, chip).window).toBeUndefined();
  });
});

describe('the number of cores', () => {
  it.each(['rk3588', 'rk3576', 'car-500', 'zhouyi-x2', 'ai-pc'])('is on %s the one that makes most tokens', (soc) => {
    const decode = speedOf(soc, { of: small })?.decode;
    if (decode === undefined) throw new Error('half a billion parameters fit');
    const { profile, mode } = chipOf(soc);
    const layers = languageModelOf({ ...small, bits: 4.5 }).decodeLayers(1, 2047);
    const rates = Array.from(
      { length: profile.clusterCount * profile.coresPerCluster },
      (_, index) => 1e6 / aloneUs(columnCost(layers, profile, index + 1), profile, mode),
    );
    expect(decode.tokensPerSecond).toBe(Math.max(...rates));
    expect(decode.cores).toBe(1 + rates.indexOf(Math.max(...rates)));
    expect([decode.oneCoreTokensPerSecond, decode.allCoresTokensPerSecond]).toEqual([rates[0], rates.at(-1)]);
  });

  it('leaves perception the cores that it does not need', () => {
    const { decode, left } = speedOf('rk3588', { of: small }) ?? {};
    expect(decode?.cores).toBe(1);
    // One core of three at fifteen tokens a second.
    expect(left?.computeRatio).toBeGreaterThan(1 - 15 / (decode?.tokensPerSecond ?? 0) / 3 - 1e-9);
    expect(left?.topsInt8).toBeCloseTo(6 * (left?.computeRatio ?? 0));
  });
});
