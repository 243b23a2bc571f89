import { type CoreState, canServe, isSpared, type JobState } from './state.ts';
import { hasRoom } from './turn.ts';

/** Whether the core could run the job if it were idle: it is up with the model, is wanted for it, and has what the job has come to, or room for it. */
export const mayTake = (core: CoreState, job: JobState): boolean =>
  canServe(core, job.model.plan.model) && !isSpared(core, job.model) && hasRoom(core, job);
