import { Heap } from '../../core/heap.ts';
import { compare, type Fraction, floorOf, fraction, minus, ONE, sum, toNumber } from './fraction.ts';
import { hyperperiodOf } from './hyperperiod.ts';
import { type AnalysisTask, BOUND_HIT, INSTANT_MAX } from './task.ts';
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

/**
 * What a task asks for by `t`, which is before its deadline, in `h(t)`. Without jitter nothing; with jitter it may have arrived up to J earlier, and be due by
 * t. While a job of the same task with a later deadline blocks, this falls away: that job arrived before the others were released, and the next one comes a
 * period later. Only where J is the period or more may earlier jobs be released after it, and then part of it may remain.
 */
export const ownDemand = ({ cost, period, deadline, jitter }: DemandTask, t: number): number =>
  Math.max(0, Math.floor((t - deadline + jitter) / period) + 1) * cost;

/** Whether all of `ownDemand` falls away. */
export const isInOrder = ({ jitter, period }: DemandTask): boolean => jitter < period;

export interface DemandLimits {
  readonly utilisation: Fraction;
  /**
   * Whole part of `L_a = max(max_i(D_i - T_i), (sum_i (T_i - D_i) U_i + extra) / (1 - U))`; undefined when U is 1 or more.
   */
  readonly byUtilisation: number | undefined;
  /** `L_b`, the synchronous busy period; undefined when it was not found below the two others or within the bound. */
  readonly byBusyPeriod: number | undefined;
  /** `H + max(0, max_i(D_i - J_i - T_i))`, see `limitByHyperperiod`; undefined where periods repeat too late, or when U is above 1. */
  readonly byHyperperiod: number | undefined;
  /** At or beyond it no deadline can be the first to be missed. Infinite when none is known. */
  readonly limit: number;
}

/**
 * How far demand has to be looked at (Baruah et al. 1990; Zhang and Burns 2009).
 *
 * @param extra what may come on top of the demand at any instant, such as the longest blocking
 */
export function demandLimits(tasks: readonly DemandTask[], bound: WorkBound, extra = 0): DemandLimits {
  const utilisation = utilisationOf(tasks);
  const load = compare(utilisation, ONE);
  const byUtilisation = limitByUtilisation(tasks, utilisation, extra);
  const byHyperperiod = load > 0 ? undefined : limitByHyperperiod(tasks);
  const other = Math.min(byUtilisation ?? Number.POSITIVE_INFINITY, byHyperperiod ?? Number.POSITIVE_INFINITY);
  // With the whole core taken, whatever comes on top, as jitter does, is never worked off.
  const isEndless = load > 0 || (load === 0 && (extra > 0 || tasks.some(({ jitter }) => jitter > 0)));
  const byBusyPeriod = isEndless ? undefined : busyPeriod(tasks, extra, Math.min(other, INSTANT_MAX), bound);
  return { utilisation, byUtilisation, byBusyPeriod, byHyperperiod, limit: Math.min(other, byBusyPeriod ?? Number.POSITIVE_INFINITY) };
}

/**
 * A load of at most 1 that fails anywhere fails before `H + M`, with H the hyperperiod and `M = max(0, max_i(D_i - J_i - T_i))`; so [0, H + max D] of Leung and
 * Merrill (1980) and Baruah, Rosier, Howell (1990) for synchronous periodic tasks holds with jitter too, which here is a shorter deadline. For t >= M no
 * term of `h(t)` is cut off at 0, so each grows by exactly `H U_i` from t to t + H: `h(t + H) = h(t) + H U`, and `h(t + H) - (t + H) <= h(t) - t`
 * as U is at most 1. What is too much at some `t >= H + M` is so a hyperperiod earlier already. The same holds with something on top that does not
 * grow with t, as blocking does not. Unlike a busy period this needs no idle instant, which a load of 1 with jitter does not have.
 */
export function limitByHyperperiod(tasks: readonly DemandTask[]): number | undefined {
  const hyperperiod = hyperperiodOf(tasks);
  return hyperperiod === undefined ? undefined : tasks.reduce((most, task) => Math.max(most, dueOf(task) - task.period), 0) + hyperperiod;
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

/** Above it busy periods are so long that they are what reaches the bound, rather than the number of tasks. */
const NEARLY_FULL_RATIO = 0.99;

/** What reached the bound on work, and what would help. */
export const boundHit = (utilisation: Fraction): string =>
  toNumber(utilisation) < NEARLY_FULL_RATIO
    ? BOUND_HIT
    : `the bound on work was reached before an answer: with a load of ${percentOf(utilisation)} the core is idle too late, and the periods together repeat too late, to look at all of it; give lower costs, or periods with a smaller common multiple`;
