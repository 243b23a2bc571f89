import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import { type Criticality, criticalityRank, type StreamId } from '../core/stream.ts';
import type { ClassTask } from '../scheduler/analysis/class-bound.ts';
import { type Assurance, boundCore, type CoreLoad } from '../scheduler/analysis/core-bound.ts';
import { factorOfAll, largestFactor } from '../scheduler/analysis/sensitivity.ts';
import { WorkBound } from '../scheduler/analysis/work-bound.ts';
import { COST_MARGIN, OFF_CORE_RATIO_MAX, OFF_CORE_US } from '../scheduler/hard-set.ts';
import type { Placement } from '../scheduler/placement.ts';

/** What is proven of one stream. Spans are in microseconds; null means that there is none or that it was not found. */
export interface StreamFit {
  readonly id: StreamId;
  readonly criticality: Criticality;
  /** Where its model is at home. */
  readonly core: CoreId;
  /** `unguarded`: background work, which gets what is left and is promised nothing. */
  readonly assurance: Assurance | 'unguarded';
  /** From capture to result, at worst. */
  readonly responseUs: number | null;
  readonly deadlineUs: number;
  /** What one run was reckoned with. */
  readonly costUs: number;
  /** The longest less urgent run that may begin just before a job of it. */
  readonly blockingUs: number | null;
  /** The longest less urgent run that it stands. */
  readonly toleratesUs: number | null;
  /** Q: the longest run that it may itself make without preemption and without ever having to be held for somebody more urgent; null: any length. */
  readonly runUsMax: number | null;
  /** What its cost may be multiplied with, everything else as it is, and all still fits; below 1 when it does not fit now; null when no factor helps, or unknown. */
  readonly costFactorMax: number | null;
}

export interface CoreFit {
  readonly core: CoreId;
  readonly assurance: Assurance;
  /** Of the streams whose deadlines are to be kept, guests from other cores included. */
  readonly loadRatio: number;
  /** What all costs here must be multiplied with to fit; null when it fits, or when nothing helps. */
  readonly factorNeeded: number | null;
}

export interface PipelineFit {
  readonly id: StreamId;
  /** The pipelines on the way, from the source. */
  readonly hops: readonly StreamId[];
  /** From a change in the world to the result at worst: one period of the source and the response of the last hop, which counts from capture. */
  readonly reactionUs: number | null;
}

export interface Fit {
  readonly fits: boolean;
  readonly assurance: Assurance;
  readonly streams: readonly StreamFit[];
  readonly cores: readonly CoreFit[];
  readonly pipelines: readonly PipelineFit[];
  /** What to change first, a sentence each; empty when everything fits. */
  readonly advice: readonly string[];
  /** The bound on work was reached: what is null may just not have been computed. */
  readonly isCutShort: boolean;
}

/**
 * How much earlier than its latest nominal release a job may come: what preparing a frame takes more or less, no more than look-ahead grants a late release
 * (release-pattern.ts).
 */
const RELEASE_SPREAD_US = 4_000;

/** A second or two of one slow core for everything that `check` proves, and as much again for what it suggests. */
const PROOF_TERMS_MAX = 50_000_000;
const SENSITIVITY_TERMS_MAX = 50_000_000;

/** Proves what can be proven of a placed configuration; docs/analysis.md says what is assumed. Starts nothing. */
export function checkFit(config: RuntimeConfig, placement: Placement): Fit {
  const proof = new WorkBound(PROOF_TERMS_MAX);
  const costly = new WorkBound(SENSITIVITY_TERMS_MAX);
  const lanes = lanesOf(config, placement);
  const streams: StreamFit[] = [];
  const cores: CoreFit[] = [];
  const advice: string[] = [];
  for (const core of config.device.cores.keys()) {
    const load = loadOf(lanes, core);
    const bound = boundCore(load, proof);
    const isFitting = bound.assurance !== 'none';
    const factorNeeded = isFitting ? null : factorOfAll(load, costly);
    cores.push({ core, assurance: bound.assurance, loadRatio: bound.loadRatio, factorNeeded });
    const here: StreamFit[] = lanes
      .filter((lane) => lane.home === core)
      .map((lane) => {
        const found = bound.streams.find(({ id }) => id === lane.pipeline.id);
        const more = bound.streams.filter(({ id }) => isMoreUrgent(lanes, id, lane));
        const run = more.reduce((least, { tolerates }) => Math.min(least, tolerates ?? 0), Number.POSITIVE_INFINITY);
        return {
          id: lane.pipeline.id,
          criticality: lane.pipeline.stream.criticality,
          core,
          assurance: found?.assurance ?? 'unguarded',
          responseUs: found?.response === undefined ? null : Math.ceil(found.response + lane.beforeUs),
          deadlineUs: lane.pipeline.stream.deadlineUs,
          costUs: lane.task.segment,
          blockingUs: found?.blocking ?? null,
          toleratesUs: found?.tolerates ?? null,
          runUsMax: Number.isFinite(run) ? run : null,
          costFactorMax: found === undefined ? null : largestFactor(load, lane.pipeline.id, costly),
        };
      });
    streams.push(...here);
    if (!isFitting) advice.push(adviceFor(core, here, factorNeeded));
  }
  const inOrder = config.pipelines.flatMap(({ id }) => streams.filter((stream) => stream.id === id));
  const assurances = cores.map(({ assurance }) => assurance);
  const assurance: Assurance = assurances.includes('none') ? 'none' : assurances.includes('look-ahead') ? 'look-ahead' : 'always';
  return {
    fits: assurance !== 'none',
    assurance,
    streams: inOrder,
    cores,
    pipelines: config.pipelines.map((pipeline) => reactionOf(pipeline, config, inOrder)),
    advice,
    isCutShort: proof.isSpent || costly.isSpent,
  };
}

/** A pipeline on its cores. */
interface Lane {
  readonly pipeline: PipelineConfig;
  readonly home: CoreId;
  /** All cores that have its model. */
  readonly cores: readonly CoreId[];
  readonly task: ClassTask;
  /** What passes off the core: preparing the frame, waiting for the parent, decoding. */
  readonly beforeUs: number;
  readonly isGuaranteed: boolean;
}

function lanesOf(config: RuntimeConfig, placement: Placement): Lane[] {
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
      rank: criticalityRank(stream.criticality),
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

function loadOf(lanes: readonly Lane[], core: CoreId): CoreLoad {
  const here = lanes.filter((lane) => lane.cores.includes(core));
  const guarded = here.filter((lane) => lane.isGuaranteed);
  return {
    guaranteed: guarded.filter((lane) => lane.home === core).map(({ task }) => task),
    guests: guarded.filter((lane) => lane.home !== core).map(({ task }) => task),
    rest: here.filter((lane) => !lane.isGuaranteed).map(({ task: { id, segment } }) => ({ id, segment })),
  };
}

/** Whom look-ahead protects from a run of this lane: the same or a higher class. */
function isMoreUrgent(lanes: readonly Lane[], id: StreamId, lane: Lane): boolean {
  const other = lanes.find(({ pipeline }) => pipeline.id === id);
  if (other === undefined || other === lane) return false;
  return other.task.rank < lane.task.rank || (other.task.rank === lane.task.rank && other.task.deadline < lane.task.deadline);
}

function adviceFor(core: CoreId, streams: readonly StreamFit[], factorNeeded: number | null): string {
  const best = streams.filter((stream) => stream.costFactorMax !== null).sort((a, b) => (b.costFactorMax ?? 0) - (a.costFactorMax ?? 0))[0];
  const late = streams.filter(({ assurance }) => assurance === 'none').map(({ id }) => id);
  const lead = `core ${core}: no bound within the deadline for ${late.join(', ')}`;
  if (best?.costFactorMax !== null && best !== undefined) {
    const ms = Math.floor((best.costUs / COST_MARGIN) * best.costFactorMax * 0.01) / 10;
    return `${lead}; first make ${best.id} cheaper, to a costMs of ${ms} (factor ${best.costFactorMax}), or move it to another core`;
  }
  if (factorNeeded !== null)
    return `${lead}; no stream alone is to blame: all costs must come down to ${Math.floor(factorNeeded * 100)} %, or one of the streams must go to another core`;
  return `${lead}; no lower cost helps: give a longer deadline, or take streams away`;
}

function reactionOf(pipeline: PipelineConfig, config: RuntimeConfig, streams: readonly StreamFit[]): PipelineFit {
  const hops: StreamId[] = [];
  let at: PipelineConfig | undefined = pipeline;
  let periodUs: number = pipeline.stream.periodUs;
  while (at !== undefined) {
    hops.unshift(at.id);
    periodUs = at.stream.periodUs;
    const input: PipelineConfig['input'] = at.input;
    at = input.kind === 'pipeline' ? config.pipelines.find(({ id }) => id === input.pipeline) : undefined;
  }
  const fit = streams.find(({ id }) => id === pipeline.id);
  // A response counts from capture, so it contains those of the hops before; only the first hop samples.
  return { id: pipeline.id, hops, reactionUs: fit?.responseUs == null ? null : periodUs + fit.responseUs };
}
