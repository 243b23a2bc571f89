import { largestPassing } from '../largest-passing.ts';
import { QUEUES_MAX } from '../order-search.ts';
import { type ClassTask, classResponse } from './class-bound.ts';
import type { WorkBound } from './work-bound.ts';

/** The tolerances below fall with each turn and mostly stand still after three; one that has not by then is not believed in. */
const TURNS_MAX = 16;

/**
 * Whether somebody who foresees all releases and idles for them can keep every deadline of these tasks on one core without preemption, whatever their phases; then
 * our look-ahead does. Shown by one way of doing it, which is class-first EDF with this rule: M, the first of those that wait, begins at t only if
 *
 *     t + S_M <= r_V + T(M)    for each V that will go before it, r_V its next release after t,
 *
 * and else the core is idle until that release. With `T(M)` the least of what those that M may block tolerate, the blocking of everybody is at most what
 * it tolerates. Idle time so inserted lies in the last `S_M - T(M)` before the release of some V, give or take how much earlier than told V may come, so it is as if each
 * run of V took that much longer,
 *
 *     G_V = max over M that V goes before of (S_M - T(M) + E_V),  where that is above 0,
 *
 * except for the task's own last job, for which nobody who goes before it is held. What a task tolerates is what `classResponse` with costs `C_V + G_V` leaves to
 * its deadline. Tolerances and idle times depend on each other; both are found by going down from no idle time at all.
 */
export function isInTimeByHolds(tasks: readonly ClassTask[], bound: WorkBound): boolean {
  const isPlain = tasks.every(({ cost, segment, last, jitter }) => cost === segment && last === cost && jitter === 0);
  if (!isPlain || tasks.length >= QUEUES_MAX) return false;
  let tolerated = tasks.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const idle = idleBefore(tasks, tolerated);
    const next: number[] = [];
    for (const task of tasks) {
      const tolerance = toleranceOf(task, tasks, idle, bound);
      if (tolerance === undefined) return false;
      next.push(Math.min(tolerance, tolerated[next.length] as number));
    }
    if (next.every((tolerance, place) => tolerance === tolerated[place])) return true;
    tolerated = next;
  }
  return false;
}

/** Whether `a` may go before a job of `b` that waits already. */
const mayOvertake = (a: ClassTask, b: ClassTask): boolean => a.rank < b.rank || (a.rank === b.rank && a.deadline < b.deadline);

/** G of each task. */
function idleBefore(tasks: readonly ClassTask[], tolerated: readonly number[]): number[] {
  const limits = tasks.map((task) =>
    tasks.reduce(
      (least, other, place) => (mayOvertake(other, task) ? Math.min(least, tolerated[place] as number) : least),
      Number.POSITIVE_INFINITY,
    ),
  );
  return tasks.map((task) => {
    let idle = 0;
    for (const [place, other] of tasks.entries()) {
      const held = other.segment - (limits[place] as number);
      if (mayOvertake(task, other) && held + task.early > 0) idle = Math.max(idle, held + task.early);
    }
    return idle;
  });
}

/** The longest blocking that it stands, by bisection to one unit; undefined when it does not stand any. */
function toleranceOf(task: ClassTask, tasks: readonly ClassTask[], idle: readonly number[], bound: WorkBound): number | undefined {
  const longer = tasks.map((other, place) => lengthened(other, idle[place] as number));
  const place = tasks.indexOf(task);
  const own = longer[place] as ClassTask;
  const others = longer.filter((other) => other !== own);
  const fits = (blocking: number): boolean => {
    const response = classResponse(own, others, { blocking, isBlockedByOthers: false }, bound);
    return response !== undefined && response - (idle[place] as number) <= task.deadline;
  };
  return fits(0) ? largestPassing(0, Math.ceil(task.deadline) + 1, fits) : undefined;
}

const lengthened = (task: ClassTask, by: number): ClassTask => ({
  ...task,
  cost: task.cost + by,
  segment: task.segment + by,
  last: task.last + by,
});
