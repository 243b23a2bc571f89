import { type ClassTask, classResponse, type Delays } from './class-bound.ts';
import type { WorkBound } from './work-bound.ts';

/** One core with everything that may run on it. */
export interface CoreLoad {
  /** Streams at home here whose deadlines are to be kept. */
  readonly guaranteed: readonly ClassTask[];
  /** Streams at home elsewhere, whose jobs come here when their own core is busy. They have no bound here, but they interfere. */
  readonly guests: readonly ClassTask[];
  /** The longest run of each stream without a guarantee; it can only block. */
  readonly rest: readonly { readonly id: string; readonly segment: number }[];
}

/**
 * `always`: in time even when the longest less urgent run has just begun. `look-ahead`: in time as long as the scheduler foresees releases and holds the core
 * for them. `none`: no bound within the deadline was found.
 */
export type Assurance = 'always' | 'look-ahead' | 'none';

export interface StreamBound {
  readonly id: string;
  readonly assurance: Assurance;
  /** From the latest nominal release to the end of the work on the core; undefined when no bound was found. */
  readonly response: number | undefined;
  /** The longest less urgent run that may begin just before its release. */
  readonly blocking: number;
  /** The longest such run that it stands and is still in time; undefined when it is not in time even without. */
  readonly tolerates: number | undefined;
}

export interface CoreBound {
  /** Of all guaranteed streams the weakest; `always` when there are none. */
  readonly assurance: Assurance;
  readonly streams: readonly StreamBound[];
  /** Cost of the guaranteed streams and of the guests by their periods. */
  readonly loadRatio: number;
}

/**
 * Worst-case response times on a core as our scheduler runs it: class first, EDF inside a class, no preemption, look-ahead holds. docs/analysis.md says what is assumed.
 *
 * First without trust in look-ahead: if every stream stands the longest less urgent run, no hold is ever needed, and the bound holds for any sporadic arrivals.
 *
 * Otherwise look-ahead lets a less urgent run of length S begin only where it overlaps the release of a more urgent stream k by no more than what k tolerates,
 * so nobody is blocked from below for longer; in return the core idles before releases: a stream whose run is longer than what some more urgent k tolerates is
 * held for at most `S - tolerated(k)` before each more urgent release. The idling is charged to every more urgent release.
 */
export function boundCore(load: CoreLoad, bound: WorkBound): CoreBound {
  const { guaranteed, guests, rest } = load;
  const loadRatio = [...guaranteed, ...guests].reduce((sum, { cost, period }) => sum + cost / period, 0);
  const restBlocking = Math.max(0, ...rest.map(({ segment }) => segment));
  const othersOf = (task: ClassTask): ClassTask[] => [...guaranteed.filter((other) => other !== task), ...guests];
  const unheld = guaranteed.map((task) =>
    classResponse(task, othersOf(task), { blocking: restBlocking, isBlockedByOthers: true, hold: 0 }, bound),
  );
  const isAlways = guaranteed.every((task, index) => isWithin(unheld[index], task));
  const holds = isAlways ? new Map<ClassTask, number>() : holdsOf(load, othersOf, bound);
  const streams = guaranteed.map((task, index): StreamBound => {
    const others = othersOf(task);
    const hold = holds.get(task) ?? 0;
    const blocking = Math.max(restBlocking, ...others.filter((other) => mayBlock(other, task)).map(({ segment }) => segment));
    const tolerates = toleranceOf(task, others, hold, bound);
    if (isAlways) return { id: task.id, assurance: 'always', response: unheld[index], blocking, tolerates };
    const foreseen = classResponse(task, others, { ...UNBLOCKED, hold }, bound);
    const isForeseen = isWithin(foreseen, task);
    const isPlain = hold === 0 && isWithin(unheld[index], task);
    // Held back or blocked as far as look-ahead allows, it may end as late as its deadline, and no later.
    const response = isPlain ? unheld[index] : isForeseen ? task.deadline : foreseen;
    return { id: task.id, assurance: isPlain ? 'always' : isForeseen ? 'look-ahead' : 'none', response, blocking, tolerates };
  });
  return { assurance: weakestOf(streams), streams, loadRatio };
}

const UNBLOCKED: Omit<Delays, 'hold'> = { blocking: 0, isBlockedByOthers: false };

const isWithin = (response: number | undefined, task: ClassTask): boolean => response !== undefined && response <= task.deadline;

/** Whether a run of `other` may be in the way of `task` as something less urgent: EDF decides between peers by absolute deadlines. */
const mayBlock = (other: ClassTask, task: ClassTask): boolean =>
  other.rank > task.rank || (other.rank === task.rank && other.deadline > task.deadline);

function weakestOf(streams: readonly StreamBound[]): Assurance {
  if (streams.some(({ assurance }) => assurance === 'none')) return 'none';
  return streams.some(({ assurance }) => assurance === 'look-ahead') ? 'look-ahead' : 'always';
}

/** The largest blocking with which it is in time, by bisection to one unit; undefined when it is late without any. */
export function toleranceOf(task: ClassTask, others: readonly ClassTask[], hold: number, bound: WorkBound): number | undefined {
  const fits = (blocking: number): boolean =>
    isWithin(classResponse(task, others, { blocking, isBlockedByOthers: false, hold }, bound), task);
  if (!fits(0)) return undefined;
  let good = 0;
  let bad = Math.ceil(task.deadline) + 1;
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/**
 * For each guaranteed stream, how long the core may be held idle before one more urgent release while it waits. Those whose run every more urgent stream
 * tolerates are never refused, and run in the gaps that others leave.
 */
function holdsOf(
  { guaranteed, guests }: CoreLoad,
  othersOf: (task: ClassTask) => ClassTask[],
  bound: WorkBound,
): ReadonlyMap<ClassTask, number> {
  const tolerated = new Map(guaranteed.map((task) => [task, toleranceOf(task, othersOf(task), 0, bound) ?? 0]));
  const isProtectedFrom = (victim: ClassTask, candidate: ClassTask): boolean => victim !== candidate && victim.rank <= candidate.rank;
  const refusal = (candidate: ClassTask): number =>
    guaranteed.reduce(
      (longest, victim) =>
        isProtectedFrom(victim, candidate) ? Math.max(longest, candidate.segment - (tolerated.get(victim) ?? 0)) : longest,
      0,
    );
  const refusals = new Map([...guaranteed, ...guests].map((task) => [task, refusal(task)]));
  const waitedFor = (task: ClassTask): number =>
    [...refusals].reduce(
      (longest, [other, length]) => (other === task || other.rank <= task.rank ? Math.max(longest, length) : longest),
      0,
    );

  // With the longest holds charged to everybody, tolerances are smaller; whoever still fits below all of them is never held.
  const cautious = new Map(guaranteed.map((task) => [task, toleranceOf(task, othersOf(task), waitedFor(task), bound) ?? 0]));
  return new Map(
    guaranteed.map((task) => {
      const isNeverHeld = guaranteed.every((victim) => !isProtectedFrom(victim, task) || task.segment <= (cautious.get(victim) ?? 0));
      return [task, isNeverHeld ? 0 : waitedFor(task)];
    }),
  );
}
