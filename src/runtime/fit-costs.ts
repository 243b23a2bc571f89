import type { RunCostTable } from '../config/load-run-costs.ts';
import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { chipAsOf, type SocProfile, type SocThermal, usableBytesPerSecond } from '../core/soc-profile.ts';
import type { StepPlan } from '../core/step-plan.ts';
import { windowFit } from '../devices/sim/address-window.ts';
import { COST_MARGIN, OFF_CORE_RATIO_MAX, OFF_CORE_US } from '../scheduler/hard-set.ts';
import type { Placement } from '../scheduler/placement.ts';
import { regulationOf, runsAtOnce, stallUs, usersOf } from './bus-budget.ts';
import type { WindowMisfit } from './fit.ts';
import type { Chip } from './on-chip.ts';
import { outOfWindow } from './out-of-window.ts';
import { type Place, servingCores } from './placed-split.ts';

/** What one run of a model takes on a core. */
export interface RunCost {
  /** No run takes longer, as far as the origin of the figure can be trusted. */
  readonly worstUs: number;
  /** The longest part of it that cannot be interrupted, and the last one; what an interruption adds is in them. The whole run where it is not cut. */
  readonly segmentUs: number;
  readonly lastUs: number;
  /** What an interruption adds; 0 where it is not cut. */
  readonly switchUs: number;
  /** Moved over the bus; undefined when not known. */
  readonly bytes: number | undefined;
  /** Beside idle power, the upper end; undefined when not known. */
  readonly joules: number | undefined;
  /** The most that it takes at any moment, beside idle power, the upper end; undefined when not known. */
  readonly peakW: number | undefined;
}

/** What passes off the cores with each job. */
export interface OffCore {
  readonly us: number;
  /** How much sooner than that it may be over. */
  readonly spreadUs: number;
}

/** What a chip may take before its clock is lowered. */
export interface PowerLimits {
  readonly idleW: number;
  readonly modeW: number;
  /** What may be taken beyond that at once. */
  readonly burstJoules: number;
  readonly thermal: SocThermal;
}

/** Where `check` has its figures from. */
export interface FitCosts {
  /** For people: one sentence without a full stop. */
  readonly told: string;
  readonly of: (place: Place, core: CoreId) => RunCost;
  /** How a longest run would be written where it came from: `a costMs of 3.5`. */
  readonly say: (worstUs: number) => string;
  /** @param frames that may come at once */
  readonly offCore: (pipeline: PipelineConfig, frames: number) => OffCore;
  /** What the bus carries for sure; undefined when nothing is known of it. */
  readonly busBytesPerSecond: number | undefined;
  /** The limits of the chip; undefined where there is none. */
  readonly power: PowerLimits | undefined;
  /** What all models together may occupy; undefined where each core has memory of its own. */
  readonly memoryBytes: number | undefined;
  /** Models that cores which they are placed on cannot address as a whole. */
  readonly outOfWindow: readonly WindowMisfit[];
}

/** How much earlier than its latest nominal release a job may come: what preparing a frame takes more or less, no more than look-ahead grants (release-pattern.ts). */
const RELEASE_SPREAD_US = 4_000;

const measuredOffCore = ({ stream }: PipelineConfig): OffCore => {
  const us = Math.min(OFF_CORE_US, stream.deadlineUs * OFF_CORE_RATIO_MAX);
  return { us, spreadUs: Math.min(RELEASE_SPREAD_US, us) };
};

const uncut = (worstUs: number, bytes: number | undefined): RunCost => ({
  ...{ worstUs, segmentUs: worstUs, lastUs: worstUs, switchUs: 0, bytes, joules: undefined, peakW: undefined },
});

/** As the manifest says, with the margin that its medians need. */
export function manifestCosts({ models }: Pick<RuntimeConfig, 'models'>): FitCosts {
  const costs = new Map(models.map(({ id, costUs, steps }) => [id, inBlocks(Math.ceil(costUs * COST_MARGIN), steps)]));
  return {
    told: `costMs of the manifest times ${COST_MARGIN}`,
    of: ({ model }) => costs.get(model) ?? uncut(0, undefined),
    say: (worstUs) => `a costMs of ${inMs(worstUs / COST_MARGIN)}`,
    offCore: measuredOffCore,
    busBytesPerSecond: undefined,
    power: undefined,
    memoryBytes: undefined,
    outOfWindow: [],
  };
}

/** A block that begins after an interruption has to fetch what was put away first. */
function inBlocks(worstUs: number, steps: StepPlan | undefined): RunCost {
  if (steps?.kind !== 'blocks') return uncut(worstUs, undefined);
  const switchUs = Math.max(0, ...steps.switchUs);
  const blockUs = (share: number): number => Math.ceil(share * worstUs) + switchUs;
  return {
    ...{ worstUs, segmentUs: Math.max(...steps.shares.map(blockUs)), lastUs: blockUs(steps.shares.at(-1) ?? 1), switchUs },
    ...{ bytes: undefined, joules: undefined, peakW: undefined },
  };
}

/** As a table has it. A run that was timed alone may have to wait for the bus: at the fair share of one core, its bytes take that much longer. */
export function tableCosts(
  config: Pick<RuntimeConfig, 'models' | 'pipelines' | 'scheduler'>,
  placement: Placement,
  table: RunCostTable,
  { chip, kindOf }: { readonly chip: Chip | undefined; readonly kindOf: (core: CoreId) => string },
): FitCosts {
  const capacity = chip === undefined ? undefined : (usableBytesPerSecond(chip.profile) * chip.mode.bandwidthRatio) / 1e6;
  const busyCount = new Set(placement.models.flatMap(servingCores)).size;
  const heldUp = capacity === undefined ? () => 0 : waitForBudgets(config, placement, capacity);
  const waitUsPerByte = capacity === undefined ? 0 : (Math.max(1, busyCount) - 1) / capacity;
  return {
    told: `${table.file}${chip === undefined ? '' : `, each run with a fair share of the bus of ${chip.profile.id}, mode ${chip.mode.id}`}`,
    of: ({ model }, core) => {
      const row = table.costOf(model, kindOf(core));
      assert(row !== undefined, `the table has a cost of ${model}`);
      const worstUs = Math.max(1, Math.ceil(row.worstUs + (row.bytes ?? 0) * waitUsPerByte));
      return uncut(worstUs + heldUp(model, row.bytes ?? 0, worstUs), row.bytes);
    },
    say: (worstUs) => `${inMs(worstUs)} ms at worst`,
    offCore: chip === undefined ? measuredOffCore : hostOf(config.models, chip.profile.host),
    busBytesPerSecond: capacity === undefined ? undefined : capacity * 1e6,
    power: undefined,
    memoryBytes: chip?.profile.dram.memoryBytes,
    // A table says nothing of what a model is made of; the manifest says what it takes in memory.
    outOfWindow: outOfWindow(placement, (id, core) => {
      const model = config.models.find((candidate) => candidate.id === id);
      if (model === undefined || chip === undefined) return undefined;
      const addressed = { layers: [], residentBytes: model.memoryBytes, isLanguage: model.shape?.kind === 'language' };
      return windowFit(addressed, chipAsOf(chip.profile, core));
    }),
  };
}

/**
 * What runs of a model wait at worst for the budget of the regulated stream that waits longest, of whose runs nothing is known but that none is faster than the
 * bus.
 */
function waitForBudgets(config: Pick<RuntimeConfig, 'pipelines' | 'scheduler'>, placement: Placement, capacity: number) {
  const regulation = regulationOf(config);
  return (model: ModelId, bytes: number, us: number): number => {
    if (regulation === undefined) return 0;
    const waits = config.pipelines.map((pipeline) => {
      const budget = regulation.bytesByStream.get(pipeline.id);
      if (budget === undefined || !usersOf(model, [pipeline]).includes(pipeline.id)) return 0;
      const { periodUs } = regulation;
      return stallUs({ bytes: budget, periodUs, rateMax: capacity, runsMax: runsAtOnce(pipeline, placement) }, bytes, us);
    });
    return Math.max(0, ...waits);
  };
}

/** The simulated host takes the same for every picture, one after the other of a stream, and nothing for sound. */
export const hostOf =
  (models: RuntimeConfig['models'], { prepareUs, decodeUs }: SocProfile['host']) =>
  ({ stream }: PipelineConfig, frames: number): OffCore => {
    const isSound = models.find(({ id }) => id === stream.model)?.windowSamples !== undefined;
    if (isSound) return { us: 0, spreadUs: 0 };
    const eachUs = Math.round(prepareUs);
    return { us: frames * eachUs + Math.round(decodeUs), spreadUs: (frames - 1) * eachUs };
  };

export const inMs = (us: number): number => Math.floor(us * 0.01) / 10;
