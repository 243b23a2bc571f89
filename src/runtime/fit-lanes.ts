import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { StepPlan } from '../core/step-plan.ts';
import type { AnalysedOrder } from '../scheduler/analysis/analysed-order.ts';
import type { CoreLoad, CoreTask } from '../scheduler/analysis/core-bound.ts';
import { COST_MARGIN, OFF_CORE_RATIO_MAX, OFF_CORE_US } from '../scheduler/hard-set.ts';
import type { Placement } from '../scheduler/placement.ts';

/** A pipeline on its cores, as the analysis sees it. */
export interface Lane {
  readonly pipeline: PipelineConfig;
  readonly home: CoreId;
  /** All cores that have its model. */
  readonly cores: readonly CoreId[];
  readonly task: CoreTask;
  /** The most that an interruption of it costs the core. */
  readonly switchUs: number;
  /** What passes off the core: preparing the frame, waiting for the parent, decoding. */
  readonly beforeUs: number;
  readonly isGuaranteed: boolean;
}

/**
 * How much earlier than its latest nominal release a job may come: what preparing a frame takes more or less, no more than look-ahead grants a late release
 * (release-pattern.ts).
 */
const RELEASE_SPREAD_US = 4_000;

export function lanesOf(config: RuntimeConfig, placement: Placement, rankOf: AnalysedOrder['rankOf']): Lane[] {
  return config.pipelines.map((pipeline) => {
    const { stream } = pipeline;
    const model = config.models.find(({ id }) => id === stream.model);
    const cores = placement.models.find((placed) => placed.model === stream.model)?.cores ?? [0];
    const run = Math.ceil((model?.costUs ?? 0) * COST_MARGIN);
    const { segment, last, switchUs } = piecesOf(run, model?.steps);
    const { items, periodUs, parentUs } = originOf(pipeline, config);
    const offCoreUs = Math.min(OFF_CORE_US, stream.deadlineUs * OFF_CORE_RATIO_MAX);
    const beforeUs = Math.ceil(parentUs + offCoreUs);
    const task: CoreTask = {
      id: stream.id,
      rank: rankOf(stream.id),
      cost: items * run,
      run,
      segment,
      last,
      period: periodUs,
      deadline: stream.deadlineUs - beforeUs,
      early: Math.ceil(parentUs + Math.min(RELEASE_SPREAD_US, offCoreUs)),
    };
    return { pipeline, home: cores[0] ?? 0, cores, task, switchUs, beforeUs, isGuaranteed: stream.criticality !== 'background' };
  });
}

/** What of a run cannot be interrupted. A block that begins after an interruption has to fetch what was put away first. */
function piecesOf(
  run: number,
  steps: StepPlan | undefined,
): { readonly segment: number; readonly last: number; readonly switchUs: number } {
  if (steps?.kind !== 'blocks') return { segment: run, last: run, switchUs: 0 };
  const switchUs = Math.max(0, ...steps.switchUs);
  const blockUs = (share: number): number => Math.ceil(share * run) + switchUs;
  return { segment: Math.max(...steps.shares.map(blockUs)), last: blockUs(steps.shares.at(-1) ?? 1), switchUs };
}

interface Origin {
  /** Jobs that may come of one capture. */
  readonly items: number;
  /** Of the source. */
  readonly periodUs: number;
  /** By when the result that they come of is there; after its own deadline it is not waited for. */
  readonly parentUs: number;
}

function originOf(pipeline: PipelineConfig, config: RuntimeConfig): Origin {
  const { input, stream } = pipeline;
  if (input.kind === 'source') return { items: 1, periodUs: stream.periodUs, parentUs: 0 };
  const parent = config.pipelines.find(({ id }) => id === input.pipeline);
  if (parent === undefined) return { items: input.itemsMax, periodUs: stream.periodUs, parentUs: 0 };
  const origin = originOf(parent, config);
  return { items: origin.items * input.itemsMax, periodUs: origin.periodUs, parentUs: parent.stream.deadlineUs };
}

/** Where an order knows no classes, what has no guarantee is as much in the way as everybody else. */
export function loadOf(
  lanes: readonly Lane[],
  core: CoreId,
  { isBlindToClasses, doesLookAhead }: Pick<AnalysedOrder, 'isBlindToClasses' | 'doesLookAhead'>,
): CoreLoad {
  const here = lanes.filter((lane) => lane.cores.includes(core));
  const guaranteed = here.filter((lane) => lane.isGuaranteed && lane.home === core);
  const guests = here.filter((lane) => (lane.isGuaranteed ? lane.home !== core : isBlindToClasses));
  // Each release interrupts one run at most, which then has to fetch what was put away.
  const switchUs = Math.max(0, ...here.map((lane) => lane.switchUs));
  const withSwitch = ({ task }: Lane): CoreTask => ({ ...task, cost: task.cost + switchUs });
  return {
    guaranteed: guaranteed.map(withSwitch),
    guests: guests.map(withSwitch),
    rest: isBlindToClasses ? [] : here.filter((lane) => !lane.isGuaranteed).map(({ task: { id, run } }) => ({ id, segment: run })),
    doesLookAhead,
  };
}

/** Whom a run of this lane must not hurt: those of higher rank, and those of the same rank whose deadline is shorter. */
export function isMoreUrgent(lanes: readonly Lane[], id: string, lane: Lane): boolean {
  const other = lanes.find(({ pipeline }) => pipeline.id === id);
  if (other === undefined || other === lane) return false;
  return other.task.rank < lane.task.rank || (other.task.rank === lane.task.rank && other.task.deadline < lane.task.deadline);
}
