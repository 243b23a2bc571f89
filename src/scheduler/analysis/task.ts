/**
 * A task in whole ticks: the finest decimal place of the user's table is one tick, so that every sum and every comparison below is exact. Every number is
 * at most `TICKS_MAX`.
 */
export interface AnalysisTask {
  readonly id: string;
  /** C, worst case of one job; in mixed criticality the C(LO). For a parallel job the work of all its cores together. Above 0. */
  readonly cost: number;
  /** T, period or least time between two arrivals. Above 0. */
  readonly period: number;
  /** D, relative to the arrival. Above 0; may lie beyond the period where a test says so. */
  readonly deadline: number;
  /** B, the longest time that something less urgent or outside the table may hold it up. */
  readonly blocking: number;
  /** J, how much later than it arrives a job may be released. */
  readonly jitter: number;
  /** Criticality HI. */
  readonly isHigh: boolean;
  /** C(HI); as `cost` for LO tasks. */
  readonly costHigh: number;
  /** Cores that a job takes at once. */
  readonly cores: number;
  /** L, the longest path of a parallel job; as `cost` for a sequential one. */
  readonly path: number;
  /** The longest part that runs without preemption. */
  readonly segment: number;
  /** Core group that it is pinned to. */
  readonly group: string;
}

/**
 * Values are at most 2^50 ticks and instants at most 2^51, so that a sum of a few of them stays below 2^53, where doubles are exact and a floor of
 * a rounded quotient is the floor of the quotient. A recurrence that grows beyond stops: whatever is inexact is larger than the limit all the same.
 */
export const TICKS_MAX = 2 ** 50;
export const INSTANT_MAX = 2 ** 51;

/** `unschedulable`: some pattern of arrivals misses a deadline. `unknown`: neither could be shown. */
export type Verdict = 'schedulable' | 'unschedulable' | 'unknown';

/** What an analysis says of one task. */
export interface TaskFinding {
  readonly id: string;
  readonly verdict: Verdict;
  /** In ticks, not always whole. */
  readonly times: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** A stretch of one core given to one task or server. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly id: string;
}

export interface Finding {
  readonly verdict: Verdict;
  /** One sentence without a full stop. */
  readonly reason: string;
  readonly tasks: readonly TaskFinding[];
  readonly times?: Readonly<Record<string, number>>;
  readonly counts?: Readonly<Record<string, number>>;
  /** Steps of recurrences, where the test has any. */
  readonly iterations?: number;
  /** Instants at which demand was compared with time. */
  readonly points?: number;
  readonly timeline?: readonly Stretch[];
}

/** Deadline-monotonic, the listed order breaking ties; or as listed. The first is the most urgent. */
export type PriorityOrder = 'deadline' | 'listed';

export function byPriority<T extends { readonly deadline: number }>(tasks: readonly T[], order: PriorityOrder): T[] {
  return order === 'listed' ? [...tasks] : [...tasks].sort((a, b) => a.deadline - b.deadline);
}

export const finding = (
  task: { readonly id: string },
  verdict: Verdict,
  times: Readonly<Record<string, number>> = {},
  counts: Readonly<Record<string, number>> = {},
): TaskFinding => ({ id: task.id, verdict, times, counts });

/** Unschedulable as soon as one is, unknown as soon as one is and none is unschedulable. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('unschedulable')) return 'unschedulable';
  return verdicts.includes('unknown') ? 'unknown' : 'schedulable';
}

/** Back to the order in which the user listed them. */
export function asListed(found: readonly TaskFinding[], tasks: readonly { readonly id: string }[]): TaskFinding[] {
  const byId = new Map(found.map((one) => [one.id, one]));
  return tasks.flatMap(({ id }) => byId.get(id) ?? []);
}

export const BOUND_HIT = 'the bound on work was reached before an answer; give fewer tasks, or periods that are closer together';
