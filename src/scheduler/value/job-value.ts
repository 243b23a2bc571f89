import { energyUjOn } from '../cost-of.ts';
import type { CoreState, JobState, ModelState, SchedulerState } from '../state.ts';

/** What a result in time of that core is worth: 1, less the share of the energy cap that the run takes; never negative. */
export const jobValue = (state: SchedulerState, job: JobState, core: CoreState): number => valueOn(state, job.model, core);

export function valueOn(state: SchedulerState, model: ModelState, core: CoreState): number {
  const capUj = state.plan.tuning?.energyCapUj;
  return capUj === undefined ? 1 : Math.max(0, 1 - energyUjOn(model, core) / capUj);
}
