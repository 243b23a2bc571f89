import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy } from '../state.ts';
import { fastestCores } from './core-order.ts';

/** Each stream in turn: the one whose last start is longest ago goes first, whatever its class and deadline. */
export const createRoundRobin = ({ drop = 'expired' }: PolicyTuning): Policy => ({
  goesBefore: waitedLongest,
  changesOrder: true,
  drop,
  coresFor: fastestCores,
  preempts: false,
  countsResults: false,
});

/** 1. stream served longest ago, 2. stream earlier in the plan, 3. smaller job id. */
function waitedLongest(a: JobState, b: JobState): boolean {
  if (a.stream.servedAfter !== b.stream.servedAfter) return a.stream.servedAfter < b.stream.servedAfter;
  if (a.stream !== b.stream) return a.stream.index < b.stream.index;
  return a.id < b.id;
}
