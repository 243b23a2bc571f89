import { boundHit, demandLimits, isInOrder, ownDemand, percentOf, sweepDeadlines } from './demand.ts';
import { type EdfTask, limitTimes, refuseAtOnce } from './edf-demand.ts';
import { type AnalysisTask, type Finding, finding, INSTANT_MAX, type Verdict } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type NpEdfTask = EdfTask & Pick<AnalysisTask, 'segment'>;

/**
 * EDF where a region, once begun, is not preempted (Jeffay, Stanat, Martel 1991; George, Rivierre, Spuri 1996): feasible iff `U <= 1` and, for every
 * absolute deadline t, `h(t) + max_{j: D_j > t} (S_j - tick) <= t`, S_j the longest region of task j, which is its cost where nothing else is said. Exact for
 * sporadic tasks that arrive on a grid of one tick, since the blocker must have begun one tick before the others arrive. Where jitter makes j ask for something
 * by t as well, that is taken off h(t) while j is the one that blocks (`ownDemand`). Exact with jitter below the period; beyond, a failure may be `unknown`.
 *
 * Findings: `blocking` of each task (the longest region of a task with a later deadline, less a tick); where it fails, `failedAt`, `demand`, `blocking`.
 *
 * @param tick the grid of arrivals; 0 for continuous time
 */
export function npEdf(tasks: readonly NpEdfTask[], tick: number, bound: WorkBound): Finding {
  const refusal = refuseAtOnce(tasks);
  const blockers = blockersOf(tasks, tick);
  if (refusal !== undefined) return withBlocking(refusal, tasks, blockers);
  const plain = demandLimits(tasks, bound);
  const blocked = demandLimits(tasks, bound, blockers.longest);
  const latest = tasks.reduce((most, task) => Math.max(most, task.deadline), 0);
  // Blocking matters only before the last relative deadline; beyond it this is the plain test.
  const limit = Math.max(plain.limit, Math.min(latest, blocked.limit));
  let points = 0;
  let isSure = false;
  let failed: Failure | undefined;
  const end = sweepDeadlines(tasks, Math.min(limit, INSTANT_MAX), bound, (t, demand) => {
    points += 1;
    if (demand + blockers.at(t) <= t) return true;
    const { most, least } = blockers.exactlyAt(t, bound);
    if (demand + most <= t) return true;
    failed = { failedAt: t, demand, blocking: most };
    isSure = demand + least > t;
    return !isSure;
  });
  const isKnown = end !== 'bound' && limit <= INSTANT_MAX && failed === undefined;
  const verdict: Verdict = isSure ? 'unschedulable' : isKnown ? 'schedulable' : 'unknown';
  const reason = isSure
    ? 'up to failedAt, demand and blocking together are more than there was time for'
    : verdict === 'schedulable'
      ? `load ${percentOf(plain.utilisation)}, and no region begun too early makes a deadline be missed`
      : failed === undefined
        ? boundHit(plain.utilisation)
        : 'up to failedAt, demand and blocking together may be more than there was time for; with a jitter of a period or more this test is sufficient only';
  const times = { ...limitTimes({ ...plain, limit }), ...failed };
  return withBlocking({ verdict, reason, tasks: tasks.map((task) => finding(task, verdict)), times, points }, tasks, blockers);
}

interface Failure {
  readonly failedAt: number;
  readonly demand: number;
  readonly blocking: number;
}

interface Blockers {
  readonly longest: number;
  /** `max_{j: D_j > t} (S_j - tick)`, 0 when there is none. */
  at(t: number): number;
  /** Less of each its own demand by t: `least` of it all, `most` only what falls away for sure. */
  exactlyAt(t: number, bound: WorkBound): { readonly most: number; readonly least: number };
}

function blockersOf(tasks: readonly NpEdfTask[], tick: number): Blockers {
  const sorted = [...tasks].sort((a, b) => a.deadline - b.deadline);
  const longestFrom: number[] = new Array(sorted.length + 1).fill(0);
  for (let index = sorted.length - 1; index >= 0; index -= 1) {
    longestFrom[index] = Math.max(longestFrom[index + 1] ?? 0, (sorted[index]?.segment ?? 0) - tick);
  }
  return {
    longest: longestFrom[0] ?? 0,
    at(t) {
      let low = 0;
      let high = sorted.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle]?.deadline ?? 0) > t) high = middle;
        else low = middle + 1;
      }
      return longestFrom[low] ?? 0;
    },
    exactlyAt(t, bound) {
      bound.spend(tasks.length);
      let [most, least] = [0, 0];
      for (const task of tasks) {
        if (task.deadline <= t) continue;
        const own = ownDemand(task, t);
        most = Math.max(most, task.segment - tick - (isInOrder(task) ? own : 0));
        least = Math.max(least, task.segment - tick - own);
      }
      return { most, least };
    },
  };
}

function withBlocking(found: Finding, tasks: readonly NpEdfTask[], blockers: Blockers): Finding {
  const rows = found.tasks.map((row, index) => ({
    ...row,
    times: { ...row.times, blocking: blockers.at(tasks[index]?.deadline ?? 0) },
  }));
  return { ...found, tasks: rows };
}
