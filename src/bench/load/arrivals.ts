import type { LoadPattern } from '../../core/bench-suite.ts';
import type { Prng } from '../../core/prng.ts';

/** Patterns whose requests come whatever becomes of earlier ones. */
export type OpenPattern = Extract<LoadPattern, { readonly kind: 'uniform' | 'poisson' | 'trace' }>;

/**
 * The instants of an open load in whole microseconds from its start, ascending; the next call gives the next one, undefined when there are no more. Rounding
 * never adds up: the n-th instant lies within half a microsecond of where it belongs.
 */
export function createArrivals(pattern: OpenPattern, prng: Prng): () => number | undefined {
  switch (pattern.kind) {
    case 'uniform':
      return uniform(pattern.periodUs, pattern.phaseUs);
    case 'poisson':
      return poisson(pattern.meanUs, prng);
    case 'trace':
      return trace(pattern.atUs, pattern.repeatUs);
  }
}

function uniform(periodUs: number, phaseUs: number): () => number {
  let count = 0;
  return () => {
    const at = Math.round(phaseUs + count * periodUs);
    count += 1;
    return at;
  };
}

/** Intervals of a Poisson process are exponential: -mean ln(1 - u), u uniform over [0, 1). */
function poisson(meanUs: number, prng: Prng): () => number {
  let at = 0;
  return () => {
    at -= meanUs * Math.log(1 - prng.ratio());
    return Math.round(at);
  };
}

function trace(atUs: readonly number[], repeatUs: number | undefined): () => number | undefined {
  let count = 0;
  return () => {
    const round = Math.floor(count / atUs.length);
    const at = atUs[count % atUs.length];
    if (at === undefined || (round > 0 && repeatUs === undefined)) return undefined;
    count += 1;
    return round * (repeatUs ?? 0) + at;
  };
}
