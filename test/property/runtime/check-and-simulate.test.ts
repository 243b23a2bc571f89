import { describe, expect, it } from 'vitest';
import type { PipelineConfig, RuntimeConfig } from '../../../src/config/runtime-config.ts';
import type { SourceConfig } from '../../../src/config/source-config.ts';
import { Prng } from '../../../src/core/prng.ts';
import { coreCountOf, type SocProfile, usableBytesPerSecond } from '../../../src/core/soc-profile.ts';
import { CRITICALITIES } from '../../../src/core/stream.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import { checkConfig } from '../../../src/runtime/check-config.ts';
import type { Chip } from '../../../src/runtime/on-chip.ts';
import { simulate } from '../../../src/runtime/simulate.ts';
import { modeOf, shippedConfig, shippedSoc, usedCosts } from '../../support/shipped.ts';

const vehicle = shippedConfig('vehicle-500');
const SOCS = ['car-500', 'rk3588', 'orin-nano', 'zhouyi-x2', 'sa8295p', 'hailo-8', 'example-mixed', 'orin-agx'].map(shippedSoc);
const CONFIGS = 12 * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));

function randomConfig(random: Prng, profile: SocProfile): RuntimeConfig {
  const count = random.integer(2, 10);
  const networks = vehicle.models.filter(({ shape }) => shape?.kind === 'network');
  const policy = (['coxswain', 'coxswain', 'edf', 'fixed-priority'] as const)[random.integer(0, 3)] ?? 'coxswain';
  const coreCount = coreCountOf(profile);
  const splits = new Map(networks.map(({ id }) => [id, random.chance(0.25) ? splitOf(random, coreCount) : undefined]));
  const sources: SourceConfig[] = [];
  const pipelines: PipelineConfig[] = [];
  for (let index = 0; index < count; index += 1) {
    const fps = [5, 10, 20, 30, 60][random.integer(0, 4)] ?? 10;
    const periodUs = durationUs(1e6 / fps);
    const jitterRatio = random.chance(0.3) ? random.integer(1, 9) / 10 : 0;
    const id = `s${index}`;
    sources.push({
      ...{ id, kind: 'synthetic', medium: 'empty', fps, periodUs, jitterRatio },
      ...{ burstRatio: random.chance(0.1) ? 0.2 : 0, burstFrames: 2, framesMax: undefined },
    });
    const model = networks[random.integer(0, networks.length - 1)]?.id ?? '';
    const split = splits.get(model);
    const first = random.integer(0, coreCount - 1);
    const pinned = random.chance(0.5)
      ? Array.from(
          { length: Math.min(coreCount, typeof split === 'number' ? split : random.chance(0.2) ? 2 : 1) },
          (_, place) => (first + place) % coreCount,
        )
      : undefined;
    pipelines.push({
      id,
      input: { kind: 'source', source: id },
      stream: {
        id,
        model,
        criticality: CRITICALITIES[random.integer(0, 2)] ?? 'safety',
        periodUs,
        deadlineUs: durationUs(Math.ceil(periodUs * (random.integer(5, 10) / 10))),
        freshness: random.chance(0.5) ? { kind: 'latest' } : { kind: 'queue', jobsMax: 4 },
        isStateful: false,
      },
      staleAfterUs: durationUs(periodUs),
      decode: {},
      cores: pinned,
      ...(split === undefined ? {} : { split }),
      variants: [],
      sinks: [],
    });
  }
  return {
    ...vehicle,
    modes: undefined,
    scheduler: { policy, tuning: {}, cuts: random.chance(0.5) ? 'auto' : 'none' },
    sources,
    pipelines,
  };
}

/** The same, some of its streams held to budgets from a fiftieth of the bus to three fifths. */
function withBudgets(config: RuntimeConfig, random: Prng, { profile, mode }: Chip): RuntimeConfig {
  const periodUs = durationUs([200, 1_000, 5_000][random.integer(0, 2)] ?? 1_000);
  const perPeriod = (usableBytesPerSecond(profile) * mode.bandwidthRatio * periodUs) / 1e6;
  const chosen = config.pipelines.filter((_, index) => index === 0 || random.chance(0.4));
  const streams = chosen.map(({ id }) => ({ stream: id, bytes: Math.ceil(perPeriod * 0.02 * 30 ** random.ratio()) }));
  return { ...config, scheduler: { ...config.scheduler, busBudget: { periodUs, streams } } };
}

function splitOf(random: Prng, coreCount: number): PipelineConfig['split'] {
  return coreCount === 1 || random.chance(0.3) ? 'auto' : random.integer(2, Math.min(4, coreCount));
}

interface Tally {
  bounded: number;
  tight: number;
  /** Of the bounded, those whose jobs run on several cores at once. */
  gangs: number;
  /** Those whose model has other streams on other cores. */
  shares: number;
  /** Those that had to wait for their budget. */
  held: number;
}

/** Plays what was checked, and holds every stream that is always in time to its bound. */
async function compare(config: RuntimeConfig, chip: Chip, seed: number, tally: Tally): Promise<void> {
  const costs = usedCosts(config, chip.profile);
  const { fit, placement } = checkConfig({ config, chip, costs });
  const options = { config, ...chip, spanUs: durationFromMs(2_000), seed, faults: {}, isTraced: false };
  const { report } = await simulate(options, { costs });
  if (fit.power?.fits === true) expect([report.simulation?.power.cappedRatio, report.simulation?.heat.throttledRatio]).toEqual([0, 0]);
  for (const { id, latencyMs, jobs } of report.streams) {
    const row = fit.streams.find((stream) => stream.id === id);
    if (row?.assurance !== 'always') continue;
    tally.bounded += 1;
    const model = config.pipelines.find((pipeline) => pipeline.id === id)?.stream.model;
    const rows = placement.models.filter((placed) => placed.model === model);
    if (rows.some(({ split, streams }) => split !== undefined && streams.includes(id))) tally.gangs += 1;
    if (rows.length > 1) tally.shares += 1;
    if (report.simulation?.budgets?.some((budget) => budget.id === id && budget.stalls > 0) === true) tally.held += 1;
    const worstMs = (row.responseUs ?? 0) / 1000;
    if ((latencyMs.max ?? 0) > worstMs * 0.5) tally.tight += 1;
    const lost = jobs.late + (jobs.dropped.infeasible ?? 0);
    if ((latencyMs.max ?? 0) > worstMs || lost > 0)
      expect({ seed, soc: chip.profile.id, policy: config.scheduler.policy, id, row, latencyMs, jobs }).toBe('within its bound');
  }
}

describe('what check proves of a chip', () => {
  it('holds when the simulator plays it: no response of a stream that is always in time is longer than its bound', async () => {
    const random = new Prng('check and simulate');
    const tally: Tally = { bounded: 0, tight: 0, gangs: 0, shares: 0, held: 0 };
    for (let index = 0; index < CONFIGS; index += 1) {
      const profile = SOCS[index % SOCS.length] ?? shippedSoc('car-500');
      await compare(randomConfig(random.fork(String(index)), profile), { profile, mode: modeOf(profile) }, index, tally);
    }
    expect(tally.bounded).toBeGreaterThan(CONFIGS * 1.5);
    expect(tally.tight).toBeGreaterThan(tally.bounded / 4);
    expect(tally.gangs).toBeGreaterThanOrEqual(CONFIGS / 10);
    expect(tally.shares).toBeGreaterThanOrEqual(CONFIGS / 6);
  });

  it('holds where streams are held to budgets on the bus, for those that are and for those beside them', async () => {
    const random = new Prng('check and simulate budgets');
    const tally: Tally = { bounded: 0, tight: 0, gangs: 0, shares: 0, held: 0 };
    for (let index = 0; index < CONFIGS; index += 1) {
      const profile = SOCS[index % SOCS.length] ?? shippedSoc('car-500');
      const chip = { profile, mode: modeOf(profile) };
      const seeded = random.fork(String(index));
      await compare(withBudgets(randomConfig(seeded, profile), seeded, chip), chip, index, tally);
    }
    expect(tally.bounded).toBeGreaterThan(CONFIGS);
    expect(tally.held).toBeGreaterThanOrEqual(CONFIGS / 6);
  });

  it('holds for the car, in two power modes, with the assistant beside the cameras, and on a chip that is too small for it', async () => {
    const tally: Tally = { bounded: 0, tight: 0, gangs: 0, shares: 0, held: 0 };
    const chip = (id: string, mode?: string): Chip => ({ profile: shippedSoc(id), mode: modeOf(shippedSoc(id), mode) });
    const onCores = (cores: readonly number[] | undefined): RuntimeConfig => ({
      ...vehicle,
      pipelines: vehicle.pipelines.map((pipeline) => (pipeline.id === 'assistant' ? { ...pipeline, cores } : pipeline)),
    });
    for (const seed of [1, 2]) {
      await compare(vehicle, chip('car-500'), seed, tally);
      await compare(vehicle, chip('car-500', 'w15'), seed, tally);
      await compare(onCores([0]), chip('car-500'), seed, tally);
      await compare(onCores(undefined), chip('orin-nano'), seed, tally);
    }
    expect(tally.bounded).toBeGreaterThan(35);
  });
});
