import type { LeafSource, PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { AnalysedOrder } from '../scheduler/analysis/analysed-order.ts';
import type { CoreLoad, CoreTask } from '../scheduler/analysis/core-bound.ts';
import type { Placement } from '../scheduler/placement.ts';
import type { FitCosts } from './fit-costs.ts';

/** A pipeline on its cores, as the analysis sees it. */
export interface Lane {
  readonly pipeline: PipelineConfig;
  readonly home: CoreId;
  /** All cores that its jobs may run on while none is lost. */
  readonly cores: readonly CoreId[];
  /** The same work may take longer on another core. */
  readonly taskOn: (core: CoreId) => CoreTask;
  /** The most that an interruption of it costs the core. */
  readonly switchUsOn: (core: CoreId) => number;
  /** What passes off the core: preparing the frame, waiting for the parent, decoding. */
  readonly beforeUs: number;
  /** Moved by one job at home, and taken beside idle power; undefined when not known. */
  readonly bytes: number | undefined;
  readonly joules: number | undefined;
  /** The most power that it takes while it runs, beside idle power. */
  readonly peakW: number | undefined;
  /** Jobs of it that may be worked on at once: two rounds, and more where they may come closer than a period. */
  readonly jobsAtOnce: number;
  /** Jobs a second, in the long run. */
  readonly jobsPerSecond: number;
  readonly isGuaranteed: boolean;
}

export function lanesOf(config: RuntimeConfig, placement: Placement, rankOf: AnalysedOrder['rankOf'], costs: FitCosts): Lane[] {
  return config.pipelines.map((pipeline) => {
    const { stream } = pipeline;
    const placed = placement.models.find(({ model }) => model === stream.model);
    // A spare serves only when a core is lost, and no bound holds then anyway.
    const cores = placed?.cores.filter((core) => !placed.spares.includes(core)) ?? [0];
    const home = cores[0] ?? 0;
    const { items, periodUs, jitterUs, parentUs } = originOf(pipeline, config);
    const offCore = costs.offCore(pipeline);
    const beforeUs = Math.ceil(parentUs + offCore.us);
    const taskOn = (core: CoreId): CoreTask => {
      const cost = costs.of(stream.model, core);
      return {
        id: stream.id,
        rank: rankOf(stream.id),
        cost: items * cost.worstUs,
        run: cost.worstUs,
        segment: cost.segmentUs,
        last: cost.lastUs,
        period: periodUs,
        deadline: stream.deadlineUs - beforeUs,
        early: Math.ceil(parentUs + offCore.spreadUs),
        jitter: jitterUs,
      };
    };
    const switchUsOn = (core: CoreId): number => costs.of(stream.model, core).switchUs;
    const { bytes, joules, peakW } = costs.of(stream.model, home);
    const jobsAtOnce = items * (2 + jitterUs / periodUs);
    const isGuaranteed = stream.criticality !== 'background';
    return {
      pipeline,
      home,
      cores,
      taskOn,
      switchUsOn,
      beforeUs,
      bytes,
      joules,
      peakW,
      jobsAtOnce,
      jobsPerSecond: (items * 1e6) / periodUs,
      isGuaranteed,
    };
  });
}

interface Origin {
  /** Jobs that may come at once of one tick of the source. */
  readonly items: number;
  /** Of the source. */
  readonly periodUs: number;
  /** How much later than its tick a frame may come. */
  readonly jitterUs: number;
  /** By when the result that they come of is there; after its own deadline it is not waited for. */
  readonly parentUs: number;
}

function originOf({ input, stream }: PipelineConfig, config: RuntimeConfig): Origin {
  if (input.kind === 'source') {
    const unsteady = config.sources.find(({ id }) => id === input.source);
    const leaves: readonly LeafSource[] = unsteady === undefined ? [] : unsteady.kind === 'first-of' ? unsteady.sources : [unsteady];
    const synthetic = leaves.flatMap((leaf) => (leaf.kind === 'synthetic' ? [leaf] : []));
    return {
      items: Math.max(1, ...synthetic.map(({ burstRatio, burstFrames }) => (burstRatio > 0 ? burstFrames : 1))),
      periodUs: stream.periodUs,
      jitterUs: Math.ceil(Math.max(0, ...synthetic.map(({ jitterRatio }) => jitterRatio)) * stream.periodUs),
      parentUs: 0,
    };
  }
  const parent = config.pipelines.find(({ id }) => id === input.pipeline);
  if (parent === undefined) return { items: input.itemsMax, periodUs: stream.periodUs, jitterUs: 0, parentUs: 0 };
  const origin = originOf(parent, config);
  return { ...origin, items: origin.items * input.itemsMax, parentUs: parent.stream.deadlineUs };
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
  const rest = isBlindToClasses ? [] : here.filter((lane) => !lane.isGuaranteed);
  // Each release interrupts one run at most, which then has to fetch what was put away.
  const switchUs = Math.max(0, ...here.map((lane) => lane.switchUsOn(core)));
  const withSwitch = (lane: Lane): CoreTask => {
    const task = lane.taskOn(core);
    return { ...task, cost: task.cost + switchUs };
  };
  return {
    guaranteed: guaranteed.map(withSwitch),
    guests: guests.map(withSwitch),
    rest: rest.map((lane) => lane.taskOn(core)).map(({ id, run }) => ({ id, segment: run })),
    doesLookAhead,
  };
}

/** Whom a run of this lane must not hurt: those of higher rank, and those of the same rank whose deadline is shorter. */
export function isMoreUrgent(lanes: readonly Lane[], id: string, lane: Lane): boolean {
  const other = lanes.find(({ pipeline }) => pipeline.id === id);
  if (other === undefined || other === lane) return false;
  const [theirs, mine] = [other.taskOn(other.home), lane.taskOn(lane.home)];
  return theirs.rank < mine.rank || (theirs.rank === mine.rank && theirs.deadline < mine.deadline);
}
