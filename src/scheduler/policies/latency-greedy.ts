import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy, SchedulerState } from '../state.ts';
import { fastestCores } from './core-order.ts';

/**
 * The reference scheduler of XRBench v0.1 (MLSys 2023): goes over the streams in alphabetical order again and again, takes the oldest job of each, and gives
 * it the idle core that is fastest for it. With `quirks`, as published: a job may start once the stream before it has given as many results as there were
 * frames up to its own, so a dropped frame makes all later ones wait for a result that never comes, and those after a dropped one are not dropped with it.
 */
export const createLatencyGreedy = ({ drop = 'expired', quirks = false }: PolicyTuning): Policy => ({
  goesBefore,
  changesOrder: true,
  drop,
  coresFor: fastestCores,
  preempts: false,
  countsResults: quirks,
});

/** 1. fewer starts of its stream in this dispatch, 2. name of the stream, 3. smaller job id. */
function goesBefore(a: JobState, b: JobState, state: SchedulerState): boolean {
  if (a.stream === b.stream) return a.id < b.id;
  const [ofA, ofB] = [startsNow(a, state), startsNow(b, state)];
  if (ofA !== ofB) return ofA < ofB;
  return a.stream.stream.id < b.stream.stream.id;
}

const startsNow = ({ stream }: JobState, state: SchedulerState): number => (stream.servedInRound === state.round ? stream.roundStarts : 0);
