import { boundHit, demandAt, demandLimits, dueOf, percentOf } from './demand.ts';
import { type EdfTask, limitTimes, refuseAtOnce } from './edf-demand.ts';
import { type Finding, finding, INSTANT_MAX, type Verdict } from './task.ts';
import type { WorkBound } from './work-bound.ts';

/**
 * Quick processor-demand analysis (Zhang and Burns 2009): the same answer as `edfDemand`, walking backwards from the limit in large steps:
 * `t = max{d < L}; while h(t) <= t and h(t) > d_min: t = h(t) < t ? h(t) : max{d < t}`; feasible iff `h(t) <= d_min`.
 */
export function qpa(tasks: readonly EdfTask[], bound: WorkBound): Finding {
  const refusal = refuseAtOnce(tasks);
  if (refusal !== undefined) return refusal;
  const limits = demandLimits(tasks, bound);
  const times = limitTimes(limits);
  const all = (verdict: Verdict): Finding['tasks'] => tasks.map((task) => finding(task, verdict));
  if (limits.limit > INSTANT_MAX)
    return { verdict: 'unknown', reason: boundHit(limits.utilisation), tasks: all('unknown'), times, points: 0 };

  const first = tasks.reduce((least, task) => Math.min(least, dueOf(task)), Number.POSITIVE_INFINITY);
  let t = lastDeadlineBefore(tasks, limits.limit);
  let points = 0;
  // Without a deadline before the limit there is nothing to miss.
  for (let demand = 0; t !== undefined; ) {
    if (!bound.spend(2 * tasks.length))
      return { verdict: 'unknown', reason: boundHit(limits.utilisation), tasks: all('unknown'), times, points };
    points += 1;
    demand = demandAt(tasks, t);
    if (demand > t) {
      const reason = 'at failedAt more work is due than there was time for';
      return { verdict: 'unschedulable', reason, tasks: all('unschedulable'), times: { ...times, failedAt: t, demand }, points };
    }
    if (demand <= first) break;
    t = demand < t ? demand : lastDeadlineBefore(tasks, t);
  }
  const reason = `load ${percentOf(limits.utilisation)}, and at no deadline is more work due than there was time for`;
  return { verdict: 'schedulable', reason, tasks: all('schedulable'), times, points };
}

/** The latest absolute deadline before `t`, after a synchronous release; undefined when there is none. */
function lastDeadlineBefore(tasks: readonly EdfTask[], t: number): number | undefined {
  let last: number | undefined;
  for (const task of tasks) {
    const due = dueOf(task);
    if (due >= t) continue;
    const deadline = due + Math.floor((t - 1 - due) / task.period) * task.period;
    if (last === undefined || deadline > last) last = deadline;
  }
  return last;
}
