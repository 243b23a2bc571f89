import type { RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { ModelId } from '../core/model.ts';
import { chipAsOf, usableBytesPerSecond } from '../core/soc-profile.ts';
import type { BlockSteps } from '../core/step-plan.ts';
import { durationUs } from '../core/units.ts';
import { compileSegment, extentOf, type SegmentCost } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import { compileSplit, type Split } from '../devices/sim/split-cost.ts';
import { rowFor } from '../scheduler/scheduler.ts';
import { heldRateOf, heldUs } from './bus-budget.ts';
import { checkFit } from './check-fit.ts';
import type { Chip } from './on-chip.ts';
import { coresOf, leastSplitOf } from './placed-split.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import type { ModelCosts } from './simulate-costs.ts';
import { simulatedCosts } from './simulated-costs.ts';

export interface CutModels {
  /** The same, each model that was cut with its steps. */
  readonly config: RuntimeConfig;
  /** Where each begins a new block: places of layers, ascending. */
  readonly cuts: ReadonlyMap<ModelId, readonly number[]>;
  /** For each model that is in somebody's way: how long a part of it may typically take. Empty where nothing is to be cut. */
  readonly limits: ReadonlyMap<ModelId, number>;
}

/** More blocks than that make segments so short that dispatching them is what takes the time. */
const BLOCKS_MAX = 64;

/** A border may lie this part of a block before its limit, if fewer bytes cross it there. */
const SEARCHED_RATIO = 0.3;

/**
 * Cuts each network that may run for longer than somebody more urgent stands (Q_k of the analysis, with a margin as there) into blocks that are short enough.
 * Nobody chooses a length: it follows from the deadlines. For simulated cores; for those of the silicon at hand see cut-for-cores.ts.
 */
export function cutModels(config: RuntimeConfig, costs: readonly ModelCosts[], chip: Chip): CutModels {
  const cuts = new Map<ModelId, readonly number[]>();
  if (config.scheduler.cuts === 'none') return { config, cuts, limits: new Map() };
  const run = planRun(config);
  const limits = limitsOf(config, run, costs, chip);
  const models = config.models.map((model) => {
    const layers = costs.find((row) => row.model === model.id)?.layers ?? [];
    const limitUs = limits.get(model.id);
    if (limitUs === undefined || layers.length < 2 || model.shape?.kind === 'language') return model;
    const there = chipOf(coresOf(model.id, run.placement), chip);
    if (there === undefined) return model;
    const split = leastSplitOf(model.id, run.placement, chip.profile);
    const usOf = timeOn(layers, there, split, heldRateOf(model.id, config));
    if (usOf(layers) <= limitUs) return model;
    const borders = bordersOf(layers, Math.max(limitUs, usOf(layers) / BLOCKS_MAX), there, usOf);
    if (borders.length === 0) return model;
    cuts.set(model.id, borders);
    return { ...model, steps: blocksOf(layers, borders, there, split) };
  });
  return { config: { ...config, models }, cuts, limits };
}

/** As its cores see the chip; undefined where they are of several kinds: blocks that are of one length on one of them are of another on the other. */
function chipOf(cores: readonly CoreId[], { profile, mode }: Chip): Chip | undefined {
  const [first, ...others] = cores.map((core) => chipAsOf(profile, core));
  if (first === undefined || others.some(({ kind }) => kind !== first.kind)) return undefined;
  return { profile: first, mode };
}

/** For each model that is in somebody's way: how long a part of it may be. Where nothing helps, nothing is cut. */
function limitsOf(
  config: RuntimeConfig,
  { plan, placement }: RunPlan,
  costs: readonly ModelCosts[],
  chip: Chip,
): ReadonlyMap<ModelId, number> {
  const limits = new Map<ModelId, number>();
  // A lower clock makes everything longer in proportion, and what is cut for the full one is better than nothing.
  const known = { ...simulatedCosts({ config, cuts: new Map() }, placement, costs, chip), power: undefined };
  for (const stream of checkFit(config, placement, known, 'verdict').streams) {
    const { runUsMax, costUs } = stream;
    const model = config.pipelines.find(({ id }) => id === stream.id)?.stream.model;
    if (runUsMax === null || runUsMax <= 0 || model === undefined) continue;
    const margin = costUs / Math.max(1, rowFor(plan.models, model, stream.id)?.costUs ?? costUs);
    limits.set(model, Math.min(limits.get(model) ?? Number.POSITIVE_INFINITY, runUsMax / margin));
  }
  return limits;
}

/** As few blocks as keep to the limit, each border where the fewest bytes cross it in the last part of the block. A single layer is not cut. */
function bordersOf(layers: readonly LayerCost[], limitUs: number, chip: Chip, timeOf: Time): readonly number[] {
  const usOf = layers.map((layer) => Math.max(0, timeOf([layer]) - chip.profile.core.dispatchUs));
  const borders: number[] = [];
  let from = 0;
  while (from < layers.length) {
    let to = from;
    let us = chip.profile.core.dispatchUs;
    const ends: number[] = [];
    while (to < layers.length && (to === from || us + (usOf[to] as number) <= limitUs)) {
      us += usOf[to] as number;
      ends.push(us);
      to += 1;
    }
    if (to === layers.length) break;
    let best = to;
    for (let border = to - 1; border > from && (ends[border - from - 1] as number) >= us * (1 - SEARCHED_RATIO); border -= 1) {
      if (crossingBytes(layers, border) < crossingBytes(layers, best)) best = border;
    }
    borders.push(best);
    from = best;
  }
  return borders;
}

/** How a scheduler sees a network that is cut there: what part of a run each block takes, and what it costs that somebody else runs in between. */
export function blocksOf(layers: readonly LayerCost[], borders: readonly number[], chip: Chip, split: Split = ALONE): BlockSteps {
  const all = [0, ...borders, layers.length];
  const usOf = timeOn(layers, chip, split);
  const spans = all.slice(1).map((end, index) => usOf(layers.slice(all[index], end)));
  const sum = spans.reduce((total, us) => total + us, 0);
  assert(sum > 0, 'a model that is cut takes time');
  const bytesPerUs = (usableBytesPerSecond(chip.profile) * chip.mode.bandwidthRatio) / 1e6;
  return {
    kind: 'blocks',
    shares: spans.map((us) => us / sum),
    switchUs: borders.map((border) => durationUs(Math.ceil((2 * crossingBytes(layers, border)) / bytesPerUs))),
  };
}

const ALONE: Split = { ways: 1, clusters: 1 };

type Time = (row: readonly LayerCost[]) => number;

/** Of some layers in a row on one core, or on those that the network is split over, no faster than its budget lets it. */
function timeOn(layers: readonly LayerCost[], { profile, mode }: Chip, split: Split, heldTo?: number): Time {
  const extent = extentOf(layers);
  const compile = (row: readonly LayerCost[]): SegmentCost =>
    split.ways === 1 ? compileSegment(row, profile, extent) : compileSplit(row, profile, split, extent);
  return (row) => {
    const cost = compile(row);
    return heldUs(aloneUs(cost, profile, mode), cost.bytes, heldTo);
  };
}

/** Of a row of layers without branches; those that pass over a border are not counted. */
function crossingBytes(layers: readonly LayerCost[], border: number): number {
  const layer = layers[border];
  return layer === undefined ? 0 : Math.max(0, layer.inputBytes - (layer.stateBytes ?? 0));
}
