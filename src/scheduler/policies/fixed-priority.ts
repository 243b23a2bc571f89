import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy } from '../state.ts';
import { fastestCores } from './core-order.ts';

/** Deadline monotonic inside a class (Leung and Whitehead 1982), without preemption: the priority is the stream's, not the job's. */
export const createFixedPriority = ({ drop = 'expired', preempts = false }: PolicyTuning): Policy => ({
  goesBefore: isOfHigherPriority,
  changesOrder: false,
  drop,
  coresFor: fastestCores,
  preempts,
  countsResults: false,
});

/** 1. criticality class, 2. shorter relative deadline, 3. stream earlier in the plan, 4. smaller job id. */
function isOfHigherPriority(a: JobState, b: JobState): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  const [ofA, ofB] = [a.stream.stream.deadlineUs, b.stream.stream.deadlineUs];
  if (ofA !== ofB) return ofA < ofB;
  if (a.stream !== b.stream) return a.stream.index < b.stream.index;
  return a.id < b.id;
}
