import { boundHit, type DemandTask, demandLimits, dueOf, isInOrder, ownDemand, percentOf, sweepDeadlines } from './demand.ts';
import { type EdfTask, limitTimes, refuseAtOnce } from './edf-demand.ts';
import { shortList } from './rta.ts';
import { type Finding, finding, INSTANT_MAX, type TaskFinding, type Verdict, worstOf } from './task.ts';
import type { WorkBound } from './work-bound.ts';

/**
 * Limited preemption under EDF (Baruah 2005): the longest region in which task k may run without preemption is `Q_k = min over deadlines t with D_1 <= t < D_k
 * of (t - h(t))`. A task that is not restricted by anybody (no deadline before its own) may run to its end. Where jitter makes k itself ask for something by t,
 * that is taken off h(t), as long as J is below the period (`ownDemand`). With regions of at most Q_k each, a set that is feasible preemptively stays feasible;
 * one that needs a Q_k of 0 does not have any such regions.
 *
 * Findings: `maxNonPreemptive` (Q_k; the cost where nothing restricts it), `slices` (into how many regions a job has to be cut).
 */
export function lpEdf(tasks: readonly EdfTask[], bound: WorkBound): Finding {
  const refusal = refuseAtOnce(tasks);
  if (refusal !== undefined) return refusal;
  const { limits, slack, end, failedAt, points } = sweepSlack(tasks, bound);
  const isKnown = end === 'done' && limits.limit <= INSTANT_MAX;
  const rows = tasks.map((task): TaskFinding => {
    const longest = Math.min(slack.before(task), Number.MAX_SAFE_INTEGER);
    if (failedAt !== undefined) return finding(task, 'unschedulable');
    if (!isKnown) return finding(task, 'unknown');
    const maxNonPreemptive = longest === Number.MAX_SAFE_INTEGER ? task.cost : longest;
    // What blocks it may be no more than its own demand, see `ownDemand`.
    if (maxNonPreemptive <= 0) return finding(task, isInOrder(task) ? 'unschedulable' : 'unknown', { maxNonPreemptive: 0 });
    return finding(task, 'schedulable', { maxNonPreemptive }, { slices: Math.ceil(task.cost / maxNonPreemptive) });
  });
  const times = { ...limitTimes(limits), ...(failedAt === undefined ? {} : { failedAt }) };
  const stuck = rows.filter((row) => row.verdict !== 'schedulable').map(({ id }) => id);
  const verdict: Verdict = isKnown || failedAt !== undefined ? worstOf(rows.map((row) => row.verdict)) : 'unknown';
  const reason =
    failedAt !== undefined
      ? 'even with preemption at any time, more work is due at failedAt than there was time for'
      : !isKnown
        ? boundHit(limits.utilisation)
        : verdict === 'schedulable'
          ? `load ${percentOf(limits.utilisation)}; jobs cut into regions of at most maxNonPreemptive are in time`
          : verdict === 'unschedulable'
            ? `feasible only if task ${shortList(stuck)} can be preempted at any time; there is no slack for a region of any length`
            : `no slack was found for a region of task ${shortList(stuck)}; with a jitter of a period or more this test is sufficient only`;
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
  const slack = new SlackSteps(tasks);
  let points = 0;
  let failedAt: number | undefined;
  const end = sweepDeadlines(tasks, Math.min(Math.max(limits.limit, last), INSTANT_MAX), bound, (t, demand) => {
    points += 1;
    if (demand > t) failedAt = t;
    return failedAt === undefined && slack.add(t, t - demand, bound);
  });
  return { limits, slack, end, failedAt, points };
}

/** The least slack up to an instant, kept where it falls; of a task with jitter, from where it may itself be due, kept apart. */
class SlackSteps {
  readonly #steps: { readonly t: number; readonly slack: number }[] = [];
  /** By the instant from which they may be due themselves. */
  readonly #unsteady: readonly DemandTask[];
  readonly #own = new Map<DemandTask, number>();
  #begun: DemandTask[] = [];
  #next = 0;

  constructor(tasks: readonly DemandTask[]) {
    this.#unsteady = tasks.filter((task) => task.jitter > 0 && isInOrder(task)).sort((a, b) => dueOf(a) - dueOf(b));
  }

  /** False when the work is spent. Instants ascend. */
  add(t: number, slack: number, bound: WorkBound): boolean {
    if (slack < (this.#steps.at(-1)?.slack ?? Number.POSITIVE_INFINITY)) this.#steps.push({ t, slack });
    for (let task = this.#unsteady[this.#next]; task !== undefined && dueOf(task) <= t; task = this.#unsteady[this.#next]) {
      this.#begun.push(task);
      this.#next += 1;
    }
    if (this.#begun.length === 0) return true;
    this.#begun = this.#begun.filter(({ deadline }) => deadline > t);
    for (const task of this.#begun) {
      this.#own.set(task, Math.min(this.#own.get(task) ?? Number.POSITIVE_INFINITY, slack + ownDemand(task, t)));
    }
    return bound.spend(TERMS_PER_UNSTEADY * this.#begun.length);
  }

  /** Over the deadlines before that of the task; infinite when there is none. */
  before(task: DemandTask): number {
    let least = this.#own.get(task) ?? Number.POSITIVE_INFINITY;
    const end = isInOrder(task) ? dueOf(task) : task.deadline;
    for (const step of this.#steps) {
      if (step.t >= end) break;
      least = Math.min(least, step.slack);
    }
    return least;
  }
}

/** A look into a map and a few divisions. */
const TERMS_PER_UNSTEADY = 10;
