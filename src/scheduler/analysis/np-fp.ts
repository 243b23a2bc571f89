import { boundHit, busyPeriod, utilisationOf } from './demand.ts';
import { type LevelLoad, levelLoad } from './level-load.ts';
import { shortList } from './rta.ts';
import {
  type AnalysisTask,
  asListed,
  byPriority,
  type Finding,
  finding,
  INSTANT_MAX,
  type PriorityOrder,
  type TaskFinding,
  type Verdict,
  worstOf,
} from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type NpFpTask = Pick<AnalysisTask, 'id' | 'cost' | 'period' | 'deadline' | 'blocking' | 'jitter'>;

/**
 * Response times under fixed priorities without preemption (Davis, Burns, Bril, Lukkien 2007): `B_i = max_{k in lp(i)} C_k`, busy period
 * `t = B_i + sum_{k in hep(i)} ceil((t + J_k) / T_k) C_k`, `Q_i = ceil((t + J_i) / T_i)` jobs in it; for each q < Q_i
 * `w(q) = B_i + q C_i + sum_{k in hp(i)} (floor((w(q) + J_k) / T_k) + 1) C_k` and `R_i = max_q (w(q) - q T_i + C_i) + J_i`. The second job of a task
 * may answer later than its first, so all of them are looked at, or, where the busy period has no end (a load of 1 with blocking or jitter), those of one
 * hyperperiod (level-load.ts). Deadlines may lie beyond periods.
 *
 * `blocking` of the table stands for one region outside of it, such as a driver's; only one thing can be running when a busy period begins, so the longer
 * of the two counts. Findings: `response` (absent when it has no bound), `blocking`; `jobs` is the number of jobs looked at.
 */
export function npFp(tasks: readonly NpFpTask[], order: PriorityOrder, bound: WorkBound): Finding {
  const sorted = byPriority(tasks, order);
  const found: TaskFinding[] = [];
  const below: number[] = new Array(sorted.length).fill(0);
  for (let index = sorted.length - 2; index >= 0; index -= 1) {
    below[index] = Math.max(below[index + 1] ?? 0, sorted[index + 1]?.cost ?? 0);
  }
  const load = levelLoad(sorted);
  let iterations = 0;
  let costAbove = 0;
  for (const [level, task] of sorted.entries()) {
    const blocking = Math.max(task.blocking, below[level] ?? 0);
    const result =
      level >= load.overloadedFrom
        ? { verdict: 'unschedulable' as const, iterations: 0 }
        : respond(sorted, level, blocking, { load, costAbove, bound });
    iterations += result.iterations;
    costAbove += task.cost;
    const { response, jobs } = { response: undefined, jobs: undefined, ...result };
    found.push(
      finding(task, result.verdict, response === undefined ? { blocking } : { response, blocking }, jobs === undefined ? {} : { jobs }),
    );
  }
  const listed = asListed(found, tasks);
  const verdict = worstOf(listed.map((one) => one.verdict));
  const missed = listed.filter((one) => one.verdict === 'unschedulable').map(({ id }) => id);
  const reason =
    verdict === 'schedulable'
      ? 'every response is within its deadline'
      : verdict === 'unknown'
        ? boundHit(utilisationOf(tasks))
        : `${missed.length === 1 ? 'task' : 'tasks'} ${shortList(missed)} may answer after the deadline`;
  return { verdict, reason, tasks: listed, iterations };
}

interface Response {
  readonly verdict: Verdict;
  readonly response?: number;
  readonly jobs?: number;
  readonly iterations: number;
}

/** Where a deadline is missed, the worst response is still looked for in so many turns. */
const TURNS_PAST_DEADLINE = 200;

function respond(sorted: readonly NpFpTask[], level: number, blocking: number, { load, costAbove, bound }: Limits): Response {
  const { cost, period, deadline, jitter } = sorted[level] as NpFpTask;
  let iterations = 0;
  let response = 0;
  let turnsPast = 0;
  const jobs = jobsToLookAt(sorted, level, blocking, load, bound);
  // Every more urgent task has at least one job before the first start.
  let start = blocking + costAbove;
  let job = 0;
  for (; job < jobs; job += 1) {
    const base = blocking + job * cost;
    start = Math.max(start, base);
    for (;;) {
      const isLate = Math.max(response, start + cost + jitter - job * period) > deadline;
      if (isLate) turnsPast += 1;
      if (start > INSTANT_MAX || turnsPast > TURNS_PAST_DEADLINE || !bound.spend(level + 1)) {
        return { verdict: isLate ? 'unschedulable' : 'unknown', jobs: job, iterations };
      }
      iterations += 1;
      const next = base + interference(sorted, level, start);
      if (next <= start) break;
      start = next;
    }
    response = Math.max(response, start + cost + jitter - job * period);
    start += cost;
  }
  return { verdict: response <= deadline ? 'schedulable' : 'unschedulable', response, jobs: job, iterations };
}

/** Of those that come up to the start: a job that arrives in the very instant of the start goes first. */
function interference(sorted: readonly NpFpTask[], level: number, start: number): number {
  let sum = 0;
  for (let above = 0; above < level; above += 1) {
    const { cost, period, jitter } = sorted[above] as NpFpTask;
    sum += (Math.floor((start + jitter) / period) + 1) * cost;
  }
  return sum;
}

interface Limits {
  readonly load: LevelLoad;
  readonly costAbove: number;
  readonly bound: WorkBound;
}

/**
 * Those of the busy period, or `jobsMax` where that goes on beyond the hyperperiod. Infinite when neither is known: then jobs are looked at until one is late
 * or the work is spent.
 */
function jobsToLookAt(sorted: readonly NpFpTask[], level: number, blocking: number, load: LevelLoad, bound: WorkBound): number {
  const jobsMax = load.jobsMax(level);
  const { period, jitter } = sorted[level] as NpFpTask;
  const members = sorted.slice(0, level + 1);
  if (load.isFull(level) && (blocking > 0 || members.some((member) => member.jitter > 0))) return jobsMax;
  const length = busyPeriod(members, blocking, Math.min(INSTANT_MAX, jobsMax * period), bound);
  return length === undefined ? jobsMax : Math.ceil((length + jitter) / period);
}
