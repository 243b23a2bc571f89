import { boundHit, utilisationOf } from './demand.ts';
import { levelLoad } from './level-load.ts';
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

export type RtaTask = Pick<AnalysisTask, 'id' | 'cost' | 'period' | 'deadline' | 'blocking' | 'jitter'>;

/** Turns that a recurrence may go on past the deadline, to tell the user by how much it is missed. */
const TURNS_PAST_DEADLINE = 200;

/**
 * Response times under preemptive fixed priorities, with blocking and release jitter (Joseph and Pandya 1986; Audsley, Burns, Richardson, Tindell, Wellings 1993):
 * `w = C_i + B_i + sum_{j in hp(i)} ceil((w + J_j) / T_j) C_j`, `R_i = w + J_i`. Where a response is longer than the period, the jobs of one busy period
 * are looked at one after the other (Tindell, Burns, Wellings 1994): `w(q)` with `(q + 1) C_i`, `R_i = max_q (w(q) + J_i - q T_i)`, until
 * `w(q) + J_i <= (q + 1) T_i`. Exact for D <= T without blocking; deadlines may lie beyond periods.
 *
 * Findings: `response` (absent when it has no bound), `blocking`.
 */
export function rta(tasks: readonly RtaTask[], order: PriorityOrder, bound: WorkBound): Finding {
  const sorted = byPriority(tasks, order);
  const found: TaskFinding[] = [];
  let iterations = 0;
  let hint: Hint = { window: 0, blocking: 0 };
  const load = levelLoad(sorted);
  for (const [level, task] of sorted.entries()) {
    const isOverloaded = level >= load.overloadedFrom;
    const result = isOverloaded ? OVERLOADED : respond(task, sorted, level, { hint, jobsMax: load.jobsMax(level), bound });
    iterations += result.iterations;
    hint = { window: result.firstWindow, blocking: task.blocking };
    const times = result.response === undefined ? { blocking: task.blocking } : { response: result.response, blocking: task.blocking };
    found.push(finding(task, result.verdict, times));
  }
  const listed = asListed(found, tasks);
  const verdict = worstOf(listed.map((one) => one.verdict));
  return { verdict, reason: reasonOf(verdict, listed, tasks, bound), tasks: listed, iterations };
}

interface Hint {
  readonly window: number;
  readonly blocking: number;
}

interface Context {
  /** The first window of the next higher level, from which this one can start. */
  readonly hint: Hint;
  /** No job beyond the first so many answers later (level-load.ts). */
  readonly jobsMax: number;
  readonly bound: WorkBound;
}

interface Response {
  readonly verdict: Verdict;
  readonly response: number | undefined;
  readonly firstWindow: number;
  readonly iterations: number;
}

const OVERLOADED: Response = { verdict: 'unschedulable', response: undefined, firstWindow: 0, iterations: 0 };

function respond(task: RtaTask, sorted: readonly RtaTask[], level: number, { hint, jobsMax, bound }: Context): Response {
  const { cost, blocking, jitter, period, deadline } = task;
  // A lower bound of the fixed point: what the level above needed, plus this task's own cost (holds where B above <= C + B here).
  let window = hint.blocking <= cost + blocking ? hint.window + cost + blocking - hint.blocking : 0;
  let response = 0;
  let firstWindow = 0;
  let iterations = 0;
  let turnsPast = 0;
  for (let job = 0; job < jobsMax; job += 1) {
    const base = blocking + (job + 1) * cost;
    window = Math.max(window, base);
    for (;;) {
      const isPast = window + jitter - job * period > deadline;
      const isOver = window > INSTANT_MAX || turnsPast > TURNS_PAST_DEADLINE || !bound.spend(level + 1);
      if (isOver)
        return { verdict: isPast || response > deadline ? 'unschedulable' : 'unknown', response: undefined, firstWindow, iterations };
      iterations += 1;
      if (isPast || response > deadline) turnsPast += 1;
      const next = base + interference(sorted, level, window);
      if (next <= window) break;
      window = next;
    }
    if (job === 0) firstWindow = window;
    response = Math.max(response, window + jitter - job * period);
    if (window + jitter <= (job + 1) * period) break;
  }
  return { verdict: response <= deadline ? 'schedulable' : 'unschedulable', response, firstWindow, iterations };
}

function interference(sorted: readonly RtaTask[], level: number, window: number): number {
  let sum = 0;
  for (let above = 0; above < level; above += 1) {
    const { cost, period, jitter } = sorted[above] as RtaTask;
    sum += Math.ceil((window + jitter) / period) * cost;
  }
  return sum;
}

function reasonOf(verdict: Verdict, found: readonly TaskFinding[], tasks: readonly RtaTask[], bound: WorkBound): string {
  if (verdict === 'schedulable') return 'every response is within its deadline';
  if (verdict === 'unknown' && bound.isSpent) return boundHit(utilisationOf(tasks));
  const missed = found.filter((one) => one.verdict === 'unschedulable').map(({ id }) => id);
  return `${missed.length === 1 ? 'task' : 'tasks'} ${shortList(missed)} may answer after the deadline`;
}

const NAMED_MAX = 8;

/** A reason names a few tasks, not ten thousand. */
export const shortList = (ids: readonly string[]): string =>
  ids.length <= NAMED_MAX ? ids.join(', ') : `${ids.slice(0, NAMED_MAX).join(', ')} and ${ids.length - NAMED_MAX} more`;
