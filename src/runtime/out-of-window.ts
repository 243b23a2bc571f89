import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { WindowFit } from '../devices/sim/address-window.ts';
import type { Placement } from '../scheduler/placement.ts';
import type { WindowMisfit } from './fit.ts';

/** Each model once, on the first of its cores that cannot address it. */
export function outOfWindow(
  { models }: Placement,
  fitOf: (model: ModelId, core: CoreId) => WindowFit | undefined,
): readonly WindowMisfit[] {
  const misfits = new Map<ModelId, WindowMisfit>();
  for (const { model, cores } of models) {
    for (const core of cores) {
      const window = fitOf(model, core);
      if (window?.fits !== false || misfits.has(model)) continue;
      misfits.set(model, { model, core, neededBytes: window.neededBytes, haveBytes: window.haveBytes });
    }
  }
  return [...misfits.values()];
}
