import type { CoreState, ModelState } from './state.ts';

/** What a run of the model is expected to take on that core. */
export function typicalUsOn(model: ModelState, core: CoreState): number {
  return model.exact === undefined ? model.cost.typicalUs : exactUsOn(model, core);
}

/** What a run of the model on that core rarely exceeds. */
export function highUsOn(model: ModelState, core: CoreState): number {
  return model.exact === undefined ? model.cost.highUs : exactUsOn(model, core);
}

/** On the fastest of its cores. */
export function leastTypicalUs(model: ModelState): number {
  const fastest = model.fastestFirst[0];
  return model.exact === undefined || fastest === undefined ? model.cost.typicalUs : exactUsOn(model, fastest);
}

/** Of one run, 0 where nothing is known. */
export const energyUjOn = (model: ModelState, core: CoreState): number => model.exact?.get(core.id)?.energyUj ?? 0;

/** Where it is known and fixed. */
export const exactUsOn = (model: ModelState, core: CoreState): number => model.exact?.get(core.id)?.costUs ?? Number.POSITIVE_INFINITY;
