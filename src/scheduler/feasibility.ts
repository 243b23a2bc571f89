import { leastTypicalUs, typicalUsOn } from './cost-of.ts';
import { isOrphan, readyAtUs } from './precedence.ts';
import type { CoreState, JobState, SchedulerState } from './state.ts';
import { canServe, isSpared } from './state.ts';

/** When the core can take its next segment, by the typical cost of what it runs; a run that takes longer than that is expected to end at once. */
function freeAtUs(state: SchedulerState, core: CoreState): number {
  if (!core.isUp) return Math.max(state.now, core.downSince + state.plan.restartUs);
  const running = core.running;
  return running === undefined ? state.now : Math.max(state.now, running.startedAt + typicalUsOn(running.stream.model, core));
}

/** Whether the rule of the policy gives the job up now: it never can have what it needs, or is too late on every core of its list. */
export function isHopeless(state: SchedulerState, job: JobState): boolean {
  const { cores } = job.stream.model.group;
  if (isOrphan(state, job)) return true;
  if (state.policy.drop !== 'infeasible') return state.now > latestStartUs(state, job) || !cores.some((core) => mayServe(core, job));
  const readyAt = readyAtUs(state, job);
  for (const core of cores) {
    if (mayServe(core, job) && Math.max(readyAt, freeAtUs(state, core)) <= latestStartOnUs(state, job, core)) return false;
  }
  return true;
}

const mayServe = (core: CoreState, job: JobState): boolean =>
  (!core.isUp || core.models.has(job.job.model)) && !isSpared(core, job.stream.model);

/** The last instant at which a start on that core is of any use, by the rule of the policy. */
export function latestStartOnUs(state: SchedulerState, job: JobState, core: CoreState): number {
  const { drop } = state.policy;
  if (drop === 'none') return Number.POSITIVE_INFINITY;
  return drop === 'expired' ? job.deadlineAt : job.deadlineAt - (typicalUsOn(job.stream.model, core) + job.stream.tail.typicalUs);
}

/** The same on its fastest core. */
export function latestStartUs(state: SchedulerState, job: JobState): number {
  const { drop } = state.policy;
  if (drop === 'none') return Number.POSITIVE_INFINITY;
  return drop === 'expired' ? job.deadlineAt : job.deadlineAt - typicalSpanUs(job);
}

/** From start to decoded result. */
const typicalSpanUs = (job: JobState): number => leastTypicalUs(job.stream.model) + job.stream.tail.typicalUs;

/** As told when a job is given up: what it needs was lost, no core is there at all, or time. */
export function hopelessReason(state: SchedulerState, job: JobState): 'infeasible' | 'no-core' | 'predecessor-lost' {
  if (isOrphan(state, job)) return 'predecessor-lost';
  return job.stream.model.group.cores.some((core) => canServe(core, job.job.model)) ? 'infeasible' : 'no-core';
}

/**
 * Called when a job was dropped as infeasible. Where it came fresh, yet an idle core would not have saved it, the estimates alone stood against it:
 * they are lowered a little, so that some later job runs and shows what it really takes.
 */
export function doubtEstimates(job: JobState): void {
  const budgetUs = job.deadlineAt - job.arrivedAt;
  const isFresh = budgetUs >= job.stream.stream.deadlineUs / 2;
  if (!isFresh || typicalSpanUs(job) <= budgetUs) return;
  job.stream.model.cost.doubt();
  job.stream.tail.doubt();
}
