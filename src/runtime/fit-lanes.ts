import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { AnalysedOrder } from '../scheduler/analysis/analysed-order.ts';
import type { ClassTask } from '../scheduler/analysis/class-bound.ts';
import type { CoreLoad } from '../scheduler/analysis/core-bound.ts';
import { COST_MARGIN, OFF_CORE_RATIO_MAX, OFF_CORE_US } from '../scheduler/hard-set.ts';
import type { Placement } from '../scheduler/placement.ts';

/** A pipeline on its cores, as the analysis sees it. */
export interface Lane {
  readonly pipeline: PipelineConfig;
  readonly home: CoreId;
  /** All cores that have its model. */
  readonly cores: readonly CoreId[];
  readonly task: ClassTask;
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
    const segment = Math.ceil((model?.costUs ?? 0) * COST_MARGIN);
    const { items, periodUs, parentUs } = originOf(pipeline, config);
    const offCoreUs = Math.min(OFF_CORE_US, stream.deadlineUs * OFF_CORE_RATIO_MAX);
    const beforeUs = Math.ceil(parentUs + offCoreUs);
    const task: ClassTask = {
      id: stream.id,
      rank: rankOf(stream.id),
      cost: items * segment,
      segment,
      period: periodUs,
      deadline: stream.deadlineUs - beforeUs,
      early: Math.ceil(parentUs + Math.min(RELEASE_SPREAD_US, offCoreUs)),
    };
    return { pipeline, home: cores[0] ?? 0, cores, task, beforeUs, isGuaranteed: stream.criticality !== 'background' };
  });
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
  return {
    guaranteed: guaranteed.map(({ task }) => task),
    guests: guests.map(({ task }) => task),
    rest: isBlindToClasses ? [] : here.filter((lane) => !lane.isGuaranteed).map(({ task: { id, segment } }) => ({ id, segment })),
    doesLookAhead,
  };
}

/** Whom a run of this lane must not hurt: those of higher rank, and those of the same rank whose deadline is shorter. */
export function isMoreUrgent(lanes: readonly Lane[], id: string, lane: Lane): boolean {
  const other = lanes.find(({ pipeline }) => pipeline.id === id);
  if (other === undefined || other === lane) return false;
  return other.task.rank < lane.task.rank || (other.task.rank === lane.task.rank && other.task.deadline < lane.task.deadline);
}
