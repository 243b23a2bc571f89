import { assert } from '../../core/assert.ts';
import { CURVE_OPS, type LayerCost, NUMBER_TYPES, type NumberType } from '../../core/layer-cost.ts';
import { type FigureRange, type MacArray, type SocCore, type SocProfile, usableBytesPerSecond } from '../../core/soc-profile.ts';

/** Part of a core's local memory that holds activations; the rest is for weights on their way in. */
const ACTIVATION_RATIO = 0.5;

/**
 * Energy of a multiply-accumulate by type, int8 being 1. fp32: 3.7 + 0.9 pJ to 0.23 pJ at 45 nm (Horowitz, ISSCC 2014); the others lie on the square of the
 * width, since a multiplier's area grows with it.
 */
const MAC_ENERGY: Readonly<Record<NumberType, number>> = { int4: 0.5, int8: 1, int16: 4, fp16: 5, fp32: 20 };

/** An element operation costs about what an int8 multiply-accumulate does: an fp16 addition without a multiplication. */
const ELEMENT_ENERGY = 1;

/**
 * What one segment asks of a core, made ready for roofline times at any bandwidth.
 *
 * Layer i computes for c_i and moves m_i bytes, and overlaps the two: at bandwidth b it takes max(c_i, m_i / b), so the segment takes
 * T(b) = sum max(c_i, m_i / b) (Williams, Waterman, Patterson 2009, layer by layer). Sorted by m_i / c_i, the bandwidth below which layer i waits for memory,
 * T(b) = computeBefore[p] + bytesFrom[p] / b with p = the number of layers whose m_i / c_i is at most b. Dispatch, and what each layer takes to begin, count
 * as one more layer that moves nothing.
 */
export interface SegmentCost {
  /** Bytes from and to DRAM. */
  readonly bytes: number;
  /** All layers without any wait for memory, dispatch included. */
  readonly computeUs: number;
  readonly macs: number;
  /** Multiply-accumulates weighted by their energy, int8 being 1. */
  readonly energyMacs: number;
  /** What the model occupies in memory. */
  readonly weightBytes: number;
  /** Part of the multipliers in use while the layers with multiplications compute. 0..1 */
  readonly utilisationRatio: number;
  /** Ascending, bytes per microsecond. */
  readonly knees: Float64Array;
  /** One longer than `knees`. */
  readonly computeBefore: Float64Array;
  readonly bytesFrom: Float64Array;
}

/** Cost of running these layers on one core of this profile. Where they are part of a model, its weights stay in the core as a whole or not at all. */
export function compileSegment(
  layers: readonly LayerCost[],
  profile: Pick<SocProfile, 'core' | 'coresPerCluster' | 'localMemoryBytes' | 'doWeightsStay' | 'stayLayersMax' | 'dram'>,
  model: ModelExtent = extentOf(layers),
): SegmentCost {
  const { core } = profile;
  const { weightBytes } = model;
  const localBytes = profile.localMemoryBytes / profile.coresPerCluster;
  const doWeightsStay = doLayersStay(model, profile, localBytes);
  const activationBytes = activationRoom(profile, localBytes);
  let [macs, energyMacs, multiplyUs, busyUs] = [0, 0, 0, 0];
  const costs = layers.map((layer, index) => {
    const macUs = multiplicationUs(layer, core);
    macs += layer.macs;
    energyMacs += energyMacsOf(layer);
    multiplyUs += macUs;
    busyUs += layer.macs === 0 ? 0 : (layer.macs * 2e6) / rateOf(layer.type, core);
    const ends = { isFirst: index === 0, isLast: index === layers.length - 1 };
    const moved = (doWeightsStay ? 0 : layer.weightBytes) + activationTraffic(layer, ends, activationBytes);
    return { computeUs: Math.max(macUs, (elementOpsOn(layer, core) / core.vectorOpsPerSecond) * 1e6), bytes: moved };
  });
  const speedRatio = speedRatioOf(layers, core);
  const utilisationRatio = multiplyUs === 0 ? 0 : (busyUs / multiplyUs) * speedRatio;
  const waitUs =
    profile.doWeightsStay && core.layerShareRatio < 1
      ? widestWaitUs(layers, costs, contextsOf(layers, model, profile, localBytes), core)
      : 0;
  const all = [{ computeUs: beginUs(layers, core, doWeightsStay) + waitUs, bytes: 0 }, ...costs];
  return rooflineOf(slowed(all, speedRatio, profile), {
    macs,
    energyMacs,
    weightBytes,
    utilisationRatio,
  });
}

/** Part of the speed that the roofline gives at which these layers run: that of prompts where all of them are of one. */
export const speedRatioOf = (layers: readonly LayerCost[], { promptRatio = 1 }: SocCore): number =>
  layers.every(({ operator }) => operator === 'prefill') ? promptRatio : 1;

interface Cost {
  readonly computeUs: number;
  readonly bytes: number;
}

/**
 * With the bus to itself each of them takes 1/ratio times as long, whether it computed, waited for memory or began. The bytes stay as many, so that they wait
 * for a shared bus only where even so little of it is not to be had.
 */
export function slowed(costs: readonly Cost[], ratio: number, profile: Pick<SocProfile, 'dram'>): readonly Cost[] {
  if (ratio === 1) return costs;
  const bytesPerUs = usableBytesPerSecond(profile) / 1e6;
  return costs.map(({ computeUs, bytes }) => ({ computeUs: Math.max(computeUs, bytes / bytesPerUs) / ratio, bytes }));
}

/** Its multiply-accumulates weighted by their energy, int8 being 1. */
export const energyMacsOf = ({ macs, type, elementOps }: LayerCost): number => macs * MAC_ENERGY[type] + elementOps * ELEMENT_ENERGY;

/** Layers are set up one by one: those that multiply, and those of which nothing is known. */
const isBegun = ({ macs, isUnknown }: LayerCost): boolean => macs > 0 || isUnknown === true;

/** Scores of attention, and the like: both factors are made anew in each run. */
const isBetweenActivations = ({ macs, weightBytes, isUnknown }: LayerCost): boolean => macs > 0 && weightBytes === 0 && isUnknown !== true;

/** A whole model, as far as it decides whether it stays on the chip; parts of it stay with it or not at all. */
export interface ModelExtent {
  readonly weightBytes: number;
  /** Layers that are set up one by one. */
  readonly layerCount: number;
  /** Some multiply results by results. */
  readonly hasAttention: boolean;
}

export const extentOf = (layers: readonly LayerCost[]): ModelExtent => ({
  weightBytes: layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
  layerCount: layers.filter(isBegun).length,
  hasAttention: layers.some(isBetweenActivations),
});

/** Whether a model is on the chip from run to run, in so much local memory. */
export const doLayersStay = (
  { weightBytes, layerCount, hasAttention }: ModelExtent,
  { doWeightsStay, stayLayersMax }: Pick<SocProfile, 'doWeightsStay' | 'stayLayersMax'>,
  localBytes: number,
): boolean => doWeightsStay && weightBytes <= localBytes && layerCount <= stayLayersMax && !hasAttention;

/**
 * How often the layers of a model take turns on the chip: once where it stays, else in as many parts as its weights or its layers need, at least two. Of a part
 * of the model, its part.
 */
function contextsOf(
  layers: readonly LayerCost[],
  model: ModelExtent,
  profile: Pick<SocProfile, 'doWeightsStay' | 'stayLayersMax'>,
  localBytes: number,
): number {
  if (doLayersStay(model, profile, localBytes)) return 1;
  const whole = Math.max(2, Math.ceil(model.weightBytes / Math.max(1, localBytes)), Math.ceil(model.layerCount / profile.stayLayersMax));
  return Math.max(1, Math.ceil((Math.min(whole, model.layerCount) * layers.filter(isBegun).length) / Math.max(1, model.layerCount)));
}

/**
 * Layers that lie beside each other pass their results on, so that the slowest sets the pace; a compiler gives each as much of the chip as it needs to keep up
 * with the others, but no more than `layerShareRatio`. A context then takes the longer of what all its layers take on the whole chip, and what the widest takes
 * on its part: this is what is beyond the sum. Layers that multiply nothing are computed on the way out of the one before and have no part of their own.
 * Contexts take equal times without it.
 */
function widestWaitUs(
  layers: readonly LayerCost[],
  costs: readonly { readonly computeUs: number }[],
  contexts: number,
  { layerShareRatio }: SocCore,
): number {
  const perContextUs = costs.reduce((total, { computeUs }) => total + computeUs, 0) / contexts;
  let [waitUs, sumUs, widestUs] = [0, 0, 0];
  for (const [index, { computeUs }] of costs.entries()) {
    sumUs += computeUs;
    if (isBegun(layers[index] as LayerCost)) widestUs = Math.max(widestUs, computeUs);
    if (sumUs < perContextUs && index < costs.length - 1) continue;
    waitUs += Math.max(0, widestUs / layerShareRatio - sumUs);
    [sumUs, widestUs] = [0, 0];
  }
  return waitUs;
}

/** Chips on which models can stay hold many layers at once, and what one puts out flows to the next; on others it lies in local memory as far as it fits. */
export const activationRoom = ({ doWeightsStay }: Pick<SocProfile, 'doWeightsStay'>, localBytes: number): number =>
  doWeightsStay ? Number.POSITIVE_INFINITY : localBytes * ACTIVATION_RATIO;

/** By its first layer that multiplies. */
const isFloat = (layers: readonly LayerCost[]): boolean => layers.find(({ macs }) => macs > 0)?.type.startsWith('fp') === true;

/** Dispatch, and the beginning of each layer; layers that stay were set up before. */
export const beginUs = (
  layers: readonly LayerCost[],
  { dispatchUs, floatDispatchUs = dispatchUs, layerUs }: SocCore,
  doStay: boolean,
): number => (isFloat(layers) ? floatDispatchUs : dispatchUs) + (doStay ? 0 : layers.filter(isBegun).length * layerUs);

export const elementOpsOn = ({ elementOps, curves = 0 }: LayerCost, { curveOps }: SocCore): number =>
  elementOps - curves * (CURVE_OPS - curveOps);

export interface Ends {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * A layer's input and output stay in local memory as far as they fit it together; what does not fit spills. State lives in DRAM, and so do the input of the
 * first layer and the output of the last. Layers that multiply nothing (activations, sums, reshaping) are computed on the way out of the layer before them,
 * as NPU compilers fuse them, and move nothing of their own; unknown ones do.
 */
export function activationTraffic(layer: LayerCost, { isFirst, isLast }: Ends, localBytes: number): number {
  const state = layer.stateBytes ?? 0;
  const outer = (isFirst ? layer.inputBytes : 0) + (isLast ? layer.outputBytes : 0);
  const all = layer.inputBytes + layer.outputBytes;
  const isFused = layer.macs === 0 && layer.isUnknown !== true;
  const inner = isFused ? 0 : Math.max(0, all - state - outer);
  return Math.min(all, state + outer + Math.max(0, inner - localBytes));
}

/** A layer as far as its multiplications go. */
export type Multiplication = Pick<LayerCost, 'macs' | 'type' | 'm' | 'n' | 'k' | 'groups'> & { readonly isMean?: boolean | undefined };

/**
 * Cycles of the array times the length of one. Sizes that do not fill the box waste what is left over; the groups of a grouped convolution lie side by side
 * along n as far as whole ones fit and the array takes several, as NPU compilers lay out depthwise layers.
 */
export function multiplicationUs(layer: Multiplication, core: SocCore): number {
  if (layer.macs === 0) return 0;
  const { m, n, k } = core.array;
  const cycles = layer.isMean === true ? (layer.m * layer.n * layer.k * layer.groups) / (m * n * k) : arrayCycles(layer, core.array);
  const cycleUs = (2e6 * m * n * k) / rateOf(layer.type, core);
  return (cycles * cycleUs) / core.computeRatio;
}

export function arrayCycles({ m, n, k, groups }: Pick<LayerCost, 'm' | 'n' | 'k' | 'groups'>, array: MacArray): number {
  const rows = Math.ceil(m / array.m);
  const terms = Math.ceil(k / array.k);
  const sideBySide = Math.max(1, Math.min(array.groups, Math.floor(array.n / n)));
  const columns = n >= array.n ? groups * Math.ceil(n / array.n) : Math.ceil(groups / sideBySide);
  return rows * terms * columns;
}

/**
 * Operations per second in the type, or in the next wider one that the core has. A core that has only narrower ones takes as many passes of them as their
 * energy says: four of int8 for int16, twenty for fp32.
 */
export function rateOf(type: NumberType, { opsPerSecond }: SocCore): number {
  for (let width = NUMBER_TYPES.indexOf(type); width < NUMBER_TYPES.length; width += 1) {
    const rate = opsPerSecond[NUMBER_TYPES[width] as NumberType];
    if (rate !== undefined) return rate;
  }
  for (const candidate of [...NUMBER_TYPES].reverse()) {
    const rate = opsPerSecond[candidate];
    if (rate !== undefined) return (rate * MAC_ENERGY[candidate]) / MAC_ENERGY[type];
  }
  throw new RangeError('a core has a rate for some type');
}

/** Times of the layers one after the other, and what is known of all of them together. */
export function rooflineOf(
  costs: readonly Cost[],
  { macs, energyMacs, weightBytes, utilisationRatio }: Pick<SegmentCost, 'macs' | 'energyMacs' | 'weightBytes' | 'utilisationRatio'>,
): SegmentCost {
  const kneeOf = (cost: Cost): number => (cost.bytes === 0 ? 0 : cost.bytes / cost.computeUs);
  const sorted = costs
    .map((cost) => ({ computeUs: cost.computeUs, bytes: cost.bytes, knee: kneeOf(cost) }))
    .sort((a, b) => a.knee - b.knee);
  const count = sorted.length;
  const knees = new Float64Array(count);
  const computeBefore = new Float64Array(count + 1);
  const bytesFrom = new Float64Array(count + 1);
  sorted.forEach((cost, index) => {
    knees[index] = cost.knee;
    computeBefore[index + 1] = (computeBefore[index] ?? 0) + cost.computeUs;
  });
  for (let index = count - 1; index >= 0; index -= 1) bytesFrom[index] = (bytesFrom[index + 1] ?? 0) + (sorted[index]?.bytes ?? 0);
  assert(Number.isFinite(computeBefore[count]) && Number.isFinite(bytesFrom[0]), 'layer costs are finite');
  const [bytes, computeUs] = [bytesFrom[0] ?? 0, computeBefore[count] ?? 0];
  // The one place where costs are made: put together by spreading, they would be objects of many shapes, and each look at one of them a search.
  return { bytes, computeUs, macs, energyMacs, weightBytes, utilisationRatio, knees, computeBefore, bytesFrom };
}

/** One after the other, each with its own dispatch, as one. */
export function sumOf(costs: readonly SegmentCost[]): SegmentCost {
  const parts = costs.flatMap(({ knees, computeBefore, bytesFrom }) =>
    Array.from(knees, (_, index) => ({
      // Differences of sums may lie a rounding below zero.
      computeUs: Math.max(0, (computeBefore[index + 1] as number) - (computeBefore[index] as number)),
      bytes: Math.max(0, (bytesFrom[index] as number) - (bytesFrom[index + 1] as number)),
    })),
  );
  const total = (figure: 'macs' | 'energyMacs'): number => costs.reduce((sum, cost) => sum + cost[figure], 0);
  const macs = total('macs');
  return rooflineOf(parts, {
    macs,
    energyMacs: total('energyMacs'),
    weightBytes: Math.max(0, ...costs.map((cost) => cost.weightBytes)),
    utilisationRatio: macs === 0 ? 0 : costs.reduce((sum, cost) => sum + cost.utilisationRatio * cost.macs, 0) / macs,
  });
}

/** T(b) of SegmentCost; `bandwidth` in bytes per microsecond. Infinite without bandwidth, unless nothing is to be moved. */
export function rooflineUs(cost: SegmentCost, bandwidth: number): number {
  const index = waitingFrom(cost, bandwidth);
  const bytes = cost.bytesFrom[index] as number;
  return (cost.computeBefore[index] as number) + (bytes === 0 ? 0 : bytes / bandwidth);
}

/** From which layer on they wait for memory at this bandwidth: p of SegmentCost. Their bytes are the slope of T against 1/b. */
export function waitingFrom({ knees }: SegmentCost, bandwidth: number): number {
  let low = 0;
  let high = knees.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((knees[middle] as number) <= bandwidth) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Joules of one run without the chip's idle power. */
export function segmentJoules(cost: SegmentCost, power: SocProfile['power']): FigureRange {
  const at = (end: 'low' | 'high'): number =>
    (cost.energyMacs * power.macPicojoules[end] + cost.bytes * power.dramPicojoulesPerByte[end]) * 1e-12;
  return { low: at('low'), high: at('high') };
}
