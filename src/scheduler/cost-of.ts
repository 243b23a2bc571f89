import type { CoreState, ModelState } from './state.ts';

/** What a run of the model is expected to take on that core. */
export function typicalUsOn(model: ModelState, core: CoreState): number {
  return model.exact === undefined ? model.cost.on(core.index).typicalUs : exactUsOn(model, core);
}

/** What a run of the model on that core rarely exceeds. */
export function highUsOn(model: ModelState, core: CoreState): number {
  return model.exact === undefined ? model.cost.on(core.index).highUs : exactUsOn(model, core);
}

/** On the fastest of its cores. */
export const leastTypicalUs = (model: ModelState): number => typicalUsOn(model, model.fastest);

/** To be called when something was learnt of a model. */
export function findFastest(model: ModelState): void {
  if (model.exact !== undefined || model.width > 1) return;
  let leastUs = Number.POSITIVE_INFINITY;
  for (const core of model.fastestFirst) {
    const us = typicalUsOn(model, core);
    if (us >= leastUs) continue;
    leastUs = us;
    model.fastest = core;
  }
}

/** Of one run, 0 where nothing is known. */
export const energyUjOn = (model: ModelState, core: CoreState): number => model.exact?.get(core.id)?.energyUj ?? 0;

/** Where it is known and fixed. */
export const exactUsOn = (model: ModelState, core: CoreState): number => model.exact?.get(core.id)?.costUs ?? Number.POSITIVE_INFINITY;
