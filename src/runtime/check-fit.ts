import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import { type AnalysedOrder, analysedOrder } from '../scheduler/analysis/analysed-order.ts';
import { type Assurance, boundCore, type CoreBound, type CoreLoad } from '../scheduler/analysis/core-bound.ts';
import { factorOfAll, largestFactor } from '../scheduler/analysis/sensitivity.ts';
import { WorkBound } from '../scheduler/analysis/work-bound.ts';
import type { Placement } from '../scheduler/placement.ts';
import type { CoreFit, Fit, PipelineFit, StreamFit } from './fit.ts';
import { adviceFor, adviceForChip, adviceForPolicy } from './fit-advice.ts';
import { chipFit } from './fit-chip.ts';
import type { FitCosts } from './fit-costs.ts';
import { isMoreUrgent, type Lane, lanesOf, loadOf } from './fit-lanes.ts';

/** A second or two of one slow core for everything that `check` proves, and as much again for what it suggests. */
const PROOF_TERMS_MAX = 50_000_000;
const SENSITIVITY_TERMS_MAX = 50_000_000;

/** Stands in where no bound is known, so that loads can be told all the same. */
const UNKNOWN_ORDER: AnalysedOrder = { rankOf: () => 0, isBlindToClasses: false, doesLookAhead: false };

/**
 * Proves what can be proven of a placed configuration; docs/analysis.md says what is assumed. Starts nothing. `verdict` leaves out what to change, which takes
 * most of the time: factors are null then.
 */
export function checkFit(config: RuntimeConfig, placement: Placement, costs: FitCosts, depth: 'verdict' | 'advice' = 'advice'): Fit {
  const { policy, tuning } = config.scheduler;
  const known = analysedOrder(
    policy,
    tuning,
    config.pipelines.map(({ stream }) => stream),
  );
  const order = known ?? UNKNOWN_ORDER;
  const advice = depth === 'verdict' ? undefined : new WorkBound(SENSITIVITY_TERMS_MAX);
  const work = { proof: new WorkBound(PROOF_TERMS_MAX), advice };
  const lanes = lanesOf(config, placement, order.rankOf, costs);
  const chip = chipFit(config, lanes, costs);
  // Every bound is one of the mode's full clock.
  const isProvable = known !== undefined && chip.power?.fits !== false;
  const rows = [...config.device.cores.keys()].map((core) => {
    const load = loadOf(lanes, core, order);
    return !isProvable ? unproven(core, load, lanes) : proven(core, load, lanes, { work, costs });
  });
  const streams = config.pipelines.flatMap(({ id }) => rows.flatMap((row) => row.streams.filter((stream) => stream.id === id)));
  const assurance = weakestOf(isProvable ? rows.map((row) => row.core.assurance) : ['none']);
  return {
    fits: assurance !== 'none' && chip.bus?.fits !== false && chip.memory?.fits !== false,
    assurance,
    policy: { name: policy, isCovered: known !== undefined },
    streams,
    cores: rows.map((row) => row.core),
    ...chip,
    pipelines: config.pipelines.map((pipeline) => reactionOf(pipeline, config, streams)),
    advice: [...(known === undefined ? [adviceForPolicy(config)] : rows.flatMap((row) => row.advice)), ...adviceForChip(chip, streams)],
    isCutShort: work.proof.isSpent || advice?.isSpent === true,
  };
}

interface CoreRows {
  readonly core: CoreFit;
  /** At home there. */
  readonly streams: readonly StreamFit[];
  readonly advice: readonly string[];
}

interface Means {
  readonly work: { readonly proof: WorkBound; readonly advice: WorkBound | undefined };
  readonly costs: FitCosts;
}

function proven(core: CoreId, load: CoreLoad, lanes: readonly Lane[], { work, costs }: Means): CoreRows {
  const bound = boundCore(load, work.proof);
  const isFitting = bound.assurance !== 'none';
  const { advice } = work;
  const factorNeeded = isFitting || advice === undefined ? null : factorOfAll(load, advice);
  const streams = lanes
    .filter((lane) => lane.home === core)
    .map((lane) => ({
      ...streamOf(lane, bound, lanes),
      costFactorMax: lane.isGuaranteed && advice !== undefined ? largestFactor(load, lane.pipeline.id, advice) : null,
    }));
  return {
    core: { core, assurance: bound.assurance, loadRatio: bound.loadRatio, factorNeeded },
    streams,
    advice: isFitting ? [] : [adviceFor(core, streams, factorNeeded, costs)],
  };
}

function unproven(core: CoreId, { guaranteed, guests }: CoreLoad, lanes: readonly Lane[]): CoreRows {
  const loadRatio = [...guaranteed, ...guests].reduce((sum, { cost, period }) => sum + cost / period, 0);
  const assurance: Assurance = guaranteed.length === 0 ? 'always' : 'none';
  const nothing: CoreBound = { assurance, streams: [], loadRatio };
  return {
    core: { core, assurance, loadRatio, factorNeeded: null },
    streams: lanes.filter((lane) => lane.home === core).map((lane) => streamOf(lane, nothing, lanes)),
    advice: [],
  };
}

function streamOf(lane: Lane, bound: CoreBound, lanes: readonly Lane[]): StreamFit {
  const { pipeline, home, beforeUs, isGuaranteed, bytes, jobsPerSecond } = lane;
  const found = bound.streams.find(({ id }) => id === pipeline.id);
  const more = bound.streams.filter(({ id }) => isMoreUrgent(lanes, id, lane));
  const run = more.reduce((least, { tolerates }) => Math.min(least, tolerates ?? 0), Number.POSITIVE_INFINITY);
  return {
    id: pipeline.id,
    criticality: pipeline.stream.criticality,
    core: home,
    assurance: found?.assurance ?? (isGuaranteed ? 'none' : 'unguarded'),
    responseUs: found?.response === undefined ? null : Math.ceil(found.response + beforeUs),
    deadlineUs: pipeline.stream.deadlineUs,
    costUs: lane.taskOn(home).segment,
    busBytesPerSecond: bytes === undefined ? null : bytes * jobsPerSecond,
    blockingUs: found?.blocking ?? null,
    toleratesUs: found?.tolerates ?? null,
    runUsMax: Number.isFinite(run) ? run : null,
    costFactorMax: null,
  };
}

function weakestOf(assurances: readonly Assurance[]): Assurance {
  if (assurances.includes('none')) return 'none';
  return assurances.includes('look-ahead') ? 'look-ahead' : 'always';
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
