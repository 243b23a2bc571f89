import type { CoreState, JobState } from '../state.ts';

/** The one where the run takes least first; where that is the same, and always where costs are learnt, in the order of the plan: the home core first. */
export const fastestCores = (job: JobState): readonly CoreState[] => job.model.fastestFirst;
