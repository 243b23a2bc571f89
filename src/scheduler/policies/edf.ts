import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy } from '../state.ts';
import { fastestCores } from './core-order.ts';

/** Earliest absolute deadline first (Liu and Layland 1973), without preemption, blind to classes and to what follows: the textbook's. */
export const createEdf = ({ drop = 'expired', preempts = false }: PolicyTuning): Policy => ({
  goesBefore: isDueFirst,
  changesOrder: false,
  drop,
  coresFor: fastestCores,
  preempts,
  countsResults: false,
});

/** 1. absolute deadline, 2. smaller job id. */
function isDueFirst(a: JobState, b: JobState): boolean {
  if (a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  return a.id < b.id;
}
