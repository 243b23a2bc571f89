import type { LanguageShape } from '../config/runtime-config.ts';
import { assert } from '../core/assert.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import { type FigureRange, firstKindCountOf, type SocMode, type SocProfile, usableBytesPerSecond } from '../core/soc-profile.ts';
import { type WindowFit, windowFit } from '../devices/sim/address-window.ts';
import { columnCost } from '../devices/sim/column-cost.ts';
import { compileSegment, type SegmentCost, segmentJoules } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import type { LanguageModel } from '../models/language/language-model.ts';
import type { Chip } from './on-chip.ts';
import { languageModelOf } from './simulate-costs.ts';

/** A prompt of a spoken question with its instructions. */
export const PROMPT_TOKENS = 512;

/** What a listener follows: speech has about three words a second, four to five tokens; 15 leave time to think and to look ahead. */
const LISTENING_TOKENS_PER_SECOND = 15;

/** Of a 16-bit scale for each block of 32 weights. */
const SCALE_BITS = 0.5;

/** Weights of 16 bits need no scales. */
export const storedBits = (bits: number): number => (bits <= 8 ? bits + SCALE_BITS : bits);

/**
 * One model on one chip, nothing else running. Cores that work on a token together wait for each other after each layer, so that more of them may be slower: a
 * token and the prompt are each made by as many as are fastest.
 */
export interface ModelPlan {
  readonly soc: string;
  readonly mode: string;
  readonly parameters: number;
  readonly bits: number;
  readonly contextTokens: number;
  readonly memory: { readonly weightBytes: number; readonly kvBytes: number; readonly haveBytes: number; readonly doesFit: boolean };
  /** Of what a core can address; absent where no limit is known. */
  readonly window?: WindowFit;
  /** Undefined when the model does not fit memory or window. */
  readonly speed?: ModelSpeed;
}

export interface ModelSpeed {
  readonly decode: {
    /** With as many cores of the first kind as are fastest. */
    readonly tokensPerSecond: number;
    readonly cores: number;
    readonly oneCoreTokensPerSecond: number;
    readonly allCoresTokensPerSecond: number;
    readonly bytesPerToken: number;
    /** Of what the bus carries, while decoding as fast as it goes. */
    readonly busRatio: number;
    readonly isMemoryBound: boolean;
    /** Idle power included. */
    readonly joulesPerToken: FigureRange;
  };
  /** The last layer of the prompt gives the first token. */
  readonly prompt: { readonly tokens: number; readonly cores: number; readonly firstTokenMs: number };
  /** The rest of the chip while the model talks no faster than anybody listens. */
  readonly left: {
    readonly tokensPerSecond: number;
    readonly busGbs: number;
    readonly busRatio: number;
    readonly topsInt8: number;
    readonly computeRatio: number;
  };
}

export interface PlanModelOptions {
  readonly profile: SocProfile;
  readonly mode: SocMode;
  readonly shape: LanguageShape;
  /** Bits of a weight, its scales not included. */
  readonly bits: number;
  readonly contextTokens: number;
}

export function planModel({ profile, mode, shape, bits, contextTokens }: PlanModelOptions): ModelPlan {
  const model = languageModelOf({ ...shape, bits: storedBits(bits) });
  const kvBytes = model.kvBytesPerToken * contextTokens;
  const doesFit = model.weightBytes + kvBytes <= profile.dram.memoryBytes;
  const common = {
    soc: profile.id,
    mode: mode.id,
    parameters: model.parameters,
    bits,
    contextTokens,
    memory: { weightBytes: model.weightBytes, kvBytes, haveBytes: profile.dram.memoryBytes, doesFit },
  };
  const layers = model.decodeLayers(1, contextTokens - 1);
  const window = windowFit({ layers, residentBytes: model.weightBytes + kvBytes, isLanguage: true }, profile);
  const fitted = { ...common, ...(window === undefined ? {} : { window }) };
  if (!doesFit || window?.fits === false) return fitted;
  return { ...fitted, speed: speedOf(model, { profile, mode, contextTokens }) };
}

function speedOf(model: LanguageModel, { profile, mode, contextTokens }: Omit<PlanModelOptions, 'shape' | 'bits'>): ModelSpeed {
  const chip = { profile, mode };
  const promptTokens = Math.min(PROMPT_TOKENS, contextTokens);
  const tokens = onCores(model.decodeLayers(1, contextTokens - 1), chip);
  const prompt = fastestOf(onCores(model.prefillLayers(promptTokens, 0), chip));
  const [one, all, fastest] = [tokens[0], tokens.at(-1), fastestOf(tokens)];
  assert(one !== undefined && all !== undefined, 'a chip has a core');
  const { cores, cost: decode, us: tokenUs } = fastest;
  const usable = usableBytesPerSecond(profile) * mode.bandwidthRatio;
  const ownJoules = segmentJoules(decode, profile.power);
  const idleJoules = (profile.power.idleW * tokenUs) / 1e6;
  const rate = Math.min(LISTENING_TOKENS_PER_SECOND, 1e6 / tokenUs);
  const busRatioLeft = Math.max(0, 1 - (rate * decode.bytes) / usable);
  const computeLeft = Math.max(0, 1 - (((rate * decode.computeUs) / mode.clockRatio / 1e6) * cores) / all.cores);
  return {
    decode: {
      tokensPerSecond: 1e6 / tokenUs,
      cores,
      oneCoreTokensPerSecond: 1e6 / one.us,
      allCoresTokensPerSecond: 1e6 / all.us,
      bytesPerToken: decode.bytes,
      busRatio: (decode.bytes * 1e6) / tokenUs / usable,
      isMemoryBound: (decode.bytes * 1e6) / usable > decode.computeUs / mode.clockRatio,
      joulesPerToken: { low: idleJoules + ownJoules.low, high: idleJoules + ownJoules.high },
    },
    prompt: { tokens: promptTokens, cores: prompt.cores, firstTokenMs: prompt.us / 1000 },
    left: {
      tokensPerSecond: rate,
      busGbs: (busRatioLeft * usable) / 1e9,
      busRatio: busRatioLeft,
      topsInt8: (computeLeft * (profile.core.opsPerSecond.int8 ?? 0) * all.cores * mode.clockRatio) / 1e12,
      computeRatio: computeLeft,
    },
  };
}

interface OnCores {
  readonly cores: number;
  readonly cost: SegmentCost;
  readonly us: number;
}

/** On one core of the first kind, on two, and so on to all of them. */
const onCores = (layers: readonly LayerCost[], { profile, mode }: Chip): readonly OnCores[] =>
  Array.from({ length: firstKindCountOf(profile) }, (_, index) => {
    const cost = columnCost(layers, profile, index + 1);
    return { cores: index + 1, cost, us: aloneUs(cost, profile, mode) };
  });

/** Of equally fast ones the fewest. */
const fastestOf = (candidates: readonly OnCores[]): OnCores => candidates.reduce((best, next) => (next.us < best.us ? next : best));

/** A network on a chip, one run after another on one core. */
export interface NetworkPlan {
  readonly soc: string;
  readonly mode: string;
  readonly memory: { readonly weightBytes: number; readonly haveBytes: number; readonly doesFit: boolean };
  /** Of what a core can address; absent where no limit is known. */
  readonly window?: WindowFit;
  readonly runMs: number;
  readonly runsPerSecond: number;
  readonly bytesPerRun: number;
  readonly busRatio: number;
  readonly gmac: number;
  readonly utilisationRatio: number;
  readonly joulesPerRun: FigureRange;
}

/** @param weightBytes what lies in memory, which may be less than all layers read, or more */
export function planNetwork(layers: readonly LayerCost[], weightBytes: number, { profile, mode }: Chip): NetworkPlan {
  const window = windowFit({ layers, residentBytes: weightBytes, isLanguage: false }, profile);
  const cost = compileSegment(layers, profile);
  const runUs = aloneUs(cost, profile, mode);
  const own = segmentJoules(cost, profile.power);
  const idle = (profile.power.idleW * runUs) / 1e6;
  return {
    soc: profile.id,
    mode: mode.id,
    memory: { weightBytes, haveBytes: profile.dram.memoryBytes, doesFit: weightBytes <= profile.dram.memoryBytes },
    ...(window === undefined ? {} : { window }),
    runMs: runUs / 1000,
    runsPerSecond: 1e6 / runUs,
    bytesPerRun: cost.bytes,
    busRatio: (cost.bytes * 1e6) / runUs / (usableBytesPerSecond(profile) * mode.bandwidthRatio),
    gmac: cost.macs / 1e9,
    utilisationRatio: cost.utilisationRatio,
    joulesPerRun: { low: idle + own.low, high: idle + own.high },
  };
}
