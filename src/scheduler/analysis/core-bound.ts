import { largestPassing } from '../largest-passing.ts';
import { type ClassTask, classResponse, isClassResponseWithin, mayClassResponseBeWithin } from './class-bound.ts';
import { isInTimeByHolds } from './hold-bound.ts';
import type { WorkBound } from './work-bound.ts';

/** `run`: a whole run, however it is cut. */
export interface CoreTask extends ClassTask {
  readonly run: number;
  /** Work of another task of the core: it is in everybody's way but in that one's. */
  readonly partOf?: string;
}

/** `partOf`: as of a CoreTask. */
export interface RestTask {
  readonly id: string;
  readonly segment: number;
  readonly partOf?: string;
}

/** One core with everything that may run on it. */
export interface CoreLoad {
  /** Streams at home here whose deadlines are to be kept. */
  readonly guaranteed: readonly CoreTask[];
  /** Streams at home elsewhere, whose jobs come here when their own core is busy. They have no bound here, but they interfere. */
  readonly guests: readonly CoreTask[];
  /** The longest run of each stream without a guarantee; it can only block. */
  readonly rest: readonly RestTask[];
  /** Whether the scheduler holds the core for releases that it foresees. */
  readonly doesLookAhead: boolean;
}

/**
 * `always`: in time even when the longest less urgent run has just begun. `look-ahead`: in time as long as the scheduler foresees its releases and holds back
 * the `rest` for them. `none`: no bound within the deadline was found.
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
 * Worst-case response times on a core as our scheduler runs it: class first, EDF inside a class, no preemption, look-ahead holds. docs/analysis.md says what is
 * assumed.
 *
 * A stream is in time `always` when it stands the longest less urgent run, whoever it is of. Where it does not stand the longest run of the `rest`, look-ahead can
 * still keep that run from beginning too shortly before a release, if it foresees it; then the stream may end as late as its deadline. This is relied upon
 * where guaranteed streams and guests are all in time among each other, so that none of them is ever held itself; and where the guaranteed ones, without guests, are
 * in time by being held for one another (hold-bound.ts): then each of them may end as late as its deadline. Where neither is so, nothing is known of whoever
 * may be held for somebody that is late all the same.
 *
 * A run that is cut may be interrupted at its borders, and is when somebody more urgent would be late otherwise: then its longest block is what blocks, and the
 * one interrupted for may still end as late as its deadline, since until then nothing is interrupted for it.
 */
export function boundCore({ guaranteed, guests, rest, doesLookAhead }: CoreLoad, bound: WorkBound): CoreBound {
  const loadRatio = [...guaranteed, ...guests].reduce((sum, { cost, period }) => sum + cost / period, 0);
  const restBlockingOf = ({ id }: CoreTask): number => longestOf(rest, id);
  const rows = guaranteed.map((task) => {
    const others = othersOf(task, guaranteed, guests);
    const among = classResponse(task, others, { blocking: 0, isBlockedByOthers: true }, bound);
    const restBlocking = restBlockingOf(task);
    const isAlike = restBlocking === 0 && others.every(({ run, segment }) => run === segment);
    const all = isAlike ? among : classResponse(task, others.map(whole), { blocking: restBlocking, isBlockedByOthers: true }, bound);
    return { task, others, among, all };
  });
  const isForeseen = doesLookAhead && rows.every(({ task, among }) => isWithin(among, task));
  const isByHolds = !isForeseen && isInTimeByHoldsOn({ guaranteed, guests, rest, doesLookAhead }, bound);
  const tolerances = new Map(rows.map(({ task, others }) => [task, toleranceOf(task, others, bound)]));
  const streams = rows.map(({ task, others, all }): StreamBound => {
    const blocking = Math.max(restBlockingOf(task), ...others.filter((other) => mayBlock(other, task)).map(({ run }) => run));
    const row = { id: task.id, blocking, tolerates: tolerances.get(task) };
    const isHeldInVain = doesLookAhead && guaranteed.some((other) => other !== task && mayHold(other, task, tolerances.get(other) ?? 0));
    if (isByHolds) return { ...row, assurance: 'look-ahead', response: task.deadline };
    if (doesLookAhead && !isForeseen && guaranteed.some((other) => other !== task && mayHoldForLost(other, task, tolerances.get(other))))
      return { ...row, assurance: 'none', response: undefined };
    if (isWithin(all, task) && isHeldInVain) return { ...row, assurance: 'look-ahead', response: task.deadline };
    if (isWithin(all, task)) return { ...row, assurance: 'always', response: all };
    return isForeseen ? { ...row, assurance: 'look-ahead', response: task.deadline } : { ...row, assurance: 'none', response: all };
  });
  return { assurance: weakestOf(streams), streams, loadRatio };
}

/** The longest run of the rest that may be in the way of a stream. */
const longestOf = (rest: readonly RestTask[], id: string): number =>
  rest.reduce((most, { segment, partOf }) => (partOf === id ? most : Math.max(most, segment)), 0);

const othersOf = (task: CoreTask, guaranteed: readonly CoreTask[], guests: readonly CoreTask[]): readonly CoreTask[] => [
  ...guaranteed.filter((other) => other !== task),
  ...guests.filter(({ partOf }) => partOf !== task.id),
];

/**
 * Whether one of the guaranteed streams is in time as far as that is asked of each by itself. Where all are, `boundCore` finds a bound for every stream;
 * where one is not, it does so only if they are in time by being held for one another (`isInTimeByHoldsOn`).
 *
 * @param depth `glance`: whether it may be so, for much less work
 */
export function isStreamInTime(
  { guaranteed, guests, rest, doesLookAhead }: CoreLoad,
  place: number,
  depth: 'glance' | 'whole',
  bound: WorkBound,
): boolean {
  const task = guaranteed[place];
  if (task === undefined) return true;
  const look = depth === 'glance' ? mayClassResponseBeWithin : isClassResponseWithin;
  const others = othersOf(task, guaranteed, guests);
  // What is foreseen among each other keeps the rest away; who stands the rest too stands the others alone all the more.
  return doesLookAhead
    ? look(task.deadline, task, others, { blocking: 0, isBlockedByOthers: true }, bound)
    : look(task.deadline, task, others.map(whole), { blocking: longestOf(rest, task.id), isBlockedByOthers: true }, bound);
}

export const isInTimeByHoldsOn = ({ guaranteed, guests, doesLookAhead }: CoreLoad, bound: WorkBound): boolean =>
  doesLookAhead && guests.length === 0 && isUncut(guaranteed) && isInTimeByHolds(guaranteed, bound);

/** A run that is cut is interrupted only when somebody would be late otherwise; else it runs on to its end. */
const whole = (task: CoreTask): ClassTask => ({ ...task, segment: task.run });

const isUncut = (tasks: readonly CoreTask[]): boolean => tasks.every(({ run, segment }) => run === segment);

const isWithin = (response: number | undefined, task: ClassTask): boolean => response !== undefined && response <= task.deadline;

/** Whether a run of `other` may be in the way of `task` as something less urgent: EDF decides between peers by absolute deadlines. */
const mayBlock = (other: ClassTask, task: ClassTask): boolean =>
  other.rank > task.rank || (other.rank === task.rank && other.deadline > task.deadline);

/** Until a model has been measured, look-ahead reckons with this much more than it was told (cost-estimate.ts). */
const DOUBT_FACTOR = 1.25;

/**
 * Whether the core may be held from `task` for a frame of `other` in vain: where `other` does not stand a run of `task` as long as it is thought to be before it has
 * been measured, with its frame expected as far off as two jitters may lie from each other.
 */
const mayHold = (other: ClassTask, task: ClassTask, tolerates: number): boolean =>
  other.rank <= task.rank && tolerates < task.segment * DOUBT_FACTOR + 2 * other.jitter;

/** Whether the core may be held from `task` for somebody who does not stand a run of it. Where not everybody is in time, nothing says for how long. */
const mayHoldForLost = (other: ClassTask, task: ClassTask, tolerates: number | undefined): boolean =>
  other.rank <= task.rank && (tolerates ?? 0) < task.segment;

function weakestOf(streams: readonly StreamBound[]): Assurance {
  if (streams.some(({ assurance }) => assurance === 'none')) return 'none';
  return streams.some(({ assurance }) => assurance === 'look-ahead') ? 'look-ahead' : 'always';
}

/** The longest run of something less urgent that it stands, by bisection to one unit; undefined when it is late without any. */
function toleranceOf(task: ClassTask, others: readonly CoreTask[], bound: WorkBound): number | undefined {
  const fits = (blocking: number): boolean =>
    isClassResponseWithin(task.deadline, task, others, { blocking, isBlockedByOthers: false }, bound);
  return fits(0) ? largestPassing(0, Math.ceil(task.deadline) + 1, fits) : undefined;
}
