import type { CoreState, JobState, SchedulerState } from './state.ts';
import { canServe } from './state.ts';

/** When the core can take its next segment, by the typical cost of what it runs; a run that takes longer than that is expected to end at once. */
function freeAtUs(state: SchedulerState, core: CoreState): number {
  if (!core.isUp) return Math.max(state.now, core.downSince + state.plan.restartUs);
  const running = core.running;
  return running === undefined ? state.now : Math.max(state.now, running.startedAt + running.stream.model.cost.typicalUs);
}

/** The earliest start on any core of its list; infinite when none of them will have the model. */
export function earliestStartUs(state: SchedulerState, job: JobState): number {
  let earliest = Number.POSITIVE_INFINITY;
  for (const core of job.stream.model.group.cores) {
    if (core.isUp && !core.models.has(job.job.model)) continue;
    const freeAt = freeAtUs(state, core);
    if (freeAt < earliest) earliest = freeAt;
  }
  return earliest;
}

/** The last instant at which a start still gives a result by the deadline, going by typical times. */
export const latestStartUs = (job: JobState): number => job.deadlineAt - typicalSpanUs(job);

/** From start to decoded result. */
const typicalSpanUs = (job: JobState): number => job.stream.model.cost.typicalUs + job.stream.tail.typicalUs;

/** As told when a job cannot finish: whether a core is there at all. */
export function hopelessReason(job: JobState): 'infeasible' | 'no-core' {
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
