import { largestPassing } from '../largest-passing.ts';
import { boundCore, type CoreLoad, type CoreTask } from './core-bound.ts';
import type { WorkBound } from './work-bound.ts';

/** Factors are looked for up to here and told in steps of a hundredth. */
const FACTOR_MAX = 64;

/**
 * The largest factor on the cost of one stream with which the core still fits, everything else as it is (Bini, Di Natale, Buttazzo 2008 for the idea; here by
 * bisection). Below 1 when it does not fit now. Null when no factor of at least a hundredth helps, or when the work is spent.
 */
export function largestFactor(load: CoreLoad, id: string, bound: WorkBound): number | null {
  return largest((factor) => scaled(load, (task) => (task.id === id ? factor : 1)), bound);
}

/** The same for all costs of the core together. */
export function factorOfAll(load: CoreLoad, bound: WorkBound): number | null {
  return largest((factor) => scaled(load, () => factor), bound);
}

function largest(loadAt: (factor: number) => CoreLoad, bound: WorkBound): number | null {
  const fits = (hundredths: number): boolean => boundCore(loadAt(hundredths / 100), bound).assurance !== 'none';
  if (!fits(1)) return null;
  const best = largestPassing(1, FACTOR_MAX * 100 + 1, fits);
  return bound.isSpent ? null : best / 100;
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
