import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy } from '../state.ts';
import { fastestCores } from './core-order.ts';

/** First come, first served, over all streams and classes: what unmanaged inference does. */
export const createFifo = ({ drop = 'expired' }: PolicyTuning): Policy => ({
  goesBefore: cameFirst,
  changesOrder: false,
  drop,
  coresFor: fastestCores,
  preempts: false,
  countsResults: false,
});

/** Ids grow by one per job, and a job that is tried again keeps its place. */
const cameFirst = (a: JobState, b: JobState): boolean => a.id < b.id;
