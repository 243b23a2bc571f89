import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { loadSoc } from '../../../src/config/load-soc.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { cutModels } from '../../../src/runtime/cut-models.ts';
import { onChip } from '../../../src/runtime/on-chip.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { costsOf } from '../../../src/runtime/simulate-costs.ts';

const root = resolve(import.meta.dirname, '../../..');
const files = createConfigFiles();
const profile = loadSoc(`${root}/configs/soc/rk3588.yaml`, { files });
const [mode = { id: 'none', watts: 1, clockRatio: 1, bandwidthRatio: 1 }] = profile.modes;
const vehicle = loadConfig(`${root}/configs/vehicle-500.yaml`, { env: {}, files });

/** The driver's camera, whose frames come when they like, and the longest network of the car in the background, both on core 0. */
function narrow(cuts: 'auto' | 'none'): RuntimeConfig {
  const pipelines = vehicle.pipelines.flatMap((pipeline): RuntimeConfig['pipelines'] => {
    const { stream } = pipeline;
    if (pipeline.id === 'driver-state')
      return [
        {
          ...pipeline,
          cores: [0],
          stream: { ...stream, criticality: 'safety', deadlineUs: durationFromMs(20), freshness: { kind: 'queue', jobsMax: 3 } },
        },
      ];
    if (pipeline.id === 'front-objects')
      return [
        { ...pipeline, cores: [0], variants: [], stream: { ...stream, criticality: 'background', deadlineUs: durationFromMs(2_000) } },
      ];
    return [];
  });
  const sources = vehicle.sources.map((source) =>
    source.id === 'cabin' && source.kind === 'synthetic' ? { ...source, jitterRatio: 1 } : source,
  );
  return { ...vehicle, pipelines, sources, modes: undefined, scheduler: { ...vehicle.scheduler, cuts } };
}

const costs = vehicle.models.map((model) => costsOf(model, 'int8'));

async function play(cuts: 'auto' | 'none') {
  const config = narrow(cuts);
  let log = '';
  const { report } = await simulate(
    { config, profile, mode, spanUs: durationFromMs(10_000), seed: 3, faults: {}, isTraced: false },
    {
      costs: costs.filter(({ model }) => config.pipelines.some(({ stream }) => stream.model === model)),
      log: async (text) => {
        log += text;
      },
    },
  );
  const jobs = (id: string) => report.streams.find((stream) => stream.id === id)?.jobs;
  const lost = (id: string): number => (jobs(id)?.arrived ?? 0) - (jobs(id)?.done ?? 0);
  return { log, lost, done: jobs('front-objects')?.done ?? 0 };
}

describe('cutting networks', () => {
  it('cuts what somebody more urgent cannot stand, into blocks that it can, and nothing else', () => {
    const chip = onChip(narrow('auto'), costs, { profile, mode });
    const { config, cuts } = cutModels(chip, costs, { profile, mode });
    expect([...cuts.keys()]).toEqual(['yolov8l']);
    const steps = config.models.find(({ id }) => id === 'yolov8l')?.steps;
    if (steps?.kind !== 'blocks') throw new Error('yolov8l is cut');
    expect(steps.shares).toHaveLength((cuts.get('yolov8l')?.length ?? 0) + 1);
    const whole = chip.models.find(({ id }) => id === 'yolov8l')?.costUs ?? 0;
    const longest = Math.max(...steps.shares) * whole;
    // The driver's 20 ms, less what passes off the core and its own run.
    expect(longest).toBeLessThan(18_000);
    expect(longest).toBeGreaterThan(3_000);
    expect(Math.min(...steps.switchUs)).toBeGreaterThan(0);
  });

  it('leaves all as it is when told so, and when everything fits', () => {
    const none = onChip(narrow('none'), costs, { profile, mode });
    expect(cutModels(none, costs, { profile, mode })).toEqual({ config: none, cuts: new Map(), limits: new Map() });
    const large = loadSoc(`${root}/configs/soc/car-500.yaml`, { files });
    const [largeMode = mode] = large.modes;
    const chip = { profile: large, mode: largeMode };
    expect(cutModels(onChip(vehicle, costs, chip), costs, chip).cuts.size).toBe(0);
  });

  it('loses nothing of what is urgent and cannot be foreseen, and the work behind it is done as well, which otherwise never finds the time', async () => {
    const [auto, none] = [await play('auto'), await play('none')];
    expect([auto.lost('driver-state'), none.lost('driver-state')]).toEqual([0, 0]);
    expect(auto.log).toContain('"kind":"yield"');
    expect(none.log).not.toContain('"kind":"yield"');
    expect(none.done).toBeLessThan(5);
    expect(auto.done).toBeGreaterThan(40);
  });
});
