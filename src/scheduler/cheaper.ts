import { isHopeless } from './feasibility.ts';
import type { JobState, ModelState, SchedulerState } from './state.ts';
import { stepCountOf } from './steps.ts';

/**
 * Gives a waiting job that cannot be in time the best cheaper variant of its model that takes the same input and still can be; false when there is none. The
 * job keeps its place among those that wait.
 */
export function makeCheaper(state: SchedulerState, job: JobState): boolean {
  const { levels, isAlike } = job.stream;
  if (levels.length === 1 || job.stepsDone > 0) return false;
  const own = job.model;
  const from = levels.indexOf(own);
  if (isAlike[from] !== true) return false;
  for (let level = from + 1; level < levels.length; level += 1) {
    const model = levels[level] as ModelState;
    if (isAlike[level] !== true) continue;
    job.model = model;
    const canBeInTime = !isHopeless(state, job);
    job.model = own;
    if (!canBeInTime) continue;
    own.group.waiting.remove(job);
    job.model = model;
    job.stepCount = stepCountOf(model, job.job.turn);
    model.group.waiting.insert(job);
    return true;
  }
  return false;
}
