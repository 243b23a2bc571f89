import { describe, expect, it } from 'vitest';
import type { ManifestModel, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import { cutForCores } from '../../../src/runtime/cut-for-cores.ts';
import { planRun } from '../../../src/runtime/plan-run.ts';
import { shippedConfig } from '../../support/shipped.ts';

const cockpit = shippedConfig('cockpit');

const modelOf = (config: RuntimeConfig, id: string): ManifestModel | undefined => config.models.find((model) => model.id === id);
const blocksIn = (config: RuntimeConfig): Record<string, number> =>
  Object.fromEntries(cutForCores(config).models.flatMap(({ id, blocks }) => (blocks === undefined ? [] : [[id, blocks]])));

const withModel = (id: string, change: Partial<ManifestModel>, config = cockpit): RuntimeConfig => ({
  ...config,
  models: config.models.map((model) => (model.id === id ? { ...model, ...change } : model)),
});

describe('networks on cores of the silicon at hand', () => {
  it('are cut where somebody more urgent waits behind them, and nowhere else: of the cockpit NanoDet alone', () => {
    expect(blocksIn(cockpit)).toEqual({ nanodet: 4 });
  });

  it('are told to the scheduler as blocks of one length that stay where they are', () => {
    const { steps, memoryBytes = 0 } = modelOf(cutForCores(cockpit), 'nanodet') ?? {};
    expect(memoryBytes).toBeGreaterThan(modelOf(cockpit, 'nanodet')?.memoryBytes ?? 0);
    expect(steps).toMatchObject({ kind: 'blocks', shares: [0.25, 0.25, 0.25, 0.25], isKept: true });
    const { plan } = planRun(cutForCores(cockpit));
    expect(plan.models.find(({ model }) => model === 'nanodet')?.steps).toEqual(steps);
    expect(plan.preemption).toEqual({ kind: 'between-steps' });
  });

  it('are not cut when the configuration says so', () => {
    expect(cutForCores({ ...cockpit, scheduler: { ...cockpit.scheduler, cuts: 'none' } }).models).toEqual(cockpit.models);
  });

  it('are not cut when they keep a state, nor when they are short', () => {
    const state = { name: 's', type: 'float32' as const, shape: [1] };
    expect(blocksIn(withModel('nanodet', { states: [{ input: state, output: state }] }))).toEqual({});
    expect(blocksIn(withModel('nanodet', { costUs: durationFromMs(9) }))).toEqual({});
  });

  it('are cut into as few blocks as are short enough, and never into very many', () => {
    const lax: RuntimeConfig = {
      ...cockpit,
      pipelines: cockpit.pipelines.flatMap((pipeline) => {
        if (pipeline.id === 'speech') return [];
        const { stream } = pipeline;
        if (pipeline.id === 'faces') return [{ ...pipeline, stream: { ...stream, periodUs: durationFromMs(400) } }];
        if (pipeline.id !== 'objects') return [pipeline];
        return [{ ...pipeline, stream: { ...stream, periodUs: durationFromMs(500), deadlineUs: durationFromMs(400) } }];
      }),
    };
    expect(blocksIn(lax)).toEqual({ nanodet: 3 });
    expect(blocksIn(withModel('nanodet', { costUs: durationFromMs(55) })).nanodet).toBe(8);
  });

  it('are checked as they are run', () => {
    const { config, fit } = checkConfig({ config: cockpit });
    expect(modelOf(config, 'nanodet')?.blocks).toBe(4);
    // A block with the way to the core and back; speech waits for that and no longer.
    expect(fit.streams.find(({ id }) => id === 'objects')?.costUs).toBe(Math.ceil(27_600 / 4) + 500);
    const whole = checkConfig({ config: { ...cockpit, scheduler: { ...cockpit.scheduler, cuts: 'none' } } }).fit;
    expect(whole.streams.find(({ id }) => id === 'objects')?.costUs).toBe(27_600);
    expect(fit.fits).toBe(true);
  });
});
