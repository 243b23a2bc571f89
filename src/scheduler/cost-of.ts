import type { CoreState, ModelState } from './state.ts';

/** What a run of the model is expected to take on that core, one of those where it may run. */
export const typicalUsOn = ({ typicalUs }: ModelState, { index }: CoreState): number => typicalUs[index] as number;

/** What a run of the model on that core rarely exceeds. */
export const highUsOn = ({ highUs }: ModelState, { index }: CoreState): number => highUs[index] as number;

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
