import { utilisationOf } from './demand.ts';
import { compare, ONE } from './fraction.ts';
import { type AnalysisTask, INSTANT_MAX } from './task.ts';

export interface LevelLoad {
  /** The first priority level at which the tasks down to it need more than the whole core: there and below the backlog grows for ever. */
  readonly overloadedFrom: number;
  /** After so many jobs of this level a busy period repeats itself; infinite where it ends by itself. */
  jobsMax(level: number): number;
}

/** @param sorted the most urgent first */
export function levelLoad(sorted: readonly Pick<AnalysisTask, 'cost' | 'period'>[]): LevelLoad {
  const loadOf = (count: number): number => compare(utilisationOf(sorted.slice(0, count)), ONE);
  let overloadedFrom = sorted.length;
  if (loadOf(sorted.length) > 0) {
    let fits = 0;
    while (overloadedFrom - fits > 1) {
      const middle = (fits + overloadedFrom) >> 1;
      if (loadOf(middle) > 0) overloadedFrom = middle;
      else fits = middle;
    }
    overloadedFrom = fits;
  }
  // The load grows with every level, so at most the last one that is not overloaded has exactly the whole core.
  const isFull = overloadedFrom > 0 && loadOf(overloadedFrom) === 0;
  const hyperperiod = isFull ? leastCommonMultiple(sorted.slice(0, overloadedFrom)) : undefined;
  return {
    overloadedFrom,
    jobsMax: (level) =>
      hyperperiod !== undefined && level === overloadedFrom - 1 ? hyperperiod / (sorted[level]?.period ?? 1) : Number.POSITIVE_INFINITY,
  };
}

/** Of the periods; undefined beyond `INSTANT_MAX`. */
function leastCommonMultiple(tasks: readonly { readonly period: number }[]): number | undefined {
  let multiple = 1n;
  for (const { period } of tasks) {
    const next = BigInt(period);
    let [a, b] = [multiple, next];
    while (b > 0n) [a, b] = [b, a % b];
    multiple = (multiple / a) * next;
    if (multiple > BigInt(INSTANT_MAX)) return undefined;
  }
  return Number(multiple);
}
