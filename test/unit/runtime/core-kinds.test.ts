import { describe, expect, it } from 'vitest';
import { loadRunCosts } from '../../../src/config/load-run-costs.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkConfig, kindNamesOf } from '../../../src/runtime/check-config.ts';
import { cutModels } from '../../../src/runtime/cut-models.ts';
import { onChip } from '../../../src/runtime/on-chip.ts';
import { planRun } from '../../../src/runtime/plan-run.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { memoryFiles } from '../../support/config-files.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const profile = shippedSoc('example-mixed');
const chip = { profile, mode: modeOf(profile) };
const vehicle = shippedConfig('vehicle-500');
const [NPU, DSP, GPU] = [0, 4, 6];

/** Only the driver's camera, where told. */
const driver = (cores: readonly number[] | undefined): RuntimeConfig => ({
  ...vehicle,
  modes: undefined,
  pipelines: vehicle.pipelines.flatMap((pipeline) => (pipeline.id === 'driver-state' ? [{ ...pipeline, cores, variants: [] }] : [])),
});

const adapted = (config: RuntimeConfig): RuntimeConfig => onChip(config, usedCosts(config, profile), chip);

const play = (config: RuntimeConfig, spanMs = 1_000) =>
  simulate(
    { config, ...chip, spanUs: durationFromMs(spanMs), seed: 1, faults: {}, isTraced: false },
    { costs: usedCosts(config, profile) },
  );

describe('a configuration on cores of several kinds', () => {
  it('knows what each model takes on each core, and what on the best', () => {
    const model = adapted(driver(undefined)).models.find(({ id }) => id === 'driver');
    const costs = model?.coreCostsUs ?? [];
    expect(costs).toHaveLength(7);
    expect(new Set(costs.slice(0, 4)).size).toBe(1);
    expect(costs[DSP]).toBeGreaterThan(3 * (costs[NPU] ?? 0));
    expect(model?.costUs).toBe(Math.min(...costs.map((us) => us ?? 0)));
    expect(shippedSoc('car-500').others).toEqual([]);
  });

  it('plans with what a run takes where its model is', () => {
    const config = adapted(driver([DSP]));
    const [row] = planRun(config).plan.models;
    expect(row).toMatchObject({ cores: [DSP], costUs: config.models.find(({ id }) => id === 'driver')?.coreCostsUs?.[DSP] });
    expect(row?.exactCosts).toBeUndefined();
  });

  it('tells the scheduler the cost on each core where a model is on cores of two kinds', () => {
    const config = adapted(driver([DSP, NPU]));
    const costs = config.models.find(({ id }) => id === 'driver')?.coreCostsUs;
    const [row] = planRun(config).plan.models;
    expect(row?.exactCosts).toEqual([DSP, NPU].map((core) => ({ core, costUs: costs?.[core] })));
  });

  it('simulates each core by its kind, the fastest that is idle first', async () => {
    const max = async (cores: readonly number[]): Promise<number> =>
      (await play(driver(cores))).report.streams[0]?.latencyMs.max ?? Number.NaN;
    const [npu, dsp, both] = [await max([NPU]), await max([DSP]), await max([DSP, NPU])];
    expect(dsp).toBeGreaterThan(npu);
    expect(both).toBe(npu);
    const { report } = await play(driver([GPU]));
    expect(report.simulation?.kinds).toEqual(['npu', 'npu', 'npu', 'npu', 'dsp', 'dsp', 'gpu']);
    expect(report.cores[GPU]?.jobs).toBeGreaterThan(50);
  });

  it('goes on with a core of another kind when its own is lost', async () => {
    const config = driver(undefined);
    const safe = {
      ...config,
      pipelines: config.pipelines.map((pipeline) => ({
        ...pipeline,
        stream: { ...pipeline.stream, criticality: 'safety' as const, deadlineUs: durationFromMs(16) },
      })),
    };
    // One core of each kind: the spare has to be of another.
    const small = { ...profile, clusterCount: 1, coresPerCluster: 1 };
    const { report } = await simulate(
      { config: safe, profile: small, mode: chip.mode, spanUs: durationFromMs(4_000), seed: 2, faults: { crash: 40 }, isTraced: false },
      { costs: usedCosts(safe, small) },
    );
    const jobs = report.cores.filter((core) => core.jobs > 0);
    expect(report.incidents.some(({ kind }) => kind === 'core-lost')).toBe(true);
    expect(jobs.length).toBeGreaterThan(1);
    expect(report.streams[0]?.jobs.done).toBeGreaterThan(200);
  });

  it('cuts a model for the kind that it is on, and not at all where it is on two', () => {
    // A long network in the background before somebody who cannot wait, on one slow core.
    const on = (cores: readonly number[]): RuntimeConfig => {
      const pipelines = vehicle.pipelines.flatMap((pipeline): RuntimeConfig['pipelines'] => {
        const { id, stream } = pipeline;
        if (id === 'driver-state')
          return [
            { ...pipeline, cores: [GPU], variants: [], stream: { ...stream, criticality: 'safety', deadlineUs: durationFromMs(20) } },
          ];
        if (id === 'front-objects')
          return [
            { ...pipeline, cores, variants: [], stream: { ...stream, criticality: 'background', deadlineUs: durationFromMs(2_000) } },
          ];
        return [];
      });
      return { ...vehicle, modes: undefined, pipelines };
    };
    const cut = (config: RuntimeConfig) => cutModels(adapted(config), usedCosts(config, profile), chip).cuts;
    expect([...cut(on([GPU])).keys()]).toEqual(['yolov8l']);
    expect(cut(on([GPU, NPU])).size).toBe(0);
  });

  it('is checked with what runs take on each core', () => {
    const costOf = (cores: readonly number[]) => {
      const config = driver(cores);
      return checkConfig({ config, chip, costs: usedCosts(config, profile) });
    };
    const [npu, dsp] = [costOf([NPU]), costOf([DSP])];
    expect(dsp.fit.streams[0]?.costUs).toBeGreaterThan(3 * (npu.fit.streams[0]?.costUs ?? 0));
    expect(npu.kinds).toEqual(['npu', 'npu', 'npu', 'npu', 'dsp', 'dsp', 'gpu']);
  });

  describe('with a table of costs', () => {
    const table = (text: string) =>
      loadRunCosts(
        'costs.csv',
        { models: vehicle.models.map(({ id }) => id), used: ['driver'], coreKinds: kindNamesOf(chip) },
        { files: memoryFiles({ 'costs.csv': text }) },
      );
    const rows = 'model,core,latency_ms\ndriver,npu,2\ndriver,gpu,1\n';

    it('takes each from the row of its kind, and no core of a kind without one', () => {
      const { config, fit, placement } = checkConfig({ config: driver(undefined), chip, table: table(rows) });
      expect(config.models.find(({ id }) => id === 'driver')).toMatchObject({
        costUs: 1_000,
        coreCostsUs: [2_000, 2_000, 2_000, 2_000, undefined, undefined, 1_000],
      });
      expect([DSP, DSP + 1]).not.toContain(placement.models[0]?.cores[0]);
      expect(fit.fits).toBe(true);
      expect(checkConfig({ config: driver([GPU]), chip, table: table(rows) }).fit.streams[0]?.costUs).toBe(1_150);
    });

    it('refuses a pin to a core of a kind without a row', () => {
      expect(() => checkConfig({ config: driver([DSP]), chip, table: table(rows) })).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringContaining('core 4, which is of kind dsp, and costs.csv has no row of driver'),
        }),
      );
    });
  });
});
