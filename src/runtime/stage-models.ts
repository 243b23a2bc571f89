import type { SuiteModel } from '../core/bench-suite.ts';
import type { LayerCost } from '../core/layer-cost.ts';
import type { SocMode, SocProfile } from '../core/soc-profile.ts';
import { type DurationUs, durationUs } from '../core/units.ts';
import { compileSegment } from '../devices/sim/segment-cost.ts';
import { aloneUs } from '../devices/sim/sim-device.ts';
import { pyramidLayers } from '../models/network/pyramid.ts';
import type { StageModel } from './stage.ts';

export interface PricedModel extends StageModel {
  /** One run with the chip to itself, at least a microsecond. */
  readonly aloneUs: DurationUs;
}

/** A model of a suite as this chip runs it. Networks are stored as int8 where the chip has it, else as fp16. */
export function priceModel(model: SuiteModel, profile: SocProfile, mode: SocMode): PricedModel {
  const layers = layersOf(model, profile, mode);
  const us = aloneUs(compileSegment(layers, profile), profile, mode);
  return { id: model.id, layers, aloneUs: durationUs(Math.max(1, Math.round(us))) };
}

function layersOf(model: SuiteModel, profile: SocProfile, mode: SocMode): readonly LayerCost[] {
  if (model.kind === 'network') return pyramidLayers(model, profile.core.opsPerSecond.int8 === undefined ? 'fp16' : 'int8');
  return [timedLayer(model.runUs, profile, mode)];
}

/** Work of the vector unit that takes so long, dispatch included, in this mode; it moves nothing. A time below that of a dispatch becomes that. */
function timedLayer(runUs: DurationUs, { core }: SocProfile, { clockRatio }: SocMode): LayerCost {
  const elementOps = (Math.max(0, runUs * clockRatio - core.dispatchUs) * core.vectorOpsPerSecond) / 1e6;
  return {
    ...{ name: 'all', operator: 'time', type: 'int8', macs: 0, m: 0, n: 0, k: 0, groups: 0 },
    ...{ elementOps, weightBytes: 0, inputBytes: 0, outputBytes: 0 },
  };
}
