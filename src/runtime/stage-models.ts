import type { SuiteModel } from '../core/bench-suite.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import type { StepPlan } from '../core/step-plan.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import { pyramidLayers } from '../models/network/pyramid.ts';
import { cutLayers } from './cut-layers.ts';
import { blocksOf } from './cut-models.ts';
import type { StageModel } from './stage.ts';

export interface PricedModel extends StageModel {
  /** One run with the chip to itself, at least a microsecond. */
  readonly aloneUs: DurationUs;
  /** How the scheduler sees its blocks; undefined: a run is one step. */
  readonly steps: StepPlan | undefined;
}

/** A model of a suite as this chip runs it, in blocks or, with `isWhole`, in one. Networks are stored as int8 where the chip has it, else as fp16. */
export function priceModel(model: SuiteModel, isWhole: boolean, profile: SocProfile, mode: SocMode): PricedModel {
  const blocks = isWhole ? 1 : model.blocks;
  const layers = layersOf(model, blocks, profile, mode);
  const cuts = cutLayers(layers, blocks, profile);
  return {
    id: model.id,
    layers,
    cuts,
    aloneUs: durationUs(Math.max(1, Math.round(aloneUs(compileSegment(layers, profile), profile, mode)))),
    steps: cuts.length === 0 ? undefined : blocksOf(layers, cuts, { profile, mode }),
  };
}

function layersOf(model: SuiteModel, blocks: number, profile: SocProfile, mode: SocMode): readonly LayerCost[] {
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
