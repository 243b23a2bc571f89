import type { PipelineConfig, RuntimeConfig } from '../config/runtime-config.ts';
import type { CoreId } from '../core/job.ts';
import type { StreamId } from '../core/stream.ts';
import { type AnalysedOrder, analysedOrder } from '../scheduler/analysis/analysed-order.ts';
import { tokenBound } from '../scheduler/analysis/cbs.ts';
import { type Assurance, boundCore, type CoreBound, type StreamBound } from '../scheduler/analysis/core-bound.ts';
import { shortList } from '../scheduler/analysis/rta.ts';
import { WorkBound } from '../scheduler/analysis/work-bound.ts';
import type { Placement } from '../scheduler/placement.ts';
import type { CoreFit, Fit, PipelineFit, ReserveFit, StreamFit } from './fit.ts';
import { adviceFor, adviceForChip, adviceForPolicy, adviceForTurns } from './fit-advice.ts';
import { chipFit } from './fit-chip.ts';
import type { FitCosts } from './fit-costs.ts';
import { type FactorsAsked, type FactorsFound, findFactors } from './fit-factors.ts';
import { coreGroups, isMoreUrgent, type Lane, lanesOf, loadOf, loadOfGroup, type Reserve } from './fit-lanes.ts';

/** A second or so of one slow core for everything that `check` proves; `fit-factors.ts` has as much again for what to change. */
const PROOF_TERMS_MAX = 50_000_000;

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
  const proof = new WorkBound(PROOF_TERMS_MAX);
  const lanes = lanesOf(config, placement, order.rankOf, costs);
  const chip = chipFit(config, lanes, costs);
  // Every bound is one of the mode's full clock.
  const isProvable = known !== undefined && chip.power?.fits !== false;
  const groups = coreGroups(lanes, [...config.device.cores.keys()]);
  const rows = groups.map((group) => (isProvable ? proven(group, lanes, order, { proof, costs }) : unproven(group, lanes, costs)));
  const found = findFactors(depth === 'verdict' ? [] : rows.flatMap(({ asked }) => asked ?? []));
  const told = rows.map((row) => withFactors(row, found, costs));
  const streams = config.pipelines.flatMap(({ id }) => told.flatMap((row) => row.streams.filter((stream) => stream.id === id)));
  const cores = told.flatMap((row) => row.cores).sort((a, b) => a.core - b.core);
  const assurance = weakestOf(isProvable ? cores.map((row) => row.assurance) : ['none']);
  const unbounded = told.flatMap((row) => row.unbounded);
  const notComputed = [...(unbounded.length === 0 ? [] : [`the bounds of ${shortList(unbounded)}`]), ...found.notComputed];
  return {
    fits: assurance !== 'none' && chip.bus?.fits !== false && chip.memory?.fits !== false && chip.outOfWindow.length === 0,
    assurance,
    policy: { name: policy, isCovered: known !== undefined },
    streams,
    cores,
    ...chip,
    pipelines: config.pipelines.map((pipeline) => reactionOf(pipeline, config, streams)),
    advice: [...(known === undefined ? [adviceForPolicy(config)] : told.flatMap((row) => row.advice)), ...adviceForChip(chip, streams)],
    isCutShort: notComputed.length > 0,
    notComputed,
  };
}

/** Of the cores of one group. */
interface GroupRows {
  readonly cores: readonly CoreFit[];
  /** At home there. */
  readonly streams: readonly StreamFit[];
  readonly advice: readonly string[];
  /** Those that there was no work left for. */
  readonly unbounded: readonly StreamId[];
  /** The factors to find; undefined where nothing can be proven. */
  readonly asked?: FactorsAsked;
}

interface Means {
  readonly proof: WorkBound;
  readonly costs: FitCosts;
}

function proven(group: readonly CoreId[], lanes: readonly Lane[], order: AnalysedOrder, { proof, costs }: Means): GroupRows {
  const bound =
    group.length === 1
      ? boundCore(loadOfGroup(lanes, group, order, { isHeldUpByRest: true }), proof)
      : boundGroup(group, lanes, order, proof);
  const atHome = lanes.filter((lane) => group.includes(lane.home));
  const streams = atHome.map((lane) => streamOf(lane, bound, lanes, costs));
  const lateTurns = streams.filter(isLateTurn);
  const assurance = lateTurns.length > 0 ? 'none' : bound.assurance;
  const missing = proof.isSpent ? bound.streams.filter(({ response, tolerates }) => response === undefined || tolerates === undefined) : [];
  return {
    cores: group.map((core) => ({ core, assurance, loadRatio: loadRatioOn(core, lanes, order), factorNeeded: null })),
    streams,
    advice: lateTurns.map(adviceForTurns),
    unbounded: missing.map(({ id }) => id),
    asked: {
      group,
      // Where cores are held for gangs, runs without a guarantee are kept from them as far as that is foreseen.
      load: loadOfGroup(lanes, group, order, { isHeldUpByRest: group.length === 1 || !order.doesLookAhead }),
      isFitting: bound.assurance !== 'none',
      streams: atHome.flatMap((lane) => (lane.isGuaranteed && lane.reserve === undefined ? [lane.pipeline.id] : [])),
    },
  };
}

function withFactors(row: GroupRows, found: FactorsFound, costs: FitCosts): GroupRows {
  const { asked } = row;
  if (asked === undefined) return row;
  const factorNeeded = found.ofAll.get(asked) ?? null;
  const isComplete = found.ofAll.has(asked) && asked.streams.every((id) => found.ofStream.has(id));
  const streams = row.streams.map((stream) => ({ ...stream, costFactorMax: found.ofStream.get(stream.id) ?? null }));
  return {
    ...row,
    cores: row.cores.map((core) => ({ ...core, factorNeeded })),
    streams,
    advice: [...(asked.isFitting ? [] : [adviceFor(asked.group, streams, { factor: factorNeeded, isComplete }, costs)]), ...row.advice],
  };
}

/**
 * A stream is in time always where it stands what runs without a guarantee do to every gang; where they are held back in time, it is in time as far as that is
 * foreseen, as on one core.
 */
function boundGroup(group: readonly CoreId[], lanes: readonly Lane[], order: AnalysedOrder, work: WorkBound): CoreBound {
  const sure = boundCore(loadOfGroup(lanes, group, order, { isHeldUpByRest: true }), work);
  const foreseen = boundCore(loadOfGroup(lanes, group, order, { isHeldUpByRest: false }), work);
  const streams = foreseen.streams.map((row): StreamBound => {
    const always = sure.streams.find(({ id }) => id === row.id);
    if (always?.assurance === 'always') return always;
    if (foreseen.assurance === 'none' || !order.doesLookAhead) return { ...row, assurance: 'none' };
    return {
      ...row,
      assurance: 'look-ahead',
      response: lanes.find(({ pipeline }) => pipeline.id === row.id)?.taskOn(group[0] ?? 0).deadline,
    };
  });
  return { ...sure, assurance: weakestOf(streams.map(({ assurance }) => assurance)), streams };
}

function unproven(group: readonly CoreId[], lanes: readonly Lane[], costs: FitCosts): GroupRows {
  const nothing: CoreBound = { assurance: 'none', streams: [], loadRatio: 0 };
  return {
    cores: group.map((core) => {
      const isFree = !lanes.some((lane) => lane.isGuaranteed && lane.home === core);
      return { core, assurance: isFree ? 'always' : 'none', loadRatio: loadRatioOn(core, lanes, UNKNOWN_ORDER), factorNeeded: null };
    }),
    streams: lanes.filter((lane) => group.includes(lane.home)).map((lane) => streamOf(lane, nothing, lanes, costs)),
    advice: [],
    unbounded: [],
  };
}

/** Of those whose deadlines are to be kept, and of guests. */
function loadRatioOn(core: CoreId, lanes: readonly Lane[], order: AnalysedOrder): number {
  // Turns without a server are in the way of others as if they asked for all there is; they are promised none of it.
  const apart = lanes.filter((lane) => lane.isOpenEnded !== true).map((lane) => ({ ...lane, width: 1 }));
  const { guaranteed, guests } = loadOf(apart, core, order);
  return [...guaranteed, ...guests].reduce((sum, { cost, period }) => sum + cost / period, 0);
}

/** Its budget is sure, and too small for its first token. */
const isLateTurn = ({ reserve, deadlineUs }: Pick<StreamFit, 'reserve' | 'deadlineUs'>): boolean =>
  (reserve?.firstTokenUs ?? 0) > deadlineUs;

function streamOf(lane: Lane, bound: CoreBound, lanes: readonly Lane[], costs: FitCosts): StreamFit {
  const { pipeline, home, beforeUs, isGuaranteed, bytes, jobsPerSecond } = lane;
  const found = bound.streams.find(({ id }) => id === pipeline.id);
  const more = bound.streams.filter(({ id }) => isMoreUrgent(lanes, id, lane));
  const run = more.reduce((least, { tolerates }) => Math.min(least, tolerates ?? 0), Number.POSITIVE_INFINITY);
  const reserve = lane.reserve === undefined ? undefined : reserveFit(lane, lane.reserve, found, costs);
  const responseUs =
    reserve !== undefined ? reserve.firstTokenUs : found?.response === undefined ? null : Math.ceil(found.response + beforeUs);
  const { deadlineUs } = pipeline.stream;
  const shown = reserve === undefined ? {} : { reserve };
  return {
    id: pipeline.id,
    criticality: pipeline.stream.criticality,
    core: home,
    assurance: isLateTurn({ ...shown, deadlineUs }) ? 'none' : (found?.assurance ?? (isGuaranteed ? 'none' : 'unguarded')),
    responseUs,
    deadlineUs,
    costUs: lane.reserve === undefined ? lane.taskOn(home).segment : costs.of(lane.place, home).worstUs,
    busBytesPerSecond: bytes === undefined ? null : bytes * jobsPerSecond,
    blockingUs: found?.blocking ?? null,
    toleratesUs: found?.tolerates ?? null,
    runUsMax: Number.isFinite(run) ? run : null,
    costFactorMax: null,
    ...shown,
  };
}

function reserveFit({ pipeline, place, home }: Lane, reserve: Reserve, found: StreamBound | undefined, costs: FitCosts): ReserveFit {
  const { server, budgetUs, periodUs, promptUs } = reserve;
  const isSure = found !== undefined && found.assurance !== 'none';
  const { worstUs } = costs.of(place, home);
  const within = (us: number | undefined): number | null =>
    isSure && us !== undefined ? Math.ceil(tokenBound(us, budgetUs, periodUs)) : null;
  return { server, budgetUs, periodUs, stepUs: within(worstUs), firstTokenUs: within(promptUs), isToken: pipeline.answer !== undefined };
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
  const fit = streams.find(({ id, reserve }) => id === pipeline.id && reserve === undefined);
  // A response counts from capture, so it contains those of the hops before; only the first hop samples.
  return { id: pipeline.id, hops, reactionUs: fit?.responseUs == null ? null : periodUs + fit.responseUs };
}
