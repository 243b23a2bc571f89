import { assert } from '../core/assert.ts';
import { IdMap } from '../core/id-map.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type Stream, type StreamId } from '../core/stream.ts';
import { Timeline } from '../core/timeline.ts';
import { instantUs } from '../core/units.ts';
import { Arrivals } from './arrivals.ts';
import { CoreCosts } from './core-costs.ts';
import { CostEstimate } from './cost-estimate.ts';
import { assertPlan, type ExactCost, type ModelPlan, rowFor, type SchedulerPlan } from './plan.ts';
import { createPolicy } from './policies/registry.ts';
import { ReleasePattern } from './release-pattern.ts';
import { createServers } from './server.ts';
import type { CoreState, GroupState, JobState, ModelState, SchedulerState, StreamState } from './state.ts';
import { WaitingList } from './waiting-list.ts';

/** @param plan checked configuration; a plan that contradicts itself is an assertion failure */
export function createScheduler(plan: SchedulerPlan): SchedulerState {
  assertPlan(plan);
  const policy = createPolicy(plan.policy ?? 'coxswain', plan.tuning ?? {});
  const streams = new Map<StreamId, StreamState>();
  const cores = plan.cores.map(createCore);
  const state: SchedulerState = {
    plan,
    policy,
    now: instantUs(Number.NEGATIVE_INFINITY),
    isStopping: false,
    mode: 'nominal',
    fitsSince: undefined,
    cores,
    coreById: new Map(cores.map((core) => [core.id, core])),
    streams,
    groups: [],
    servers: [],
    jobs: new IdMap(),
    arrivedCount: 0,
    waitingCount: 0,
    rechecks: new Timeline(),
    wakeAt: undefined,
    isHolding: false,
    round: 0,
    startCount: 0,
  };
  const models = createModels(state);
  plan.streams.forEach((stream, index) => {
    streams.set(stream.id, createStream(plan, stream, index, models));
  });
  if (policy.keepsServers === true) state.servers.push(...createServers(plan.servers ?? [], streams));
  for (const { stream, after } of plan.dependencies ?? []) link(streams.get(stream), streams.get(after));
  return state;
}

const createCore = (id: CoreId, index: number): CoreState => ({
  id,
  index,
  isUp: false,
  wasUp: false,
  models: new Set(),
  coldModels: new Set(),
  running: undefined,
  lastJob: undefined,
  downSince: instantUs(Number.NEGATIVE_INFINITY),
  homeStreams: [],
  homeWaitingCount: 0,
  arrivals: new Arrivals(0),
  homeBusRatio: 0,
  expected: undefined,
  hold: undefined,
  held: [],
  reserved: undefined,
});

/** Models with the same list of cores, of which the same are spares, share a group; the groups are put into the state. */
function createModels(state: SchedulerState): readonly ModelState[] {
  const groups = new Map<string, GroupState>();
  const models: ModelState[] = [];
  for (const row of state.plan.models) {
    const key = `${row.cores.join()} but ${row.spares?.join() ?? ''}`;
    const known = groups.get(key);
    const group = known ?? createGroup(state, row);
    if (known === undefined) {
      groups.set(key, group);
      state.groups.push(group);
    }
    const model = createModel(row, group, state.cores.length);
    group.models.push(model);
    group.widthMin = Math.min(group.widthMin, model.width);
    models.push(model);
  }
  return models;
}

function createGroup(state: SchedulerState, row: ModelPlan): GroupState {
  const members = row.cores.map((id) => {
    const core = state.coreById.get(id);
    assert(core !== undefined, 'a placement names cores of the plan');
    return core;
  });
  const { goesBefore, changesOrder } = state.policy;
  const waiting = new WaitingList<JobState>((a, b) => goesBefore(a, b, state), changesOrder);
  return { cores: members, models: [], open: [], waiting, widthMin: Number.POSITIVE_INFINITY, cursor: 0, keptInRound: 0 };
}

function createModel(row: ModelPlan, group: GroupState, coreCount: number): ModelState {
  const exact = row.exactCosts === undefined ? undefined : new Map(row.exactCosts.map((cost) => [cost.core, cost]));
  const costUs = (core: CoreState): number => exact?.get(core.id)?.costUs ?? row.costUs;
  const fastestFirst = [...group.cores].sort((a, b) => costUs(a) - costUs(b));
  const fastest = fastestFirst[0];
  assert(fastest !== undefined, 'a model is placed');
  const { steps } = row;
  const width = row.split ?? 1;
  const isByCore = width === 1 && group.cores.length > 1;
  const places = group.cores.map(({ index }) => index);
  const cost = new CoreCosts(row.costUs, places, isByCore);
  const exactUs = exact === undefined ? undefined : exactByIndex(group.cores, exact);
  return {
    plan: row,
    width,
    busRatio: row.busRatio ?? 0,
    typicalUs: exactUs ?? cost.typicalUs,
    highUs: exactUs ?? cost.highUs,
    cost,
    chunk: new CoreCosts(steps?.kind === 'tokens' ? steps.chunkUs : row.costUs, places, isByCore),
    shareBefore: sharesBefore(steps?.kind === 'blocks' ? steps.shares : [1]),
    group,
    exact,
    fastestFirst,
    isOpen: new Array<boolean>(coreCount).fill(false),
    fastest,
  };
}

/** As `typicalUs` of CoreCosts. */
function exactByIndex(cores: readonly CoreState[], exact: ReadonlyMap<CoreId, ExactCost>): Float64Array {
  const places = Math.max(...cores.map(({ index }) => index)) + 1;
  const us = new Float64Array(places).fill(Number.POSITIVE_INFINITY);
  for (const { id, index } of cores) us[index] = exact.get(id)?.costUs ?? Number.POSITIVE_INFINITY;
  return us;
}

function sharesBefore(shares: readonly number[]): Float64Array {
  const before = new Float64Array(shares.length + 1);
  shares.forEach((share, index) => {
    before[index + 1] = (before[index] as number) + share;
  });
  before[shares.length] = 1;
  return before;
}

function createStream(plan: SchedulerPlan, stream: Stream, index: number, models: readonly ModelState[]): StreamState {
  const modelOf = (id: ModelId): ModelState => {
    const row = rowFor(plan.models, id, stream.id);
    const model = models.find((one) => one.plan === row);
    assert(model !== undefined, 'a model that a stream runs is placed', id);
    return model;
  };
  const model = modelOf(stream.model);
  const variants = (plan.variants ?? []).filter((variant) => variant.stream === stream.id);
  const levels = [model, ...variants.map((variant) => modelOf(variant.model))];
  return {
    stream,
    index,
    rank: criticalityRank(stream.criticality),
    model,
    levels,
    isAlike: [true, ...variants.map(({ isAlike }) => isAlike)],
    level: 0,
    server: undefined,
    open: [],
    tail: new CostEstimate(plan.tailUs),
    releases: new ReleasePattern(stream.periodUs),
    dueFrom: Number.POSITIVE_INFINITY,
    homes: [],
    waiting: [],
    runningCount: 0,
    lossesInARow: 0,
    heldInRound: 0,
    servedInRound: 0,
    roundStarts: 0,
    servedAfter: -1,
    arrivedCount: 0,
    doneCount: 0,
    record: { endedCount: 0, lostCount: 0, valueSum: 0 },
    after: undefined,
    followed: undefined,
  };
}

function link(stream: StreamState | undefined, after: StreamState | undefined): void {
  assert(stream !== undefined && after !== undefined, 'a dependency names streams of the plan');
  stream.after = after;
  after.followed ??= { followers: [], live: new Map(), ends: new Map() };
  after.followed.followers.push(stream);
}
