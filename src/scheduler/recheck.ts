import type { Decision } from '../core/decision.ts';
import { Heap } from '../core/heap.ts';
import { type InstantUs, instantUs } from '../core/units.ts';
import { doubtEstimates, hopelessReason, isHopeless, latestStartUs } from './feasibility.ts';
import { endJob } from './lifecycle.ts';
import type { JobState, Recheck, SchedulerState } from './state.ts';

/** Entries of jobs that have left are skipped when they come up; past this many beyond twice the waiting jobs the heap is built anew. */
const STALE_MAX = 64;

export const createRecheckHeap = (): Heap<Recheck> => new Heap((a, b) => a.at < b.at || (a.at === b.at && a.job.id < b.job.id));

/** Drops the job when no core can finish it in time any more; true when it did. */
export function dropIfHopeless(state: SchedulerState, job: JobState, decisions: Decision[]): boolean {
  if (!isHopeless(state, job)) return false;
  const reason = hopelessReason(state, job);
  if (reason === 'infeasible') doubtEstimates(job);
  endJob(state, job, { kind: 'dropped', reason }, decisions);
  return true;
}

/** Looks again at every waiting job whose latest start has come, so that none rots where nothing else would look at it. */
export function recheckDue(state: SchedulerState, decisions: Decision[]): void {
  for (let top = state.rechecks.peek(); top !== undefined && top.at <= state.now; top = state.rechecks.peek()) {
    state.rechecks.pop();
    const { job } = top;
    if (!isCurrent(top.at, job) || dropIfHopeless(state, job, decisions)) continue;
    watch(state, job);
  }
}

/** Asks for another look at the job's latest start, or right after it when that is now. */
export function watch(state: SchedulerState, job: JobState): void {
  job.recheckAt = Math.max(Math.ceil(latestStartUs(state, job)), state.now + 1);
  if (job.recheckAt === Number.POSITIVE_INFINITY) return;
  state.rechecks.push({ at: job.recheckAt, job });
  if (state.rechecks.size <= 2 * state.waitingCount + STALE_MAX) return;
  const heap = createRecheckHeap();
  for (const live of state.jobs.values())
    if (live.phase === 'waiting' && Number.isFinite(live.recheckAt)) heap.push({ at: live.recheckAt, job: live });
  state.rechecks = heap;
}

const isCurrent = (at: number, job: JobState): boolean => job.phase === 'waiting' && job.recheckAt === at;

/** Asks for a timer when something is due before the one already asked for. */
export function wakeLater(state: SchedulerState, decisions: Decision[]): void {
  if (state.wakeAt !== undefined && state.wakeAt <= state.now) state.wakeAt = undefined;
  const dueAt = nextDueAt(state);
  if (dueAt === undefined || (state.wakeAt !== undefined && state.wakeAt <= dueAt)) return;
  state.wakeAt = dueAt;
  decisions.push({ kind: 'timer', wakeAt: dueAt });
}

function nextDueAt(state: SchedulerState): InstantUs | undefined {
  let top = state.rechecks.peek();
  while (top !== undefined && !isCurrent(top.at, top.job)) {
    state.rechecks.pop();
    top = state.rechecks.peek();
  }
  let dueAt = top?.at;
  for (const core of state.cores.values()) {
    if (core.hold !== undefined && (dueAt === undefined || core.hold.until < dueAt)) dueAt = core.hold.until;
  }
  return dueAt === undefined ? undefined : instantUs(dueAt);
}
