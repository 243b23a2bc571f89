import { describe, expect, it } from 'vitest';
import type { PipelineConfig, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { SourceConfig } from '../../../src/config/source-config.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import { planRun } from '../../../src/runtime/plan-run.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const profile = shippedSoc('car-500');
const mode = modeOf(profile);

/** Cameras at 30 Hz, each with the largest of the vehicle's networks, of which one core holds seven. */
function cameras(count: number, how: (index: number) => Partial<PipelineConfig> = () => ({})): RuntimeConfig {
  const [source] = vehicle.sources;
  const pipeline = vehicle.pipelines.find(({ stream }) => stream.model === 'yolov8l');
  if (source === undefined || pipeline === undefined) throw new Error('the vehicle has cameras');
  const ids = Array.from({ length: count }, (_, index) => `c${index}`);
  const { split: _, ...whole } = pipeline;
  return {
    ...vehicle,
    modes: undefined,
    scheduler: { policy: 'coxswain', tuning: {}, cuts: 'auto' },
    sources: ids.map((id) => ({ ...source, id }) as SourceConfig),
    pipelines: ids.map((id, index) => ({
      ...{ ...whole, id, stream: { ...pipeline.stream, id }, input: { kind: 'source', source: id }, variants: [] },
      ...how(index),
    })),
  };
}

async function play(config: RuntimeConfig, faults: { crash?: number } = {}) {
  const options = { config, profile, mode, spanUs: durationFromMs(4_000), seed: 3, faults, isTraced: false };
  return simulate(options, { costs: usedCosts(config, profile) });
}

const check = (config: RuntimeConfig) => checkConfig({ config, chip: { profile, mode }, costs: usedCosts(config, profile) });

describe('fourteen cameras of one network that a core cannot run for all', () => {
  const config = cameras(14);

  it('are proven and played without a loss, on three cores', async () => {
    const { fit, placement } = check(config);
    expect(fit.fits).toBe(true);
    expect(placement.problems).toEqual([]);
    expect(new Set(fit.streams.map(({ assurance }) => assurance))).toEqual(new Set(['always']));
    const { report } = await play(config);
    for (const { id, jobs, latencyMs } of report.streams) {
      expect(jobs.late + (jobs.dropped.infeasible ?? 0), id).toBe(0);
      expect(latencyMs.max).toBeLessThanOrEqual((fit.streams.find((row) => row.id === id)?.responseUs ?? 0) / 1000);
    }
    expect(report.cores.filter(({ jobs }) => jobs > 0).map(({ id }) => id)).toEqual([0, 1, 2]);
  });

  it('go on when a core is lost: those of the others as if nothing had been', async () => {
    const { report } = await play(config, { crash: 15 });
    const losses = report.cores.reduce((sum, { restarts }) => sum + restarts, 0);
    expect(losses).toBeGreaterThan(0);
    const hurt = report.streams.filter(({ jobs }) => Object.values(jobs.failed).some((count) => count > 0) || jobs.late > 0);
    expect(hurt.length).toBeLessThan(report.streams.length / 2);
    for (const { jobs } of report.streams) expect(jobs.done).toBeGreaterThan(0.9 * jobs.arrived);
  });

  it('have their variants beside each copy', () => {
    const { plan } = planRun(cameras(14, () => ({ variants: ['yolov8s'] })));
    const placeOf = (id: string) =>
      plan.models.filter(({ model }) => model === id).map(({ cores, streams }) => [cores.join(), streams?.join()]);
    expect(placeOf('yolov8s')).toEqual(placeOf('yolov8l'));
    expect(placeOf('yolov8s').length).toBeGreaterThan(1);
  });
});

describe('cameras that are pinned', () => {
  it('run on the cores that their own pipelines name, and nowhere else', async () => {
    const config = cameras(6, (index) => ({ cores: index < 4 ? [5] : [6] }));
    const { plan, cores } = planRun(config);
    expect(plan.models.map(({ cores: where, streams }) => [where, streams?.length])).toEqual([
      [[5], 4],
      [[6], 2],
    ]);
    expect(cores.filter(({ models }) => models.length > 0).map(({ core }) => core)).toEqual([5, 6]);
    const { report } = await play(config);
    const jobs = report.cores.map((core) => core.jobs);
    expect(jobs[5]).toBe(2 * (jobs[6] ?? 0));
    expect(jobs.reduce((sum, count) => sum + count, 0)).toBe(3 * (jobs[6] ?? 0));
  });
});
