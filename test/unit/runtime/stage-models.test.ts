import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createConfigFiles } from '../../../src/config/config-files.ts';
import { loadSoc } from '../../../src/config/load-soc.ts';
import type { SuiteModel } from '../../../src/core/bench-suite.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { cutLayers } from '../../../src/runtime/cut-layers.ts';
import { priceModel } from '../../../src/runtime/stage-models.ts';

const folder = resolve(import.meta.dirname, '../../../configs/soc');
const profiles = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => loadSoc(resolve(folder, name), { files: createConfigFiles() }));
const network: SuiteModel = {
  ...{ id: 'n', source: 's', blocks: 16, kind: 'network', macs: 11.58e9, parameters: 60.19e6, height: 224, width: 224, channels: 3 },
};
const timed = (runMs: number, blocks: number): SuiteModel => ({ id: 't', source: 's', blocks, kind: 'time', runUs: durationFromMs(runMs) });

describe('a model of a suite', () => {
  it('of stated time takes that time on every chip, in every mode and in however many blocks', () => {
    for (const profile of profiles) {
      for (const mode of profile.modes) {
        for (const blocks of [1, 40])
          expect([profile.id, priceModel(timed(800, blocks), false, profile, mode).aloneUs]).toEqual([profile.id, 800_000]);
      }
    }
  });

  it('is cut into blocks of about the same time, which make up the run and have a price at each border', () => {
    for (const profile of profiles) {
      const [mode] = profile.modes;
      if (mode === undefined) throw new Error('a profile has a mode');
      const { plan: steps, steps: sim, aloneUs } = priceModel(network, false, profile, mode);
      const cuts = 'cuts' in sim ? sim.cuts : [];
      if (steps?.kind !== 'blocks') throw new Error(`${profile.id} does not cut the network`);
      expect(steps.shares).toHaveLength(cuts.length + 1);
      expect(steps.switchUs).toHaveLength(cuts.length);
      expect(steps.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      expect(steps.shares.length).toBeGreaterThan(8);
      expect(Math.max(...steps.shares)).toBeLessThan(0.25);
      expect(steps.switchUs.every((us) => us >= 0 && us < aloneUs)).toBe(true);
    }
  });

  it('is one step when it is asked for whole, or when it has one block', () => {
    const [profile] = profiles;
    const [mode] = profile?.modes ?? [];
    if (profile === undefined || mode === undefined) throw new Error('there is a profile with a mode');
    expect(priceModel(network, true, profile, mode)).toMatchObject({ steps: { cuts: [] }, plan: undefined });
    expect(priceModel(timed(5, 1), false, profile, mode)).toMatchObject({ steps: { cuts: [] }, plan: undefined });
  });
});

describe('cuts', () => {
  it('lie inside the network, ascending, each once, however many are asked for', () => {
    const [profile] = profiles;
    const [mode] = profile?.modes ?? [];
    if (profile === undefined || mode === undefined) throw new Error('there is a profile with a mode');
    const { layers } = priceModel(network, true, profile, mode);
    for (const blocks of [1, 2, 3, 16, layers.length, 1_000]) {
      const cuts = cutLayers(layers, blocks, profile);
      expect(cuts).toEqual([...new Set(cuts)].sort((a, b) => a - b));
      expect(cuts.length).toBeLessThan(Math.min(blocks, layers.length));
      expect(cuts.every((cut) => cut > 0 && cut < layers.length)).toBe(true);
    }
    expect(cutLayers(layers, 1_000, profile)).toHaveLength(layers.length - 1);
    expect(cutLayers([], 5, profile)).toEqual([]);
  });
});
