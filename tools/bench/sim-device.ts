/**
 * How fast the simulated device itself is, and the whole engine on it: `npx tsx tools/bench/sim-device.ts [streams]`. Figures of one core of this machine.
 */
import { createConfigFiles } from '../../src/config/config-files.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { loadSoc } from '../../src/config/load-soc.ts';
import type { LayerCost } from '../../src/core/layer-cost.ts';
import type { ModelSpec } from '../../src/core/model.ts';
import { Prng } from '../../src/core/prng.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { durationFromMs, instantUs } from '../../src/core/units.ts';
import { createSimDevice } from '../../src/devices/sim/sim-device.ts';
import { simulate } from '../../src/runtime/simulate.ts';
import { costsOf } from '../../src/runtime/simulate-costs.ts';

const streams = Number(process.argv[2] ?? 64);
const RUNS = 400_000;
const wall = createSystemClock();
const root = new URL('../../', import.meta.url).pathname;
const files = createConfigFiles();
const profile = loadSoc(`${root}configs/soc/car-500.yaml`, { files });

const spec = (id: string): ModelSpec => ({
  ...{ id, file: '', sha256: '', inputs: [], outputs: [], states: [], constants: [], codec: '' },
  ...{ costUs: durationFromMs(1), memoryBytes: 1, licence: '', files: {} },
});

/** Layers of 0.2 to 2 ms of computing, and `bytesPerUs` of traffic while they do. */
function layersOf(prng: Prng, bytesPerUs: number): LayerCost[] {
  return Array.from({ length: 40 }, (_, index) => {
    const m = prng.integer(100, 4_000);
    const us = (m / 32) * 64 * 0.00105;
    return {
      ...{ name: `layer ${index}`, operator: 'Conv', type: 'int8', m, n: 256, k: 256, groups: 1, macs: m * 65_536, elementOps: 0 },
      ...{ weightBytes: us * bytesPerUs * prng.ratio() * 2, inputBytes: 0, outputBytes: 0 },
    };
  });
}

/** Eight cores, always one segment each, of `streams` models in turn. */
function device(bytesPerUs: number): number {
  const clock = new SimClock();
  const prng = new Prng(1);
  const costs = new Map(Array.from({ length: streams }, (_, index): [string, LayerCost[]] => [`m${index}`, layersOf(prng, bytesPerUs)]));
  const sim = createSimDevice({ profile }, { clock, listener: { coreLost: () => undefined }, costs: (model) => costs.get(model) });
  const loadAll = (core: number): void => {
    for (const id of costs.keys()) sim.load(core, spec(id), () => undefined);
  };
  for (const core of sim.cores) sim.start(core, () => loadAll(core));
  clock.runUntil(instantUs(60_000_000));
  let runs = 0;
  const next = (core: number): void => {
    const segment = {
      job: runs,
      from: 0,
      steps: 1,
      model: `m${runs % streams}`,
      inputs: [],
      outputs: [],
      killAt: instantUs(Number.MAX_SAFE_INTEGER),
    };
    sim.run(core, segment, () => {
      runs += 1;
      next(core);
    });
  };
  const startedAt = wall.now();
  for (const core of sim.cores) next(core);
  while (runs < RUNS && clock.step());
  return runs / ((wall.now() - startedAt) / 1e6);
}

async function vehicle(seconds: number): Promise<string> {
  const config = loadConfig(`${root}configs/vehicle-500.yaml`, { env: {}, files });
  const costs = config.models.map((model) => costsOf(model, 'int8'));
  const [mode] = profile.modes;
  if (mode === undefined) throw new Error('a profile has a mode');
  const startedAt = wall.now();
  const { report } = await simulate(
    { config, profile, mode, spanUs: durationFromMs(seconds * 1000), seed: 1, faults: {}, isTraced: false },
    { costs },
  );
  const took = (wall.now() - startedAt) / 1e6;
  const runs = report.simulation?.models.reduce((sum, model) => sum + model.runs, 0) ?? 0;
  return `${Math.round(seconds / took)} times real time, ${Math.round(runs / took)} segments a second`;
}

console.log(`device alone, ${streams} streams, bus not full: ${Math.round(device(2_000))} segments a second`);
console.log(`device alone, ${streams} streams, bus full:     ${Math.round(device(60_000))} segments a second`);
console.log(`vehicle-500 for 300 s: ${await vehicle(300)}`);
