import type { Load, Workload } from '../../core/bench-suite.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { ModelId } from '../../core/model.ts';
import type { DurationUs } from '../../core/units.ts';

/** The latency of each is kept for the percentiles: some hundred megabytes. */
const REQUESTS_MAX = 50_000_000;

export interface CheckOptions {
  readonly coreCount: number;
  readonly spanUs: DurationUs;
  readonly costs: ReadonlyMap<ModelId, { readonly aloneUs: DurationUs }>;
}

/** What can be told only once chip and time are known. Errors: CONFIG_INVALID. */
export function checkSuite(file: string, workloads: readonly Workload[], { coreCount, spanUs, costs }: CheckOptions): void {
  for (const { id, loads } of workloads) {
    for (const { id: load, cores } of loads) {
      if (cores?.some((core) => core < coreCount) !== false) continue;
      const text = `load ${load} of workload ${id} may run on core ${cores.join(', ')} only, and cores 0 to ${coreCount - 1} take part`;
      throw new CoxswainError('CONFIG_INVALID', `${file}: ${text}; take another profile or leave out its cores`);
    }
    const requests = loads.reduce((sum, load) => sum + requestsOf(load, spanUs, costs), 0);
    if (requests <= REQUESTS_MAX) continue;
    const text = `workload ${id} would make about ${Math.round(requests)} requests in ${spanUs / 1e6} s; allowed are ${REQUESTS_MAX}`;
    throw new CoxswainError('CONFIG_INVALID', `${file}: ${text}; simulate a shorter time, or make fewer requests`);
  }
}

/** At most: a closed loop is taken as answered in no longer than a run. */
function requestsOf({ pattern, model }: Load, spanUs: DurationUs, costs: CheckOptions['costs']): number {
  switch (pattern.kind) {
    case 'uniform':
      return spanUs / pattern.periodUs;
    case 'poisson':
      return spanUs / pattern.meanUs;
    case 'trace':
      return pattern.atUs.length * Math.max(1, spanUs / (pattern.repeatUs ?? spanUs));
    case 'closed-loop':
      return (spanUs / Math.max(1, (costs.get(model)?.aloneUs ?? 1) + pattern.thinkUs)) * Math.min(pattern.clients, 64);
    case 'dependent':
      return 0;
  }
}
