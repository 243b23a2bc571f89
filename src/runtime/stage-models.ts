import type { SuiteModel } from '../core/bench-suite.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import type { StepPlan } from '../core/step-plan.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import { createLanguageModel } from '../models/language/language-model.ts';
import type { LanguageModelShape } from '../models/language/model-shape.ts';
import { pyramidLayers } from '../models/network/described-network.ts';
import { cutLayers } from './cut-layers.ts';
import { blocksOf } from './cut-models.ts';
import type { StageModel } from './stage.ts';

export interface PricedModel extends StageModel {
  /** One run with the chip to itself, at least a microsecond; of a language model, the first token behind a prompt. */
  readonly aloneUs: DurationUs;
  /** How the scheduler sees its blocks; undefined: a run is one step. */
  readonly plan: StepPlan | undefined;
}

/** A model of a suite as this chip runs it, in blocks or, with `isWhole`, in one. Networks are stored as int8 where the chip has it, else as fp16. */
export function priceModel(model: SuiteModel, isWhole: boolean, profile: SocProfile, mode: SocMode): PricedModel {
  if (model.kind === 'language') return priceTalk(model, profile, mode);
  const blocks = isWhole ? 1 : model.blocks;
  const layers = layersOf(model, blocks, profile, mode);
  const cuts = cutLayers(layers, blocks, profile);
  return {
    id: model.id,
    layers,
    steps: { cuts },
    aloneUs: durationUs(Math.max(1, Math.round(aloneUs(compileSegment(layers, profile), profile, mode)))),
    plan: cuts.length === 0 ? undefined : blocksOf(layers, cuts, { profile, mode }),
  };
}

type Talk = Extract<SuiteModel, { readonly kind: 'language' }>;

function priceTalk(model: Talk, profile: SocProfile, mode: SocMode): PricedModel {
  const { chunkTokens, burstTokens } = model;
  const { prefillLayers, decodeLayers } = createLanguageModel(shapeOf(model));
  const us = (layers: readonly LayerCost[]): DurationUs =>
    durationUs(Math.max(1, Math.round(aloneUs(compileSegment(layers, profile), profile, mode))));
  return {
    id: model.id,
    layers: decodeLayers(1, 0),
    steps: { chunkTokens, prefillLayers, decodeLayers: (past) => decodeLayers(1, past) },
    aloneUs: us(decodeLayers(1, chunkTokens)),
    // The cache lies in memory all the time, so nothing is put away when others run.
    plan: { kind: 'tokens', chunkTokens, chunkUs: us(prefillLayers(chunkTokens, 0)), burstTokens, switchUs: durationUs(0) },
  };
}

function shapeOf({ headSize, ...model }: Talk): LanguageModelShape {
  const { layers, hidden, heads, kvHeads, intermediate, vocabulary, tiedEmbedding, bits, kvBits } = model;
  const shape = { layers, hidden, heads, kvHeads, intermediate, vocabulary, tiedEmbedding, bits, kvBits };
  return headSize === undefined ? shape : { ...shape, headSize };
}

function layersOf(model: Exclude<SuiteModel, Talk>, blocks: number, profile: SocProfile, mode: SocMode): readonly LayerCost[] {
  if (model.kind === 'network') return pyramidLayers(model, profile.core.opsPerSecond.int8 === undefined ? 'fp16' : 'int8');
  return Array.from({ length: blocks }, () => timedLayer(model.runUs, blocks, profile, mode));
}

/** One of so many equal parts of work of the vector unit that together take so long in this mode, one dispatch included; it moves nothing. */
function timedLayer(runUs: DurationUs, parts: number, { core }: SocProfile, { clockRatio }: SocMode): LayerCost {
  const elementOps = (Math.max(0, runUs * clockRatio - core.dispatchUs) * core.vectorOpsPerSecond) / 1e6 / parts;
  return {
    ...{ name: 'part', operator: 'time', type: 'int8', macs: 0, m: 0, n: 0, k: 0, groups: 0 },
    ...{ elementOps, weightBytes: 0, inputBytes: 0, outputBytes: 0 },
  };
}
