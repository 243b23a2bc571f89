import { largestPassing } from '../largest-passing.ts';
import { QUEUES_MAX } from '../order-search.ts';
import { type ClassTask, isClassResponseWithin, mayClassResponseBeWithin } from './class-bound.ts';
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
  // Where somebody is late even at a glance, which sees the most that each tolerates and the least idle time, the long look is spared.
  return settle(tasks, mayClassResponseBeWithin, bound) !== 'late' && settle(tasks, isClassResponseWithin, bound) === 'in time';
}

type Look = typeof isClassResponseWithin;

/** Goes down until nothing changes any more. */
function settle(tasks: readonly ClassTask[], look: Look, bound: WorkBound): 'in time' | 'late' | 'unsettled' {
  let tolerated = tasks.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const idle = idleBefore(tasks, tolerated);
    const rows = tasks.map((task) => lengthenedRow(task, tasks, idle));
    const stands = ({ own, others, limit }: LengthenedRow, blocking: number): boolean =>
      look(limit, own, others, { blocking, isBlockedByOthers: false }, bound);
    // Looking for how long is in vain where somebody does not stand any.
    if (!rows.every((row) => stands(row, 0))) return 'late';
    const next = rows.map((row, place) => {
      const most = Math.min(tolerated[place] as number, Math.ceil(row.own.deadline));
      return stands(row, most) ? most : largestPassing(0, most, (blocking) => stands(row, blocking));
    });
    if (next.every((tolerance, place) => tolerance === tolerated[place])) return 'in time';
    tolerated = next;
  }
  return 'unsettled';
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

/** A task among the others, all as if their runs took as much longer as the core may be idle for them. */
interface LengthenedRow {
  readonly own: ClassTask;
  readonly others: readonly ClassTask[];
  /** For its own last job nobody who goes before it is held. */
  readonly limit: number;
}

function lengthenedRow(task: ClassTask, tasks: readonly ClassTask[], idle: readonly number[]): LengthenedRow {
  const longer = tasks.map((other, place) => lengthened(other, idle[place] as number));
  const place = tasks.indexOf(task);
  const own = longer[place] as ClassTask;
  return { own, others: longer.filter((other) => other !== own), limit: task.deadline + (idle[place] as number) };
}

const lengthened = (task: ClassTask, by: number): ClassTask => ({
  ...task,
  cost: task.cost + by,
  segment: task.segment + by,
  last: task.last + by,
});
