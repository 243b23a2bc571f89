import type { RuntimeConfig } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { chipAsOf, usableBytesPerSecond } from '../core/soc-profile.ts';
import { type Flow, flowUs } from '../devices/sim/bus-share.ts';
import { compileOn, createModelSteps, type ModelSteps } from '../devices/sim/model-steps.ts';
import { BURST_US, FREE_RATIO } from '../devices/sim/power-cap.ts';
import { extentOf, segmentJoules } from '../devices/sim/segment-cost.ts';
import type { Split } from '../devices/sim/split-cost.ts';
import { PAST_STEP } from '../devices/sim/turn-steps.ts';
import type { Placement } from '../scheduler/placement.ts';
import { type FitCosts, hostOf, inMs, type RunCost } from './fit-costs.ts';
import { type Chip, windowOf } from './on-chip.ts';
import { outOfWindow } from './out-of-window.ts';
import { type Place, servingCores, splitOf } from './placed-split.ts';
import type { LanguageCosts, ModelCosts } from './simulate-costs.ts';
import { createWorstBus, rateMaxOf, type WorstShare } from './worst-bus.ts';

interface CutConfig {
  readonly config: Pick<RuntimeConfig, 'models' | 'pipelines' | 'scheduler'>;
  /** By model, where each begins a new block: places of layers, ascending. */
  readonly cuts: ReadonlyMap<ModelId, readonly number[]>;
}

/** As the simulator would have it, with all other cores at their worst for the bus all the time. */
export function simulatedCosts(
  { config: { models, pipelines, scheduler }, cuts }: CutConfig,
  placement: Placement,
  layers: readonly ModelCosts[],
  chip: Chip,
): FitCosts {
  const { profile, mode } = chip;
  const capacity = (usableBytesPerSecond(profile) * mode.bandwidthRatio) / 1e6;
  const rows = new Map<string, SimulatedModel>();
  const rowOn = (place: Place, core: CoreId): SimulatedModel | undefined => {
    const { model } = place;
    const there = chipAsOf(profile, core);
    const split = splitOf(place, profile);
    const key = `${there.kind}/${split.ways}/${split.clusters}/${model}`;
    const known = rows.get(key);
    if (known !== undefined) return known;
    const given = layers.find((row) => row.model === model);
    if (given === undefined) return undefined;
    const steps = models.find(({ id }) => id === model)?.steps;
    const row =
      steps?.kind === 'tokens' && given.language !== undefined
        ? talkerOf(given.language, { chunkTokens: steps.chunkTokens, split }, { profile: there, mode })
        : modelOf(given, { cuts: cuts.get(model) ?? [], split }, { profile: there, mode });
    rows.set(key, row);
    return row;
  };
  const shareOf = createWorstBus({
    ...{ config: { pipelines, scheduler }, placement, capacity },
    flowsOf: (place, core) => rowOn(place, core)?.flows ?? [],
    rateMaxOf: (place, core) => {
      const row = rowOn(place, core);
      // A language model takes more of the bus at some lengths of its past than at others.
      return row?.chunk === undefined ? rateMaxOf(row?.flows ?? [], capacity) : capacity;
    },
  });
  const known = new Map<string, RunCost>();
  const costOf = (place: Place, core: CoreId): RunCost => {
    const row = rowOn(place, core);
    assert(row !== undefined, 'the costs of a model that is used are known', place.model);
    const share = shareOf(place, gangOf(place) ?? [core]);
    return { ...worstOf(row, share, capacity), ...energyOf(row, capacity, chip) };
  };
  return {
    told: `simulated on ${profile.id}, mode ${mode.id}, every other core taking as much of the bus as it can`,
    of: (place, core) => {
      const key = `${core}/${place.cores.join()}/${place.split ?? 1}/${place.model}`;
      const cost = known.get(key) ?? costOf(place, core);
      known.set(key, cost);
      return cost;
    },
    say: (worstUs) => `${inMs(worstUs)} ms at worst`,
    offCore: hostOf(models, profile.host),
    busBytesPerSecond: capacity * 1e6,
    power: {
      idleW: profile.power.idleW,
      modeW: mode.watts,
      burstJoules: (mode.watts * BURST_US * (1 - FREE_RATIO)) / 1e6,
      thermal: profile.thermal,
    },
    memoryBytes: profile.dram.memoryBytes,
    outOfWindow: outOfWindow(placement, (model, core) => {
      const row = layers.find((candidate) => candidate.model === model);
      return row === undefined ? undefined : windowOf(row, chipAsOf(profile, core));
    }),
  };
}

/** The cores that a job takes there, where it has no choice. */
function gangOf(place: Place): readonly CoreId[] | undefined {
  const own = servingCores(place);
  return place.split === own.length ? own : undefined;
}

interface SimulatedModel {
  readonly steps: ModelSteps;
  readonly speed: number;
  /** What any row of its steps takes of the bus is at most what one of these does. */
  readonly flows: readonly Flow[];
  /** Of a language model that is asked in turns: a chunk of a prompt at the end of the context; `steps` is then a token there. */
  readonly chunk?: Flow;
}

/** A row of steps takes no more of the bus than the greediest of its blocks would without dispatch, since the bytes and the times of blocks add up. */
function modelOf(
  { layers }: ModelCosts,
  { cuts, split }: { readonly cuts: readonly number[]; readonly split: Split },
  { profile, mode }: Chip,
): SimulatedModel {
  const steps = createModelSteps(layers, cuts, profile, split);
  const flowOf = (cost: Flow['cost']): Flow => ({ cost, speed: mode.clockRatio, drag: 1, width: split.ways });
  if (steps.count === 1) return { steps, speed: mode.clockRatio, flows: [flowOf(steps.whole)] };
  const undispatched = createModelSteps(layers, cuts, { ...profile, core: { ...profile.core, dispatchUs: 0 } }, split);
  const flows = Array.from({ length: steps.count }, (_, block) => flowOf(undispatched.cost(block, 1, block > 0)));
  return { steps, speed: mode.clockRatio, flows };
}

/** At the end of the context, as the simulator rounds it. */
function talkerOf(
  language: LanguageCosts,
  { chunkTokens, split }: { readonly chunkTokens: number; readonly split: Split },
  { profile, mode }: Chip,
): SimulatedModel {
  const past = language.contextTokens + PAST_STEP;
  const steps = createModelSteps(language.decodeLayers(1, past), [], profile, split);
  const flowOf = (cost: Flow['cost']): Flow => ({ cost, speed: mode.clockRatio, drag: 1, width: split.ways });
  const layers = language.prefillLayers(chunkTokens, Math.max(0, past - chunkTokens));
  const chunk = flowOf(compileOn(layers, extentOf(layers), profile, split));
  return { steps, speed: mode.clockRatio, flows: [flowOf(steps.whole), chunk], chunk };
}

function worstOf({ steps, speed, flows, chunk }: SimulatedModel, share: WorstShare, capacity: number): Omit<RunCost, 'joules' | 'peakW'> {
  const level = share.bandwidth;
  const flowOf = (cost: Flow['cost']): Flow => ({ cost, speed, drag: 1 });
  const usAt = (cost: Flow['cost'], bandwidth: number): number => flowUs(flowOf(cost), bandwidth);
  const usOf = (cost: Flow['cost']): number => Math.ceil(share.usOf(flowOf(cost)));
  const heldUs = (cost: Flow['cost']): number => usOf(cost) + share.stallUs(cost.bytes, usOf(cost));
  const { bytes } = steps.whole;
  if (steps.count === 1) {
    const worstUs = Math.max(1, heldUs(steps.whole));
    const segmentUs = chunk === undefined ? worstUs : Math.max(worstUs, heldUs(chunk.cost));
    return { worstUs, segmentUs, lastUs: segmentUs, switchUs: 0, bytes };
  }
  const blocks = Array.from({ length: steps.count }, (_, block) => ({
    plain: steps.cost(block, 1, false),
    again: steps.cost(block, 1, block > 0),
  }));
  // A border is found by shares of time with the bus to itself, told by totals; the same block may take a larger share when layer is added to layer.
  const ends = steps.ends(0, steps.count);
  const shares = blocks.map((_, block) => (ends[block] ?? 1) - (ends[block - 1] ?? 0));
  const alone = blocks.map(({ plain }) => usAt(plain, capacity));
  const sum = alone.reduce((total, us) => total + us, 0);
  const skew = blocks.reduce((most, _, block) => Math.max(most, (alone[block] ?? 0) / sum / (shares[block] ?? 1)), 1);
  const rateMax = rateMaxOf(flows, capacity);
  const partUs = ({ again }: (typeof blocks)[number]): number => {
    const aloneUs = usAt(again, capacity) * skew;
    const us = Math.ceil(aloneUs * (capacity / level));
    return us + share.stallUs(aloneUs * rateMax, us);
  };
  const switchUs = ({ plain, again }: (typeof blocks)[number]): number => {
    const us = Math.ceil(usAt(again, level) - usAt(plain, level));
    return us + share.stallUs(again.bytes - plain.bytes, us);
  };
  const last = blocks.at(-1);
  assert(last !== undefined, 'a model that is cut has blocks');
  // In as many segments as there are blocks, each with its dispatch; where it is split, its cores also wait for each other at the borders of a longer one.
  const worstUs = Math.max(
    usOf(steps.whole),
    blocks.reduce((total, { plain }) => total + usOf(plain), 0),
  );
  return {
    worstUs: worstUs + share.stallUs(bytes, worstUs),
    segmentUs: Math.max(...blocks.map(partUs)),
    lastUs: partUs(last),
    switchUs: Math.max(...blocks.map(switchUs)),
    bytes,
  };
}

/** A row of steps takes on average no more power than the one of its blocks that takes most. */
function energyOf({ flows, steps }: SimulatedModel, capacity: number, { profile }: Chip): Pick<RunCost, 'joules' | 'peakW'> {
  const joulesOf = (cost: Flow['cost']): number => segmentJoules(cost, profile.power).high;
  return {
    joules: joulesOf(steps.whole),
    peakW: flows.reduce((most, flow) => Math.max(most, (joulesOf(flow.cost) * 1e6) / Math.max(1, flowUs(flow, capacity))), 0),
  };
}
