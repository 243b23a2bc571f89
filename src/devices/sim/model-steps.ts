import { assert } from '../../core/assert.ts';
import type { CoreId, Turn } from '../../core/job.ts';
import type { LayerCost } from '../../core/layer-cost.ts';
import type { SocProfile } from '../../core/soc-profile.ts';
import type { DurationUs } from '../../core/units.ts';
import { compileSegment, extentOf, type ModelExtent, type SegmentCost } from './segment-cost.ts';
import { compileSplit, type Split } from './split-cost.ts';

/** What the steps of a model's jobs are. */
export type SimSteps = SimCuts | SimTurns;

/** A network cut into blocks: the places of the layers that begin one, but for the first, ascending. */
export interface SimCuts {
  readonly cuts: readonly number[];
}

/** A language model: chunks of a prompt, then tokens, each behind so many others that are in the cache. */
export interface SimTurns {
  readonly chunkTokens: number;
  readonly prefillLayers: (tokens: number, past: number) => readonly LayerCost[];
  readonly decodeLayers: (past: number) => readonly LayerCost[];
}

/** What each row of steps of one model costs on one core, or on all cores that it is split over, compiled when it is first asked for. */
export interface ModelSteps {
  /** Of all of them; of a language model, of one token. */
  readonly whole: SegmentCost;
  readonly count: number;
  /** Of steps [from, from + steps); `isReload`: what the job left at that border is fetched again. */
  cost(from: number, steps: number, isReload: boolean): SegmentCost;
  /** Part of the row's time, with the bus to itself, until the end of each of its steps; the last is 1. */
  ends(from: number, steps: number): Float64Array;
}

/** What a model costs on these cores together; of a language model, what this turn does. */
export type StepsOn = (core: CoreId, others: readonly CoreId[], turn: Turn | undefined) => ModelSteps;

/** A model that is in memory. */
export interface OpenedModel {
  readonly stepsOn: StepsOn;
  readonly loadUs: DurationUs;
  /** A job of the model has ended well, with these steps. */
  readonly ran: (steps: ModelSteps) => void;
}

/** What a core, and several together, can do. */
export type Chip = Pick<SocProfile, 'core' | 'coresPerCluster' | 'localMemoryBytes' | 'doWeightsStay' | 'stayLayersMax' | 'dram'>;

export function createModelSteps(layers: readonly LayerCost[], cuts: readonly number[], profile: Chip, split?: Split): ModelSteps {
  const extent = extentOf(layers);
  const compile = (row: readonly LayerCost[]): SegmentCost => compileOn(row, extent, profile, split);
  const borders = [0, ...cuts, layers.length];
  assert(
    borders.every(
      (border, index) => Number.isInteger(border) && (index === 0 || border > (borders[index - 1] as number) || layers.length === 0),
    ),
    'cuts lie between layers, ascending',
  );
  const count = borders.length - 1;
  const whole = compile(layers);
  const known = new Map<number, SegmentCost>();
  const knownEnds = new Map<number, Float64Array>();
  const layersOf = (from: number, steps: number): readonly LayerCost[] => layers.slice(borders[from], borders[from + steps]);
  const cost = (from: number, steps: number, isReload: boolean): SegmentCost => {
    if (from === 0 && steps === count) return whole;
    const key = 2 * (from * (count + 1) + steps) + (isReload ? 1 : 0);
    const found = known.get(key);
    if (found !== undefined) return found;
    const row = layersOf(from, steps);
    const first = row[0];
    // What the model takes in memory, and whether it stays in the cores, does not depend on how it is run.
    const made = compile(isReload && first !== undefined ? [reloadOf(first), ...row] : row);
    known.set(key, made);
    return made;
  };
  return {
    whole,
    count,
    cost,
    ends(from, steps) {
      const key = from * (count + 1) + steps;
      const found = knownEnds.get(key);
      if (found !== undefined) return found;
      const ends = endsOf(steps, (step) => cost(from + step, 1, false), profile);
      knownEnds.set(key, ends);
      return ends;
    },
  };
}

/** On one core, or on several together. */
export const compileOn = (row: readonly LayerCost[], extent: ModelExtent, profile: Chip, split: Split | undefined): SegmentCost =>
  split === undefined || split.ways === 1 ? compileSegment(row, profile, extent) : compileSplit(row, profile, split, extent);

/** Part of a row's time until the end of each of its steps. */
export function endsOf(steps: number, costOf: (step: number) => SegmentCost, profile: Pick<SocProfile, 'dram'>): Float64Array {
  const ends = new Float64Array(steps);
  let sum = 0;
  for (let step = 0; step < steps; step += 1) {
    sum += rowUs(costOf(step), profile);
    ends[step] = sum;
  }
  for (let step = 0; step < steps; step += 1) ends[step] = sum === 0 ? (step + 1) / steps : (ends[step] as number) / sum;
  return ends;
}

/** With the bus to itself, by total compute and total bytes: only its proportion to that of other steps is used. */
function rowUs(cost: SegmentCost, { dram }: Pick<SocProfile, 'dram'>): number {
  return Math.max(cost.computeUs, (cost.bytes / (dram.bytesPerSecond * dram.efficiencyRatio)) * 1e6);
}

/** The activations that cross the border, written out when the job was interrupted and read back now. Branches that pass over the border are not counted. */
function reloadOf(first: LayerCost): LayerCost {
  const bytes = Math.max(0, first.inputBytes - (first.stateBytes ?? 0));
  return {
    ...{ name: 'reload', operator: 'reload', type: first.type, macs: 0, elementOps: 0, m: 0, n: 0, k: 0, groups: 1 },
    ...{ weightBytes: 0, inputBytes: bytes, outputBytes: bytes, stateBytes: 2 * bytes },
  };
}
