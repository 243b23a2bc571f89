import { findFastest } from './cost-of.ts';
import { isOrphan, readyAtUs } from './precedence.ts';
import type { CoreState, JobState, SchedulerState } from './state.ts';
import { canServe, isSpared, leavesBy } from './state.ts';
import { canYield, stepEnd, typicalRestUs, typicalRunUs } from './steps.ts';
import { isAnswering } from './turn.ts';

/** When the core can take its next segment, by the typical cost of what it runs; a run that takes longer than that is expected to end at once. */
export function freeAtUs(state: SchedulerState, core: CoreState): number {
  if (!core.isUp) return Math.max(state.now, core.downSince + state.plan.restartUs);
  const running = core.running;
  if (running === undefined) return state.now;
  return Math.max(state.now, leavesBy(running, running.startedAt + typicalRunUs(core)));
}

/** The same for a job that may have what runs there interrupted. */
export function freeForAtUs(state: SchedulerState, core: CoreState, job: JobState): number {
  const freeAt = freeAtUs(state, core);
  const { running } = core;
  const { preemption } = state.plan;
  if (running === undefined || !state.policy.preempts || !canYield(state)) return freeAt;
  if (state.policy.assign === undefined && !state.policy.goesBefore(job, running, state)) return freeAt;
  const borderAt = stepEnd(state.now, core, running, 'typicalUs').at;
  const canAbort = preemption?.kind === 'within-step' && running.stream.stream.criticality === 'background';
  return Math.min(freeAt, borderAt, canAbort ? state.now + preemption.abortUs : borderAt);
}

/** Whether the rule of the policy gives the job up now: it never can have what it needs, or is too late on every core of its list. */
export function isHopeless(state: SchedulerState, job: JobState): boolean {
  const { width, group } = job.model;
  if (isOrphan(state, job)) return true;
  const knowsTimes = state.policy.drop === 'infeasible';
  if (!knowsTimes && state.now > latestStartUs(state, job)) return true;
  const readyAt = knowsTimes ? readyAtUs(state, job) : 0;
  let enough = width;
  for (const core of group.cores) {
    if (!mayServe(core, job)) continue;
    if (knowsTimes && Math.max(readyAt, freeForAtUs(state, core, job)) > latestStartOnUs(state, job, core)) continue;
    enough -= 1;
    if (enough === 0) return false;
  }
  return true;
}

const mayServe = (core: CoreState, job: JobState): boolean =>
  (core.isUp ? job.model.isOpen[core.index] === true : !isSpared(core, job.model)) &&
  (job.keptOn === undefined || job.keptOn.includes(core));

/** The last instant at which a start on that core is of any use, by the rule of the policy. What has been begun to be said is said to its end. */
export function latestStartOnUs(state: SchedulerState, job: JobState, core: CoreState): number {
  const { drop } = state.policy;
  if (drop === 'none' || isAnswering(job)) return Number.POSITIVE_INFINITY;
  return drop === 'expired' ? expiryAt(job) : job.deadlineAt - typicalSpanOnUs(job, core);
}

/** The same on its fastest core. */
export function latestStartUs(state: SchedulerState, job: JobState): number {
  const { drop } = state.policy;
  if (drop === 'none' || isAnswering(job)) return Number.POSITIVE_INFINITY;
  return drop === 'expired' ? expiryAt(job) : job.deadlineAt - typicalSpanUs(job);
}

/** What has been begun in time is not waiting any more, though it was interrupted. */
const expiryAt = (job: JobState): number => (job.stepsDone > 0 ? Number.POSITIVE_INFINITY : job.deadlineAt);

/** From start to decoded result. */
const typicalSpanOnUs = (job: JobState, core: CoreState): number => typicalRestUs(job, core) + job.stream.tail.typicalUs;

/** The same on its fastest core. */
const typicalSpanUs = (job: JobState): number => typicalSpanOnUs(job, job.model.fastest);

/** As told when a job is given up: what it needs was lost, no core is there at all, or time. */
export function hopelessReason(state: SchedulerState, job: JobState): 'infeasible' | 'no-core' | 'predecessor-lost' {
  if (isOrphan(state, job)) return 'predecessor-lost';
  const { width, group } = job.model;
  let serving = 0;
  for (const core of group.cores) if (canServe(core, job.model.plan.model)) serving += 1;
  return serving >= width ? 'infeasible' : 'no-core';
}

/**
 * Called when a job was dropped as infeasible. Where it came fresh, yet an idle core would not have saved it, the estimates alone stood against it:
 * they are lowered a little, so that some later job runs and shows what it really takes.
 */
export function doubtEstimates(job: JobState): void {
  const budgetUs = job.deadlineAt - job.arrivedAt;
  const isFresh = budgetUs >= job.stream.stream.deadlineUs / 2;
  if (!isFresh || typicalSpanUs(job) <= budgetUs) return;
  job.model.cost.doubt();
  findFastest(job.model);
  job.stream.tail.doubt();
}
