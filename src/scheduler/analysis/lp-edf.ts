import { type DemandTask, demandLimits, dueOf, percentOf, sweepDeadlines } from './demand.ts';
import { type EdfTask, limitTimes, refuseAtOnce } from './edf-demand.ts';
import { shortList } from './rta.ts';
import { BOUND_HIT, type Finding, finding, INSTANT_MAX, type TaskFinding, type Verdict } from './task.ts';
import type { WorkBound } from './work-bound.ts';

/**
 * Limited preemption under EDF (Baruah 2005): the longest region in which task k may run without preemption is
 * `Q_k = min over deadlines t with D_1 <= t < D_k of (t - h(t))`. A task that is not restricted by anybody (no deadline before its own) may run to
 * its end. With regions of at most Q_k each, a set that is feasible preemptively stays feasible; one that needs a Q_k of 0 does not have any such regions.
 *
 * Findings: `maxNonPreemptive` (Q_k; the cost where nothing restricts it), `slices` (into how many regions a job has to be cut).
 */
export function lpEdf(tasks: readonly EdfTask[], bound: WorkBound): Finding {
  const refusal = refuseAtOnce(tasks);
  if (refusal !== undefined) return refusal;
  const { limits, slack, end, failedAt, points } = sweepSlack(tasks, bound);
  const isKnown = end !== 'bound' && limits.limit <= INSTANT_MAX;
  const rows = tasks.map((task): TaskFinding => {
    const longest = Math.min(slack.before(task.deadline), Number.MAX_SAFE_INTEGER);
    if (failedAt !== undefined) return finding(task, 'unschedulable');
    if (!isKnown) return finding(task, 'unknown');
    const maxNonPreemptive = longest === Number.MAX_SAFE_INTEGER ? task.cost : longest;
    if (maxNonPreemptive <= 0) return finding(task, 'unschedulable', { maxNonPreemptive: 0 });
    return finding(task, 'schedulable', { maxNonPreemptive }, { slices: Math.ceil(task.cost / maxNonPreemptive) });
  });
  const times = { ...limitTimes(limits), ...(failedAt === undefined ? {} : { failedAt }) };
  const stuck = rows.filter((row) => row.verdict === 'unschedulable').map(({ id }) => id);
  const verdict: Verdict = stuck.length > 0 ? 'unschedulable' : isKnown ? 'schedulable' : 'unknown';
  const reason =
    failedAt !== undefined
      ? 'even with preemption at any time, more work is due at failedAt than there was time for'
      : stuck.length > 0
        ? `feasible only if task ${shortList(stuck)} can be preempted at any time; there is no slack for a region of any length`
        : verdict === 'unknown'
          ? BOUND_HIT
          : `load ${percentOf(limits.utilisation)}; jobs cut into regions of at most maxNonPreemptive are in time`;
  return { verdict, reason, tasks: rows, times, points };
}

interface SlackSweep {
  readonly limits: ReturnType<typeof demandLimits>;
  readonly slack: SlackSteps;
  readonly end: 'done' | 'stopped' | 'bound';
  readonly failedAt: number | undefined;
  readonly points: number;
}

/** One sweep does both: up to the limit demand is held against time, up to the last relative deadline the least slack so far is kept. */
function sweepSlack(tasks: readonly DemandTask[], bound: WorkBound): SlackSweep {
  const limits = demandLimits(tasks, bound);
  const first = tasks.reduce((least, task) => Math.min(least, dueOf(task)), Number.POSITIVE_INFINITY);
  const latest = tasks.reduce((most, task) => Math.max(most, task.deadline), 0);
  // Beyond where demand plus the first slack, at most the first deadline, always fits, the least slack cannot fall any further.
  const last = Math.min(latest - 1, demandLimits(tasks, bound, first).limit);
  const slack = new SlackSteps();
  let points = 0;
  let failedAt: number | undefined;
  const end = sweepDeadlines(tasks, Math.min(Math.max(limits.limit, last), INSTANT_MAX), bound, (t, demand) => {
    points += 1;
    slack.add(t, t - demand);
    if (demand > t) failedAt = t;
    return failedAt === undefined;
  });
  return { limits, slack, end, failedAt, points };
}

/** The least slack up to an instant, kept where it falls. */
class SlackSteps {
  readonly #steps: { readonly t: number; readonly slack: number }[] = [];

  add(t: number, slack: number): void {
    if (slack < (this.#steps.at(-1)?.slack ?? Number.POSITIVE_INFINITY)) this.#steps.push({ t, slack });
  }

  /** Over deadlines before `t`; infinite when there is none. */
  before(t: number): number {
    let least = Number.POSITIVE_INFINITY;
    for (const step of this.#steps) {
      if (step.t >= t) break;
      least = step.slack;
    }
    return least;
  }
}
