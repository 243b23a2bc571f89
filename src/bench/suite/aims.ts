import type { Aim } from '../../core/bench-suite.ts';
import type { SuiteRow } from './play-suite.ts';

export interface AimResult extends Aim {
  /** What `coxswain` reached; null when nothing ended. */
  readonly got: number | null;
  readonly isMet: boolean;
}

/** Holds the rows of the default policy to the aims; those of workloads that were not played are left out. */
export function aimResults(aims: readonly Aim[], rows: readonly SuiteRow[]): readonly AimResult[] {
  return aims.flatMap((aim) => {
    const row = rows.find(({ workload, policy }) => workload === aim.workload && policy === 'coxswain');
    const load = row?.loads.find(({ id }) => id === aim.load);
    if (load === undefined) return [];
    const got = load[aim.figure];
    const isMet = got !== null && got <= (aim.atMost ?? Number.POSITIVE_INFINITY) && got >= (aim.atLeast ?? Number.NEGATIVE_INFINITY);
    return [{ ...aim, got, isMet }];
  });
}
