import type { Decision } from '../core/decision.ts';
import type { JobId } from '../core/job.ts';
import type { Outcome } from '../core/outcome.ts';
import { endJob } from './lifecycle.ts';
import { leavesBy, type SchedulerState } from './state.ts';
import { stepEnd } from './steps.ts';

export const CANCELLED: Outcome = { kind: 'dropped', reason: 'cancelled' };

/**
 * Nobody wants the job any more. One that waits ends now. One that runs is stopped as soon as the device can, since nothing of it is needed again, and ends then;
 * where it cannot, and when it is being decoded, it ends as soon as it is through. One that has ended by itself meanwhile is none of ours.
 */
export function cancel(state: SchedulerState, id: JobId, decisions: Decision[]): void {
  const job = state.jobs.get(id);
  if (job === undefined) return;
  if (job.phase === 'waiting') {
    endJob(state, job, CANCELLED, decisions);
    return;
  }
  if (job.isCancelled) return;
  job.isCancelled = true;
  const { core } = job;
  const { preemption = { kind: 'none' } } = state.plan;
  if (job.phase !== 'running' || core === undefined || preemption.kind === 'none') return;
  if (preemption.kind === 'within-step') {
    job.leavesAt = leavesBy(job, state.now + preemption.abortUs);
    decisions.push({ kind: 'abort', core: core.id, job: id });
    return;
  }
  if (job.leavesAt !== undefined) return;
  job.leavesAt = stepEnd(state.now, core, job, 'highUs').at;
  decisions.push({ kind: 'yield', core: core.id, job: id });
}
