import type { InstantUs } from '../core/units.ts';
import { leastTypicalUs } from './cost-of.ts';
import type { Followed, JobState, SchedulerState, StreamState } from './state.ts';
import { typicalRestUs, typicalRunUs } from './steps.ts';

/** How many captures a stream remembers the end of, for jobs that follow; more than any follower has waiting. */
const ENDS_MAX = 256;

/** Whether the result that the job needs is there, and, of a turn, the listener takes another token. */
export function isReady(state: SchedulerState, job: JobState): boolean {
  if (job.readyAt > state.now) return false;
  const { after } = job.stream;
  if (after === undefined) return true;
  return state.policy.countsResults ? after.doneCount > job.ordinal : after.followed?.ends.get(job.job.capturedAt) === true;
}

/** Whether the job would overtake another of its stream where that may not be. */
export const isOutOfTurn = (job: JobState): boolean =>
  // Mostly nobody is there to be overtaken, and what else is known of ten thousand streams need not be fetched from memory.
  (job.stream.runningCount > 0 || job.stream.waiting[0] !== job) && job.stream.stream.isStateful;

/** Whether the result that the job needs will never be there. */
export function isOrphan(state: SchedulerState, job: JobState): boolean {
  const { after } = job.stream;
  return after !== undefined && !state.policy.countsResults && after.followed?.ends.get(job.job.capturedAt) === false;
}

/** When the job can start at the earliest for what it needs, going by typical times; `now` when it needs nothing. */
export function readyAtUs(state: SchedulerState, job: JobState): number {
  const { after } = job.stream;
  if (after === undefined || isReady(state, job)) return Math.max(state.now, job.readyAt);
  const before = after.followed?.live.get(job.job.capturedAt);
  if (before?.phase === 'decoding') return state.now;
  if (before?.phase === 'waiting') return state.now + leastRestUs(before);
  if (before?.phase !== 'running' || before.core === undefined) return state.now + leastTypicalUs(after.model);
  return Math.max(state.now, before.startedAt + typicalRunUs(before.core));
}

/** Of a job that may have been begun, on the core where it would end first. */
function leastRestUs(job: JobState): number {
  let leastUs = Number.POSITIVE_INFINITY;
  for (const core of job.model.group.cores) leastUs = Math.min(leastUs, typicalRestUs(job, core));
  return leastUs;
}

/** What the jobs that wait for one of this stream still need after it, at the least, along the longest chain. */
export function followersUs({ followed }: StreamState): number {
  if (followed === undefined) return 0;
  let mostUs = 0;
  for (const follower of followed.followers) mostUs = Math.max(mostUs, leastTypicalUs(follower.model) + followersUs(follower));
  return mostUs;
}

export function rememberEnd({ ends }: Followed, capturedAt: InstantUs, hasResult: boolean): void {
  ends.set(capturedAt, hasResult);
  if (ends.size <= ENDS_MAX) return;
  const oldest = ends.keys().next();
  if (oldest.done !== true) ends.delete(oldest.value);
}
