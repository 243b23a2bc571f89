import { describe, expect, it } from 'vitest';
import { loadRunCosts } from '../../../src/config/load-run-costs.ts';
import type { PipelineConfig, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import { type Checked, checkConfig, kindNamesOf } from '../../../src/runtime/check-config.ts';
import { modelsUsed } from '../../../src/runtime/models-used.ts';
import type { Chip } from '../../../src/runtime/on-chip.ts';
import { memoryFiles } from '../../support/config-files.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const chipOf = (id: string, mode?: string): Chip => {
  const profile = shippedSoc(id);
  return { profile, mode: modeOf(profile, mode) };
};
const car = chipOf('car-500');

const checkOn = (chip: Chip, config: RuntimeConfig = vehicle): Checked =>
  checkConfig({ config, chip, costs: usedCosts(config, chip.profile) });

const withPipelines = (change: (pipeline: PipelineConfig) => PipelineConfig): RuntimeConfig => ({
  ...vehicle,
  pipelines: vehicle.pipelines.map(change),
});

function tableOf(config: RuntimeConfig, chip: Chip | undefined, text: string) {
  const used = [...new Set(config.pipelines.map(({ stream }) => stream.model))];
  const names = { models: config.models.map(({ id }) => id), used, coreKinds: kindNamesOf(chip) };
  return loadRunCosts('costs.csv', names, { files: memoryFiles({ 'costs.csv': text }) });
}

describe('checkConfig', () => {
  it('takes the manifest when nothing else is given', () => {
    const { config, told, fit } = checkConfig({ config: shippedConfig('cockpit') });
    expect(config.device.cores).toHaveLength(2);
    expect(told).toBe('costMs of the manifest times 1.15');
    expect([fit.bus, fit.memory]).toEqual([null, null]);
  });

  it('proves the car on the chip that it was made for, bus and memory included', () => {
    const { config, placement, fit, told } = checkOn(car);
    expect(config.device.cores).toHaveLength(8);
    expect(placement.problems).toEqual([]);
    expect(told).toContain('simulated on car-500, mode w75');
    expect([fit.fits, fit.assurance, fit.bus?.fits, fit.memory?.fits]).toEqual([true, 'always', true, true]);
    // 15 tokens a second of 4.4 GB while somebody is answered, and the cameras.
    expect(fit.streams.find(({ id }) => id === 'assistant')?.busBytesPerSecond).toBeGreaterThan(60e9);
    expect(fit.bus?.usableBytesPerSecond).toBeCloseTo(273e9 * car.profile.dram.efficiencyRatio);
    const sum = fit.streams.reduce((total, { busBytesPerSecond }) => total + (busBytesPerSecond ?? 0), 0);
    expect(fit.bus?.demandedBytesPerSecond).toBeCloseTo(sum);
    expect(fit.bus?.guaranteedBytesPerSecond).toBeLessThan(sum);
  });

  it('says what is too much for the bus, and who takes most of it', () => {
    // As a network that is run at a steady rate, whatever comes of it.
    const faster = withPipelines((pipeline) => {
      if (pipeline.id !== 'assistant') return pipeline;
      const { answer: _, ...rest } = pipeline;
      return { ...rest, stream: { ...pipeline.stream, periodUs: durationFromMs(15) } };
    });
    const { fit } = checkOn(car, { ...faster, scheduler: { ...faster.scheduler, servers: [] } });
    expect([fit.fits, fit.bus?.fits]).toEqual([false, false]);
    expect(fit.bus?.guaranteedRatio).toBeGreaterThan(1);
    expect(fit.advice.join('\n')).toMatch(/bus: guaranteed streams move .* first make assistant move less/);
  });

  describe('with byte budgets', () => {
    const held = (mb: number, config = vehicle): RuntimeConfig => ({
      ...config,
      scheduler: { ...config.scheduler, busBudget: { periodUs: durationUs(1_000), streams: [{ stream: 'assistant', bytes: mb * 1e6 }] } },
    });
    const costOf = (mb: number): number => checkOn(car, held(mb)).fit.streams.find(({ id }) => id === 'assistant')?.costUs ?? Number.NaN;

    it('reckons with c + ceil(M/Q) P at most, and with nothing where the bus is slower than the budget', () => {
      const free = checkOn(car).fit.streams.find(({ id }) => id === 'assistant');
      const freeUs = free?.costUs ?? Number.NaN;
      const tokenBytes = 4.43e9;
      expect(costOf(240)).toBe(freeUs);
      for (const mb of [150, 20]) {
        const heldUs = costOf(mb);
        expect(heldUs).toBeGreaterThan(freeUs);
        expect(heldUs).toBeGreaterThan((tokenBytes / mb / 1e6) * 990);
        expect(heldUs).toBeLessThan(freeUs + (Math.ceil(tokenBytes / mb / 1e6) + 2) * 1_000);
      }
    });

    it('counts no more of a stream than its budget, and finds none of them sure when the bus cannot carry them', () => {
      const { fit } = checkOn(car, held(30));
      expect(fit.bus?.budgetedBytesPerSecond).toBeCloseTo(30e9);
      expect(fit.bus?.guaranteedBytesPerSecond).toBeLessThanOrEqual(30e9 + (checkOn(car).fit.bus?.guaranteedBytesPerSecond ?? 0));
      const overbooked = checkOn(car, held(300)).fit;
      expect([overbooked.fits, overbooked.bus?.fits]).toEqual([false, false]);
      expect(overbooked.advice.join('\n')).toMatch(/bus budgets: together they come to 300 GB\/s, and the bus carries 232 GB\/s for sure/);
    });

    it('says where they are not enforced, and refuses a table that does not say what runs move', () => {
      const cockpit = shippedConfig('cockpit');
      const busBudget = { periodUs: durationUs(1_000), streams: [{ stream: cockpit.pipelines[0]?.id ?? '', bytes: 1e6 }] };
      const config = { ...cockpit, scheduler: { ...cockpit.scheduler, busBudget } };
      expect(checkConfig({ config }).told).toMatch(/; bus budgets are not enforced on cores of device\.kind ort$/);
      const chip = chipOf('rk3588');
      const names = ['nanodet', 'blazeface', 'ppocr-det', 'ppocr-rec', 'mlsd', 'silero-vad', 'cockpit-lm'];
      const text = (end: string): string => names.map((name) => `${name},*,2${end}`).join('\n');
      const table = (head: string, end: string) => tableOf(config, chip, `${head}\n${text(end)}\n`);
      expect(() => checkConfig({ config, chip, table: table('model,core,latency_ms', '') })).toThrow(
        /does not say what \S+ moves; add its dram_mb/,
      );
      const { fit } = checkConfig({ config, chip, table: table('model,core,latency_ms,dram_mb', ',10') });
      const [first, second] = fit.streams.map(({ costUs }) => costUs);
      // Ten periods at the very least, one of them for what another run left.
      expect((first ?? 0) - (second ?? 0)).toBeGreaterThan(9_000);
      expect((first ?? 0) - (second ?? 0)).toBeLessThan(25_000);
    });
  });

  it('says when the models do not fit the memory', () => {
    const { profile } = car;
    const small = { ...car, profile: { ...profile, dram: { ...profile.dram, memoryBytes: 4e9 } } };
    const { fit, placement } = checkOn(small);
    expect([fit.fits, fit.memory?.fits]).toEqual([false, false]);
    expect(fit.advice.join('\n')).toMatch(/memory: the models need 4\.\d+ GB, and there are 4 GB/);
    expect(placement.problems.join('\n')).toContain('assistant-8b');
  });

  it('says which model a core cannot address as a whole, and what a language model may be spread over', () => {
    const on = (windows: { readonly addressWindowBytes: number; readonly addressWindows?: number }) =>
      checkOn({ ...car, profile: { ...car.profile, ...windows } }).fit;
    const narrow = on({ addressWindowBytes: 4e9 });
    expect([narrow.fits, narrow.memory?.fits]).toEqual([false, true]);
    expect(narrow.outOfWindow).toEqual([{ model: 'assistant-8b', core: 7, neededBytes: expect.closeTo(4.79e9, -8), haveBytes: 4e9 }]);
    expect(narrow.advice.join('\n')).toMatch(
      /address window: assistant-8b needs 4\.79 GB at once, and core 7 can address 4 GB; take fewer bits/,
    );
    expect(on({ addressWindowBytes: 4e9, addressWindows: 2 })).toMatchObject({ fits: true, outOfWindow: [] });
    expect(checkOn(car).fit.outOfWindow).toEqual([]);
  });

  it('says so of what the manifest says that a model takes, where costs are from a table', () => {
    const names = [...modelsUsed(vehicle.pipelines)].map((name) => `${name},*,2`).join('\n');
    const narrow = { ...car, profile: { ...car.profile, addressWindowBytes: 4e9 } };
    const { fit } = checkConfig({ config: vehicle, chip: narrow, table: tableOf(vehicle, narrow, `model,core,latency_ms\n${names}\n`) });
    const { memoryBytes } = vehicle.models.find(({ id }) => id === 'assistant-8b') ?? {};
    expect(fit.fits).toBe(false);
    expect(fit.outOfWindow).toEqual([{ model: 'assistant-8b', core: 7, neededBytes: memoryBytes, haveBytes: 4e9 }]);
  });

  it('places a model on cores that can address it, where there are others', () => {
    const { profile } = car;
    const free = { ...vehicle, pipelines: vehicle.pipelines.map((pipeline) => ({ ...pipeline, cores: undefined })) };
    const mixed = {
      ...profile,
      addressWindowBytes: 4e9,
      others: [{ ...profile, kind: 'gpu', clusterCount: 1, addressWindowBytes: undefined }],
    };
    const { placement, fit } = checkConfig({ config: free, chip: { ...car, profile: mixed }, costs: usedCosts(free, mixed) });
    const [home = -1] = placement.models.find(({ model }) => model === 'assistant-8b')?.cores ?? [];
    expect(home).toBeGreaterThanOrEqual(8);
    expect(fit.outOfWindow).toEqual([]);
  });

  it('proves nothing of a chip whose clock may be lowered to hold its power, or to cool it', () => {
    const { fit } = checkOn(car);
    const { demandedW = 0, peakW = 0, dieC = 0 } = fit.power ?? {};
    expect(fit.power).toMatchObject({ modeW: 75, fits: true });
    expect(demandedW).toBeGreaterThan(car.profile.power.idleW + 3);
    expect(peakW).toBeGreaterThan(demandedW);
    const cool = checkOn({ ...car, mode: { ...car.mode, watts: demandedW - 1 } }).fit;
    expect([cool.fits, cool.assurance, cool.power?.fits]).toEqual([false, 'none', false]);
    expect(cool.streams.filter(({ assurance }) => assurance === 'always')).toEqual([]);
    expect(cool.advice.join('\n')).toContain('take a mode with more power');
    const { profile } = car;
    const hot = { ...car, profile: { ...profile, thermal: { ...profile.thermal, throttleC: dieC - 1, resumeC: 30 } } };
    expect(checkOn(hot).fit.power?.fits).toBe(false);
  });

  it('refuses a pin to a core that the chip does not have', () => {
    expect(() => checkOn(chipOf('glasses'))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  it('counts a slower clock of a power mode', () => {
    const [fast, slow] = [checkOn(car), checkOn(chipOf('car-500', 'w15'))].map(({ fit }) => fit.streams[0]?.costUs ?? Number.NaN);
    expect(slow).toBeGreaterThan(fast ?? 0);
  });

  describe('with a table of costs', () => {
    const cockpit = shippedConfig('cockpit');
    const rows = (ms: number): string =>
      `model,core,latency_ms\n${['nanodet', 'blazeface', 'ppocr-det', 'ppocr-rec', 'mlsd', 'silero-vad', 'cockpit-lm'].map((model) => `${model},*,${ms}`).join('\n')}\n`;

    it('takes its figures in place of the manifest, on the cores of the configuration', () => {
      const { fit, config, told } = checkConfig({ config: cockpit, table: tableOf(cockpit, undefined, rows(2)) });
      expect(told).toBe('costs.csv');
      expect(fit.streams.map(({ costUs }) => costUs)).toEqual(fit.streams.map(() => 2_300));
      expect(config.models.find(({ id }) => id === 'nanodet')?.costUs).toBe(2_000);
      expect(fit.fits).toBe(true);
      expect(checkConfig({ config: cockpit, table: tableOf(cockpit, undefined, rows(200)) }).fit.fits).toBe(false);
    });

    it('on a chip lets each run wait for its bytes as long as a fair bus may make it wait', () => {
      const chip = chipOf('rk3588');
      const text = rows(2).replace('latency_ms', 'latency_ms,worst_ms,dram_mb').replaceAll(/,2$/gm, ',2,3,10');
      const { fit, placement } = checkConfig({ config: cockpit, chip, table: tableOf(cockpit, chip, text) });
      const busy = new Set(placement.models.flatMap(({ cores, spares }) => cores.filter((core) => !spares.includes(core)))).size;
      expect(busy).toBe(3);
      const usable = chip.profile.dram.bytesPerSecond * chip.profile.dram.efficiencyRatio;
      expect(fit.streams[0]?.costUs).toBe(Math.ceil(3_000 + (10e6 * (busy - 1) * 1e6) / usable));
      expect(fit.bus?.demandedBytesPerSecond).toBeGreaterThan(0);
    });

    it('says nothing of the bus where the table does not', () => {
      const chip = chipOf('rk3588');
      const { fit } = checkConfig({ config: cockpit, chip, table: tableOf(cockpit, chip, rows(2)) });
      expect([fit.bus, fit.memory?.fits]).toEqual([null, true]);
      expect(fit.streams[0]?.costUs).toBe(2_300);
    });
  });
});
