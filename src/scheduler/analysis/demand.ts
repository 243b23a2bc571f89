import { Heap } from '../../core/heap.ts';
import { compare, type Fraction, floorOf, fraction, minus, ONE, sum, toNumber } from './fraction.ts';
import { type AnalysisTask, INSTANT_MAX } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type DemandTask = Pick<AnalysisTask, 'cost' | 'period' | 'deadline' | 'jitter'>;

/** A job that is released J late has J less: release jitter under EDF is a shorter deadline (Spuri 1996). May be 0 or less: then it cannot be met. */
export const dueOf = (task: Pick<AnalysisTask, 'deadline' | 'jitter'>): number => task.deadline - task.jitter;

/** `sum C_i / T_i`, exact. */
export const utilisationOf = (tasks: readonly Pick<AnalysisTask, 'cost' | 'period'>[]): Fraction =>
  sum(tasks.map(({ cost, period }) => fraction(cost, period)));

/** Processor demand `h(t) = sum_i max(0, floor((t + T_i - D_i) / T_i)) C_i` (Baruah, Rosier, Howell 1990). */
export function demandAt(tasks: readonly DemandTask[], t: number): number {
  let demand = 0;
  for (const task of tasks) {
    const dueIn = t - dueOf(task);
    if (dueIn >= 0) demand += (Math.floor(dueIn / task.period) + 1) * task.cost;
  }
  return demand;
}

export interface DemandLimits {
  readonly utilisation: Fraction;
  /**
   * Whole part of `L_a = max(max_i(D_i - T_i), (sum_i (T_i - D_i) U_i + extra) / (1 - U))`; undefined when U is 1 or more.
   */
  readonly byUtilisation: number | undefined;
  /** `L_b`, the synchronous busy period; undefined when it was not found below `byUtilisation` or within the bound. */
  readonly byBusyPeriod: number | undefined;
  /** Beyond it no deadline can be the first to be missed. Infinite when neither is known. */
  readonly limit: number;
}

/**
 * How far demand has to be looked at (Baruah et al. 1990; Zhang and Burns 2009).
 *
 * @param extra what may come on top of the demand at any instant, such as the longest blocking
 */
export function demandLimits(tasks: readonly DemandTask[], bound: WorkBound, extra = 0): DemandLimits {
  const utilisation = utilisationOf(tasks);
  const byUtilisation = limitByUtilisation(tasks, utilisation, extra);
  const ceiling = Math.min(byUtilisation ?? INSTANT_MAX, INSTANT_MAX);
  const load = compare(utilisation, ONE);
  // With the whole core taken, whatever comes on top is never worked off.
  const byBusyPeriod = load > 0 || (load === 0 && extra > 0) ? undefined : busyPeriod(tasks, extra, ceiling, bound);
  const limit = Math.min(byUtilisation ?? Number.POSITIVE_INFINITY, byBusyPeriod ?? Number.POSITIVE_INFINITY);
  return { utilisation, byUtilisation, byBusyPeriod, limit };
}

function limitByUtilisation(tasks: readonly DemandTask[], utilisation: Fraction, extra: number): number | undefined {
  if (compare(utilisation, ONE) >= 0) return undefined;
  let longest = 0;
  const parts = [fraction(extra)];
  for (const task of tasks) {
    const early = task.period - dueOf(task);
    longest = Math.max(longest, -early);
    parts.push(fraction(BigInt(early) * BigInt(task.cost), task.period));
  }
  const surplus = sum(parts);
  const slack = minus(ONE, utilisation);
  const last = floorOf({ num: surplus.num * slack.den, den: surplus.den * slack.num });
  return Math.max(longest, last > BigInt(INSTANT_MAX) ? INSTANT_MAX : Number(last));
}

/** The least w > 0 with `w = extra + sum_i ceil((w + J_i) / T_i) C_i`; undefined when above the ceiling or when the bound is spent. */
export function busyPeriod(tasks: readonly DemandTask[], extra: number, ceiling: number, bound: WorkBound): number | undefined {
  let length = tasks.reduce((all, { cost }) => all + cost, extra);
  while (length <= ceiling) {
    if (!bound.spend(tasks.length)) return undefined;
    let next = extra;
    for (const { cost, period, jitter } of tasks) next += Math.ceil((length + jitter) / period) * cost;
    if (next <= length) return length;
    length = next;
  }
  return undefined;
}

export type SweepEnd = 'done' | 'stopped' | 'bound';

/** What one instant of a sweep costs, in terms: a heap of ten thousand tasks took about 400 ns to turn. */
const TERMS_PER_DEADLINE = 100;

/**
 * Visits every absolute deadline up to `limit` in order, with the demand there, after a synchronous release. Returning false stops it.
 */
export function sweepDeadlines(
  tasks: readonly DemandTask[],
  limit: number,
  bound: WorkBound,
  visit: (t: number, demand: number) => boolean,
): SweepEnd {
  const heap = new Heap<{ at: number; readonly index: number; readonly task: DemandTask }>(
    (a, b) => a.at < b.at || (a.at === b.at && a.index < b.index),
  );
  tasks.forEach((task, index) => {
    if (dueOf(task) <= limit) heap.push({ at: dueOf(task), index, task });
  });
  let demand = 0;
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    if (!bound.spend(TERMS_PER_DEADLINE)) return 'bound';
    const at = top.at;
    demand += top.task.cost;
    top.at += top.task.period;
    if (top.at <= limit) heap.push(top);
    if (heap.peek()?.at === at) continue;
    if (at > INSTANT_MAX) return 'bound';
    if (!visit(at, demand)) return 'stopped';
  }
  return 'done';
}

export const percentOf = (utilisation: Fraction): string => `${Number((toNumber(utilisation) * 100).toPrecision(6))} %`;
