import { utilisationOf } from './demand.ts';
import { compare, ONE } from './fraction.ts';
import { commonMultiple } from './hyperperiod.ts';
import type { AnalysisTask } from './task.ts';

export interface LevelLoad {
  /** The first priority level at which the tasks down to it need more than the whole core: there and below the backlog grows for ever. */
  readonly overloadedFrom: number;
  /** No job of this level beyond the first so many answers later than all of them; infinite where periods repeat too late. */
  jobsMax(level: number): number;
  /** Whether the tasks down to this level take the whole core: what comes on top, such as blocking or jitter, is never worked off. */
  isFull(level: number): boolean;
}

/**
 * Jobs to look at in a busy period without an end: with H the hyperperiod of level i and those above it, `n = H / T_i` of them. Let
 * `w(q) = f_q(w(q))` be the least solution of the recurrence for job q, of `rta` as of `np-fp`, whatever blocking and jitter. From job q to job q + n the own
 * work grows by `n C_i = H U_i`, and over H that of each more urgent task k by `H U_k`, so `f_{q+n}(w(q) + H) = w(q) + H U <= w(q) + H` as the load U of
 * these levels is at most 1. A least solution lies at or below every point that f does not raise: `w(q + n) <= w(q) + H`, and job q + n, which comes H
 * later, answers no later after its arrival than job q.
 *
 * @param sorted the most urgent first
 */
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
  const fullLevel = overloadedFrom > 0 && loadOf(overloadedFrom) === 0 ? overloadedFrom - 1 : undefined;
  let hyperperiod: number | undefined = 1;
  const jobs = sorted.slice(0, overloadedFrom).map(({ period }) => {
    hyperperiod = commonMultiple(hyperperiod, period);
    return hyperperiod === undefined ? Number.POSITIVE_INFINITY : hyperperiod / period;
  });
  return {
    overloadedFrom,
    jobsMax: (level) => jobs[level] ?? Number.POSITIVE_INFINITY,
    isFull: (level) => level === fullLevel,
  };
}
