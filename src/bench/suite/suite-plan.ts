import { assert } from '../../core/assert.ts';
import type { Workload } from '../../core/bench-suite.ts';
import type { CoreId } from '../../core/job.ts';
import type { ModelId } from '../../core/model.ts';
import type { StepPlan } from '../../core/step-plan.ts';
import type { Stream } from '../../core/stream.ts';
import { type DurationUs, durationFromMs, durationUs } from '../../core/units.ts';
import { type ModelPlan, PLAN_DEFAULTS, type PolicyName, type PolicyTuning, type SchedulerPlan } from '../../scheduler/scheduler.ts';

export interface PlanOptions {
  readonly policy: PolicyName;
  readonly tuning: PolicyTuning;
  readonly cores: readonly CoreId[];
  /** Of every model that a load names: one run with the chip to itself, and how it is divided. */
  readonly costs: ReadonlyMap<ModelId, { readonly aloneUs: DurationUs; readonly plan: StepPlan | undefined }>;
}

const HANG_US = durationFromMs(600_000);

/** Each load is a stream of its own name; a model may run on every core that one of its loads may use. Nothing goes on off the cores. */
export function planOf({ loads, reserves }: Workload, { policy, tuning, cores, costs }: PlanOptions): SchedulerPlan {
  const models = [...new Set(loads.map(({ model }) => model))];
  return {
    ...PLAN_DEFAULTS,
    tailUs: durationUs(0),
    // Simulated cores do not hang, and some are slowed down far beyond what was expected of them.
    timeouts: { floorUs: HANG_US, factor: 1, ceilingUs: HANG_US },
    policy,
    tuning,
    // As NPUs can that work off a list of commands: the next ones can be taken back, the one under way cannot.
    preemption: { kind: 'between-steps' },
    cores,
    streams: loads.map(
      (load): Stream => ({
        id: load.id,
        model: load.model,
        criticality: load.criticality,
        // Only cameras and their like come in a rhythm that can be learnt; of the others any moment may bring the next.
        periodUs: durationUs(load.pattern.kind === 'uniform' ? Math.round(load.pattern.periodUs) : 0),
        deadlineUs: load.deadlineUs,
        freshness: { kind: 'queue', jobsMax: load.queueMax },
        isStateful: false,
        ...(load.tokens === undefined ? {} : { tokens: load.tokens }),
      }),
    ),
    // A play of some of the loads leaves out what is kept for others.
    servers: reserves
      .map(({ loads: kept, ...reserve }) => ({ ...reserve, streams: kept.filter((id) => loads.some((load) => load.id === id)) }))
      .filter(({ streams }) => streams.length > 0),
    models: models.map((model): ModelPlan => {
      const cost = costs.get(model);
      assert(cost !== undefined, `it is known what ${model} costs`);
      const own = loads.filter((load) => load.model === model).map((load) => load.cores);
      return {
        model,
        cores: cores.filter((core) => own.some((named) => named === undefined || named.includes(core))),
        costUs: cost.aloneUs,
        ...(cost.plan === undefined ? {} : { steps: cost.plan }),
      };
    }),
  };
}
