import { describe, expect, it } from 'vitest';
import type { PipelineConfig, RuntimeConfig } from '../../src/config/runtime-config.ts';
import { durationFromMs } from '../../src/core/units.ts';
import type { SimFaultCounts } from '../../src/devices/sim/faults.ts';
import { simulate } from '../../src/runtime/simulate.ts';
import type { SchedulerPlan } from '../../src/scheduler/scheduler.ts';
import type { Report } from '../../src/telemetry/report-schema.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../support/shipped.ts';
import { InvariantChecker, type Step } from './checkers.ts';
import { seedsToRun, underSeed } from './seeds.ts';

const profile = shippedSoc('car-500');
const vehicle = shippedConfig('vehicle-500');

/** The car with these pipelines otherwise. */
const withPipelines = (changes: Readonly<Record<string, Partial<PipelineConfig>>>): RuntimeConfig => ({
  ...vehicle,
  modes: undefined,
  pipelines: vehicle.pipelines.map((pipeline) => ({ ...pipeline, variants: [], ...changes[pipeline.id] })),
});

/** Cameras split over one cluster beside others that are not, in the lowest power mode, where a run takes most of its period. */
const SPLIT = withPipelines({
  'front-objects': { split: 4, cores: [0, 1, 2, 3] },
  freespace: { split: 2, cores: [2, 3] },
  'wide-objects': { split: 'auto', cores: [4, 5, 6] },
  'birds-eye': { split: 3, cores: [0, 1, 2] },
  'left-objects': { cores: [0] },
  'right-objects': { cores: [3] },
  'rear-objects': { cores: [1] },
});

interface Run {
  readonly report: Report;
  readonly plan: SchedulerPlan;
  readonly steps: readonly Step[];
  readonly log: string;
}

async function play(config: RuntimeConfig, seed: number | string, faults: SimFaultCounts = {}, mode = 'w15'): Promise<Run> {
  let log = '';
  const write = async (text: string): Promise<void> => {
    log += text;
  };
  const { report } = await simulate(
    { config, profile, mode: modeOf(profile, mode), spanUs: durationFromMs(3_000), seed: Number(seed), faults, isTraced: false },
    { costs: usedCosts(config, profile), log: write },
  );
  const [header, ...lines] = log.trimEnd().split('\n');
  const { plan } = JSON.parse(header ?? '') as { plan: SchedulerPlan };
  return { report, plan, steps: lines.map((line) => JSON.parse(line) as Step), log };
}

function check({ plan, steps }: Run): InvariantChecker {
  const checker = new InvariantChecker(plan);
  for (const step of steps) checker.see(step);
  return checker;
}

const FAULTS: SimFaultCounts = { crash: 3, hang: 2, wrong: 2, slow: 2, bandwidth: 1 };

describe('simulated gangs', () => {
  for (const seed of seedsToRun(1, 2, 3)) {
    it(`keep every invariant while cores crash, hang and slow down (seed ${seed})`, async () => {
      await underSeed(seed, 'test/simulation/gangs.test.ts', async () => {
        const run = await play(SPLIT, seed, FAULTS);
        expect(check(run).unended).toEqual([]);
        const wide = run.steps.flatMap(({ decisions }) =>
          decisions.filter((decision) => decision.kind === 'start' && decision.others !== undefined),
        );
        expect(wide.length).toBeGreaterThan(25);
        // A core that is slow all along makes what is split over it late, but it goes on being tried.
        for (const { id, criticality, jobs } of run.report.streams)
          if (criticality === 'safety') expect([id, jobs.done + jobs.late > 0]).toEqual([id, true]);
      });
    });
  }

  it('are played in the same way again, byte for byte', async () => {
    expect((await play(SPLIT, 7, FAULTS)).log).toBe((await play(SPLIT, 7, FAULTS)).log);
  });

  it('bring a network in sooner than one core can', async () => {
    const alone = await play(withPipelines({ freespace: { cores: [0] } }), 1);
    const split = await play(withPipelines({ freespace: { cores: [0, 1, 2, 3], split: 4 } }), 1);
    const figures = ({ report }: Run): { latencyMs: number; aloneMs: number } => ({
      latencyMs: report.streams.find(({ id }) => id === 'freespace')?.latencyMs.p50 ?? 0,
      aloneMs: report.simulation?.models.find(({ id }) => id === 'freespace')?.aloneMs ?? 0,
    });
    expect(figures(alone).aloneMs).toBeGreaterThan(15);
    expect(figures(split).aloneMs).toBeLessThan(figures(alone).aloneMs * 0.4);
    // Part of it is the wait for four cores to be free at once.
    expect(figures(split).latencyMs).toBeLessThan(figures(alone).latencyMs);
  });
});
