import type { CoreState, JobState } from './state.ts';
import { hasRoom } from './turn.ts';

/** Whether the core could run the job if it were idle: it is open to the model, and has what the job has come to, or room for it. */
export const mayTake = (core: CoreState, job: JobState): boolean => job.model.isOpen[core.index] === true && hasRoom(core, job);
