import { type DurationUs, durationUs } from '../../core/units.ts';
import type { ModelPlan } from '../../scheduler/scheduler.ts';
import type { JobCost } from './cost-table.ts';

/** What it costs that a run is interrupted and goes on later: a time, and a share of the run. */
export interface Preemption {
  readonly switchUs: number;
  /** 0..1 */
  readonly switchRatio: number;
}

export const FREE: Preemption = { switchUs: 0, switchRatio: 0 };

/**
 * Borders of a run, all alike. XRBench's costs are of whole models, which have some tens to some hundreds of layers; with a border at every hundredth, a run
 * leaves half a millisecond after it is told for most (DR_RGBd_200 on WS takes 31 to 61 ms), and 6 ms for the longest (ASR_EM).
 */
export const STEPS = 100;

/** What interrupting a run of a model costs, in time; the share is of the run on the slowest of its accelerators. */
export function switchUsOf({ switchUs, switchRatio }: Preemption, costs: readonly JobCost[]): number {
  return switchUs + switchRatio * Math.max(...costs.map(({ latencyUs }) => latencyUs));
}

/** As the scheduler is told. */
export function stepsOf(preemption: Preemption, costs: readonly JobCost[]): NonNullable<ModelPlan['steps']> {
  const priceUs: DurationUs = durationUs(switchUsOf(preemption, costs));
  return {
    kind: 'blocks',
    shares: Array.from({ length: STEPS }, () => 1 / STEPS),
    switchUs: new Array<DurationUs>(STEPS - 1).fill(priceUs),
  };
}
