import { boundHit, type DemandLimits, demandLimits, dueOf, percentOf, sweepDeadlines, utilisationOf } from './demand.ts';
import { compare, ONE } from './fraction.ts';
import { type AnalysisTask, type Finding, finding, INSTANT_MAX, type Verdict } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type EdfTask = Pick<AnalysisTask, 'id' | 'cost' | 'period' | 'deadline' | 'jitter'>;

/**
 * Processor demand under preemptive EDF (Baruah, Rosier, Howell 1990): feasible iff `U <= 1` and `h(t) <= t` at every absolute deadline up to
 * `min(L_a, L_b, H + M)`. Exact for sporadic tasks, deadlines within or beyond periods; release jitter J counts as a deadline shorter by J.
 *
 * Findings: the limits; where it fails, `failedAt` and the `demand` there.
 */
export function edfDemand(tasks: readonly EdfTask[], bound: WorkBound): Finding {
  const refusal = refuseAtOnce(tasks);
  if (refusal !== undefined) return refusal;
  const limits = demandLimits(tasks, bound);
  let points = 0;
  let failed: { readonly t: number; readonly demand: number } | undefined;
  const end = sweepDeadlines(tasks, Math.min(limits.limit, INSTANT_MAX), bound, (t, demand) => {
    points += 1;
    if (demand <= t) return true;
    failed = { t, demand };
    return false;
  });
  const times = { ...limitTimes(limits), ...(failed === undefined ? {} : { failedAt: failed.t, demand: failed.demand }) };
  const isKnown = end !== 'bound' && (failed !== undefined || limits.limit <= INSTANT_MAX);
  const verdict: Verdict = failed !== undefined ? 'unschedulable' : isKnown ? 'schedulable' : 'unknown';
  const reason =
    failed !== undefined
      ? 'at failedAt more work is due than there was time for'
      : verdict === 'unknown'
        ? boundHit(limits.utilisation)
        : `load ${percentOf(limits.utilisation)}, and at no deadline is more work due than there was time for`;
  return { verdict, reason, tasks: tasks.map((task) => finding(task, verdict)), times, points };
}

/** What needs no sweep: a load above 1, and a job that cannot be in time even alone. */
export function refuseAtOnce(tasks: readonly EdfTask[]): Finding | undefined {
  const utilisation = utilisationOf(tasks);
  if (compare(utilisation, ONE) > 0) {
    const reason = `the load is ${percentOf(utilisation)}, more than the whole core`;
    return { verdict: 'unschedulable', reason, tasks: tasks.map((task) => finding(task, 'unschedulable')), points: 0 };
  }
  return refuseHopeless(tasks);
}

/** A job that cannot be in time even alone. */
export function refuseHopeless(tasks: readonly EdfTask[]): Finding | undefined {
  const hopeless = tasks.find((task) => task.cost > dueOf(task));
  if (hopeless === undefined) return undefined;
  const what = hopeless.jitter > 0 ? 'its deadline less its jitter' : 'its deadline';
  return {
    verdict: 'unschedulable',
    reason: `task ${hopeless.id} takes longer than ${what}`,
    tasks: tasks.map((task) => finding(task, task.cost > dueOf(task) ? 'unschedulable' : 'unknown')),
    points: 0,
  };
}

/** That of the hyperperiod where it decides, as it does for a load near 1 with jitter. */
export function limitTimes({ byUtilisation, byBusyPeriod, byHyperperiod, limit }: DemandLimits): Readonly<Record<string, number>> {
  return {
    ...(byUtilisation === undefined ? {} : { limitByUtilisation: byUtilisation }),
    ...(byBusyPeriod === undefined ? {} : { limitByBusyPeriod: byBusyPeriod }),
    ...(byHyperperiod === undefined || byHyperperiod > limit ? {} : { limitByHyperperiod: byHyperperiod }),
    ...(Number.isFinite(limit) ? { limit } : {}),
  };
}
