import { describe, expect, it } from 'vitest';
import type { LanguageShape, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import { type BesidePlan, planBeside, planNetworkBeside } from '../../../src/runtime/plan-beside.ts';
import { planModel } from '../../../src/runtime/plan-model.ts';
import { costsOf } from '../../../src/runtime/simulate-costs.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const cameras: RuntimeConfig = { ...vehicle, pipelines: vehicle.pipelines.filter(({ id }) => id !== 'assistant') };
const shape = vehicle.models.find(({ id }) => id === 'assistant-8b')?.shape as LanguageShape;
const language = { shape, bits: 4, contextTokens: 2048 };
const chipOf = (id: string) => ({ profile: shippedSoc(id), mode: modeOf(shippedSoc(id)) });
const car = chipOf('car-500');

const beside = (config: RuntimeConfig, chip = car): BesidePlan =>
  planBeside({ chip, config, costs: usedCosts(config, chip.profile) }, language);

/** One core for all, and nobody foresees a release under fixed priorities, so the driver's camera waits for whatever has begun. */
const within = (deadlineMs: number): BesidePlan =>
  beside(
    {
      ...cameras,
      scheduler: { ...cameras.scheduler, policy: 'fixed-priority' },
      pipelines: cameras.pipelines.flatMap((pipeline) =>
        pipeline.id === 'driver-state' ? [{ ...pipeline, stream: { ...pipeline.stream, deadlineUs: durationFromMs(deadlineMs) } }] : [],
      ),
    },
    chipOf('orin-nano'),
  );

describe('a language model beside streams', () => {
  const made = beside(cameras);
  const alone = planModel({ ...car, ...language }).speed;
  const fit = checkConfig({ config: cameras, chip: car, costs: usedCosts(cameras, car.profile) }).fit;

  it('gets what the streams leave of bus, memory and cores, and they are in time as before', () => {
    // With less of the bus, runs are long enough that look-ahead may hold one before it has been measured.
    expect(made.streams).toMatchObject({ didFit: true, doFit: true, assurance: 'look-ahead', advice: [] });
    expect(made.bus.streamGbs * 1e9).toBeCloseTo(fit.bus?.demandedBytesPerSecond ?? Number.NaN);
    expect(made.bus.streamGbs + made.bus.leftGbs).toBeCloseTo(made.bus.usableGbs);
    expect(made.memory).toMatchObject({ streamBytes: fit.memory?.neededBytes, haveBytes: 32e9, doesFit: true });
    // The core of the cameras is left alone.
    expect(made.cores.ids).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(made.cores.idleRatio).toBeGreaterThan(0.98);
  });

  it('is as much slower than alone as the bus is fuller, since at one token at a time the bus is what counts', () => {
    const ratio = (made.speech?.tokensPerSecond ?? 0) / (alone?.decode.tokensPerSecond ?? 1);
    expect(ratio).toBeGreaterThan(made.bus.leftRatio * made.cores.idleRatio * 0.98);
    expect(ratio).toBeLessThan(made.bus.leftRatio * 1.01);
    expect(made.speech?.firstTokenMs).toBeGreaterThan(alone?.prompt.firstTokenMs ?? 0);
  });

  it('leaves the question whether a core can address it to the plan of the model alone', () => {
    const narrow = { ...car, profile: { ...car.profile, addressWindowBytes: 1e9 } };
    expect(beside(cameras, narrow)).toEqual(made);
  });

  it('says its first word with the end of the prompt, however long the conversation may get', () => {
    const longer = planBeside(
      { chip: car, config: cameras, costs: usedCosts(cameras, car.profile) },
      { ...language, contextTokens: 16_384 },
    );
    expect(longer.speech?.tokensPerSecond).toBeLessThan(made.speech?.tokensPerSecond ?? 0);
    expect(longer.speech).toMatchObject({ chunkTokens: made.speech?.chunkTokens, firstTokenMs: made.speech?.firstTokenMs });
  });

  it('reads the prompt in shorter chunks where a stream cannot wait for longer ones', () => {
    const chunks = [3_000, 120].map((deadlineMs) => within(deadlineMs)).map(({ streams, speech }) => [streams.doFit, speech?.chunkTokens]);
    expect(chunks[0]).toEqual([true, 512]);
    expect(chunks[1]?.[0]).toBe(true);
    expect(chunks[1]?.[1]).toBeLessThan(512);
  });

  it('says when streams do not fit beside it, and what to change', () => {
    // A token takes 50 ms, and nothing can make that shorter.
    const crowded = within(50);
    expect(crowded.streams).toMatchObject({ didFit: true, doFit: false });
    expect(crowded.streams.advice.join('\n')).toContain('driver-state');
  });

  it('leaves an assistant what is reserved for it', () => {
    const both = beside(vehicle);
    expect(both.streams).toMatchObject({ didFit: true, doFit: true, assurance: 'look-ahead' });
    expect(both.cores.ids).not.toContain(7);
    expect(both.bus.leftGbs).toBeLessThan(made.bus.leftGbs - 60);
  });

  it('says when they did not fit without it either', () => {
    const slow = chipOf('orin-nano');
    const free = { ...cameras, pipelines: cameras.pipelines.map((pipeline) => ({ ...pipeline, cores: undefined })) };
    const never = beside(free, slow);
    expect(never.streams).toMatchObject({ didFit: false, doFit: false });
    // 8 GB in all, and cameras in them.
    expect(never.memory.doesFit).toBe(never.memory.modelBytes + never.memory.streamBytes <= slow.profile.dram.memoryBytes);
  });
});

describe('a network beside streams', () => {
  it('runs on the core that they leave the most of', () => {
    const model = vehicle.models.find(({ id }) => id === 'yolov8n');
    if (model === undefined) throw new Error('there is a network');
    const { runs, streams, cores, speech } = planNetworkBeside(
      { chip: car, config: cameras, costs: usedCosts(cameras, car.profile) },
      { layers: costsOf(model, 'int8').layers, weightBytes: 3e6 },
    );
    expect(streams.doFit).toBe(true);
    expect(cores.ids).toHaveLength(1);
    expect(speech).toBeUndefined();
    expect(runs?.runMs).toBeGreaterThan(0.1);
    expect((runs?.runMs ?? 0) * (runs?.runsPerSecond ?? 0)).toBeCloseTo(1000);
  });
});
