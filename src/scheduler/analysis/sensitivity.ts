import { largestPassing } from '../largest-passing.ts';
import { type CoreLoad, type CoreTask, isInTimeByHoldsOn, isStreamInTime } from './core-bound.ts';
import type { WorkBound } from './work-bound.ts';

/**
 * The largest factor on the cost of one stream with which the core still fits, everything else as it is (Bini, Di Natale, Buttazzo 2008 for the idea; here by
 * bisection), in whole hundredths and never too large. Below 1 when it does not fit now. There always is a largest one: a job takes no longer than its deadline
 * allows. Null when no factor of at least a hundredth helps, or when the work is spent.
 */
export function largestFactor(load: CoreLoad, id: string, bound: WorkBound): number | null {
  return largest(load, (task) => task.id === id, bound);
}

/** The same for all costs of the core together. */
export function factorOfAll(load: CoreLoad, bound: WorkBound): number | null {
  return largest(load, () => true, bound);
}

/**
 * Streams of a core that are told apart by their names only have the same key: what one of them stands, and what the others stand of it, holds for the other. Work
 * that is part of a stream tells it apart.
 */
export function alikeKey({ guests, rest }: CoreLoad, task: CoreTask): string {
  const isApart = [...guests, ...rest].some(({ partOf }) => partOf === task.id);
  const { rank, run, cost, segment, last, period, deadline, early, jitter } = task;
  return [rank, run, cost, segment, last, period, deadline, early, jitter, isApart ? task.id : ''].join(' ');
}

type IsScaled = (task: { readonly id: string }) => boolean;

/**
 * Each stream by itself gives a largest factor, and the least of them counts: it is looked for from above, beginning with those that are likely to have the
 * least, so that most streams are asked only whether they stand what another one leaves.
 */
function largest(load: CoreLoad, isScaled: IsScaled, bound: WorkBound): number | null {
  const loads = new ScaledLoads(load, isScaled);
  const beyond = firstHopeless(load, isScaled);
  let best = beyond - 1;
  const places = likelyFirst(load, isScaled);
  // A glance mostly finds it already; near the whole core a longer look is dear.
  for (const depth of ['glance', 'whole'] as const) {
    for (const place of places) {
      const passes = (hundredths: number): boolean => isStreamInTime(loads.at(hundredths), place, depth, bound);
      if (best > 0 && !passes(best)) best = passes(1) ? largestPassing(1, best, passes) : 0;
    }
  }
  const byHolds = largestByHolds(loads, best, beyond, bound);
  return bound.isSpent || byHolds === 0 ? null : byHolds / 100;
}

/** Beyond what each stream stands by itself, they may be in time by being held for one another. */
function largestByHolds(loads: ScaledLoads, best: number, beyond: number, bound: WorkBound): number {
  const passes = (hundredths: number): boolean => isInTimeByHoldsOn(loads.at(hundredths), bound);
  if (best > 0) return largestPassing(best, beyond, passes);
  return beyond > 1 && passes(1) ? largestPassing(1, beyond, passes) : 0;
}

/** In hundredths, the least factor that cannot fit, whatever else: a job would take longer than its deadline, or all of them more than the core. */
function firstHopeless({ guaranteed, guests }: CoreLoad, isScaled: IsScaled): number {
  const byDeadline = guaranteed.filter(isScaled).map(({ deadline, cost }) => deadline / cost);
  const last = guaranteed.reduce((most, { rank }) => Math.max(most, rank), Number.NEGATIVE_INFINITY);
  // Work of a stream that is told apart from it counts nothing towards its own load.
  const served = [...guaranteed, ...guests].filter(({ rank, partOf }) => rank <= last && partOf === undefined);
  const loadOf = (tasks: readonly CoreTask[]): number => tasks.reduce((sum, { cost, period }) => sum + cost / period, 0);
  const scaledLoad = loadOf(served.filter(isScaled));
  const byLoad = (1 - loadOf(served.filter((task) => !isScaled(task)))) / scaledLoad;
  const factor = Math.min(byLoad, ...byDeadline);
  return Number.isFinite(factor) ? Math.max(1, Math.floor(100 * factor + ROUNDING) + 1) : 1;
}

/** A quotient may lie a little below the hundredth that it is. */
const ROUNDING = 1e-6;

/** Places of streams: the scaled ones, then by deadline; of those that are alike, before as after, one. */
function likelyFirst(load: CoreLoad, isScaled: IsScaled): number[] {
  const rows = load.guaranteed.map((task, place) => ({ task, place, isLater: isScaled(task) ? 0 : 1 }));
  const apart = new Map(rows.map((row) => [`${row.isLater} ${alikeKey(load, row.task)}`, row]));
  return [...apart.values()].sort((a, b) => a.isLater - b.isLater || a.task.deadline - b.task.deadline).map(({ place }) => place);
}

/** The last one is asked for again and again. */
class ScaledLoads {
  readonly #load: CoreLoad;
  readonly #isScaled: IsScaled;
  #last: { readonly hundredths: number; readonly load: CoreLoad } | undefined;

  constructor(load: CoreLoad, isScaled: IsScaled) {
    this.#load = load;
    this.#isScaled = isScaled;
  }

  at(hundredths: number): CoreLoad {
    if (this.#last?.hundredths !== hundredths) {
      const factor = hundredths / 100;
      this.#last = { hundredths, load: scaled(this.#load, (task) => (this.#isScaled(task) ? factor : 1)) };
    }
    return this.#last.load;
  }
}

function scaled({ guaranteed, guests, rest, ...load }: CoreLoad, factorOf: (task: { readonly id: string }) => number): CoreLoad {
  const scale = (task: CoreTask): CoreTask => {
    const factor = factorOf(task);
    const [run, segment, last] = [Math.ceil(task.run * factor), Math.ceil(task.segment * factor), Math.ceil(task.last * factor)];
    return { ...task, run, segment, last, cost: task.cost === task.run ? run : Math.ceil(task.cost * factor) };
  };
  return {
    ...load,
    guaranteed: guaranteed.map(scale),
    guests: guests.map(scale),
    rest: rest.map((row) => ({ ...row, segment: Math.ceil(row.segment * factorOf(row)) })),
  };
}
