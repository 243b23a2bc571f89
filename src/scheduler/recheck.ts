import type { Decision } from '../core/decision.ts';
import { Timeline } from '../core/timeline.ts';
import { type InstantUs, instantUs } from '../core/units.ts';
import { settledAt } from './admission.ts';
import { makeCheaper } from './cheaper.ts';
import { doubtEstimates, hopelessReason, isHopeless, latestStartUs } from './feasibility.ts';
import { endJob } from './lifecycle.ts';
import { nextBudgetAt } from './server.ts';
import type { JobState, SchedulerState } from './state.ts';

/** Entries of jobs that have left are skipped when they come up; past this many beyond twice the waiting jobs the timeline is built anew. */
const STALE_MAX = 64;

/** Drops the job when no core can finish it in time any more, nor a cheaper variant of it; true when it did. */
export function dropIfHopeless(state: SchedulerState, job: JobState, decisions: Decision[]): boolean {
  if (!isHopeless(state, job)) return false;
  const reason = hopelessReason(state, job);
  if (reason === 'infeasible') {
    doubtEstimates(job);
    if (makeCheaper(state, job)) return false;
  }
  endJob(state, job, { kind: 'dropped', reason }, decisions);
  return true;
}

/**
 * Looks again at every waiting job whose latest start has come, so that none rots where nothing else would look at it. Returns the turns whose next token may
 * come now, if any.
 */
export function recheckDue(state: SchedulerState, decisions: Decision[]): JobState[] | undefined {
  let ready: JobState[] | undefined;
  for (let at = state.rechecks.firstAt; at <= state.now; at = state.rechecks.firstAt) {
    const job = state.rechecks.pop();
    if (job === undefined || !isCurrent(at, job) || dropIfHopeless(state, job, decisions)) continue;
    if (job.readyAt === at) {
      ready ??= [];
      ready.push(job);
    }
    watch(state, job);
  }
  return ready;
}

/** Asks for another look at the job's latest start, or right after it when that is now; and when a turn may go on. */
export function watch(state: SchedulerState, job: JobState): void {
  const readyAt = job.readyAt > state.now ? job.readyAt : Number.POSITIVE_INFINITY;
  const at = Math.max(Math.ceil(Math.min(latestStartUs(state, job), readyAt)), state.now + 1);
  job.recheckAt = at === Number.POSITIVE_INFINITY ? 0 : at;
  if (job.recheckAt === 0) return;
  state.rechecks.push(job.recheckAt, job.id, job);
  if (state.rechecks.size <= 2 * state.waitingCount + STALE_MAX) return;
  const rechecks = new Timeline<JobState>();
  for (const live of state.jobs.values()) if (live.phase === 'waiting' && live.recheckAt > 0) rechecks.push(live.recheckAt, live.id, live);
  state.rechecks = rechecks;
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
  const { rechecks } = state;
  for (let job = rechecks.first; job !== undefined && !isCurrent(rechecks.firstAt, job); job = rechecks.first) rechecks.pop();
  let dueAt = rechecks.firstAt;
  if (state.isHolding) for (const { hold } of state.cores) if (hold !== undefined && hold.until < dueAt) dueAt = hold.until;
  const settleAt = settledAt(state);
  if (settleAt !== undefined && settleAt < dueAt) dueAt = settleAt;
  if (state.servers.length > 0) dueAt = Math.min(dueAt, Math.ceil(nextBudgetAt(state)));
  return dueAt === Number.POSITIVE_INFINITY ? undefined : instantUs(dueAt);
}
