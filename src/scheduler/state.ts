import { assert } from '../core/assert.ts';
import { Heap } from '../core/heap.ts';
import type { CoreId, Job, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import { criticalityRank, type Stream, type StreamId } from '../core/stream.ts';
import { type InstantUs, instantUs } from '../core/units.ts';
import { CostEstimate } from './cost-estimate.ts';
import type { Ordered } from './job-order.ts';
import { assertPlan, type ModelPlan, type SchedulerPlan } from './plan.ts';
import { ReleasePattern } from './release-pattern.ts';
import { WaitingList } from './waiting-list.ts';

/** arrived -> waiting -> running -> decoding -> ended (then it is forgotten). A lost core puts a running job back to waiting. */
export type JobPhase = 'waiting' | 'running' | 'decoding' | 'ended';

export interface JobState extends Ordered {
  readonly job: Job;
  readonly stream: StreamState;
  readonly arrivedAt: InstantUs;
  phase: JobPhase;
  attempts: number;
  startedAt: InstantUs;
  segmentDoneAt: InstantUs;
  /** Whether this run is the first of its model on its core, whose time says little about the next. */
  isCold: boolean;
  /** When it will next be asked whether it can still finish; identifies the entry of the recheck heap that counts. */
  recheckAt: number;
}

export interface ModelState {
  readonly plan: ModelPlan;
  readonly cost: CostEstimate;
  readonly group: GroupState;
}

export interface StreamState {
  readonly stream: Stream;
  readonly rank: number;
  readonly model: ModelState;
  /** From the end of a segment to the decoded result. */
  readonly tail: CostEstimate;
  readonly releases: ReleasePattern;
  /** In order of arrival; a requeued job is put back in front. */
  readonly waiting: JobState[];
  runningCount: number;
  /** Jobs lost since the last one that was done; a stream that lost more has its turn when two cannot both be served. */
  lossesInARow: number;
  /** The dispatch round in which a job of this stream was held, so that those behind it are not looked at again. */
  heldInRound: number;
}

/** A core idle by intention. */
export interface HoldState {
  readonly job: JobState;
  readonly for: StreamId;
  readonly until: InstantUs;
  /** When the job held for is likely to come: the held one is played out as waiting until then. */
  readonly likelyUntil: number;
}

export interface CoreState {
  readonly id: CoreId;
  isUp: boolean;
  readonly models: Set<ModelId>;
  /** Loaded models that have not run yet since the core came up. */
  readonly coldModels: Set<ModelId>;
  running: JobState | undefined;
  /** Meaningful while the core is down. */
  downSince: InstantUs;
  /** Streams that look-ahead protects here: not background, and this is the first core of their list that is up with the model. */
  readonly homeStreams: StreamState[];
  /** As last told. */
  hold: HoldState | undefined;
  /** Jobs held in the present dispatch round, most important first. */
  readonly held: HoldState[];
}

/** All models with the same placement share one list of waiting jobs, so a job waits in exactly one list. */
export interface GroupState {
  readonly cores: readonly CoreState[];
  readonly waiting: WaitingList<JobState>;
  /** The next one to look at in the present dispatch round. */
  cursor: number;
}

export interface Recheck {
  readonly at: number;
  readonly job: JobState;
}

/** Everything the scheduler remembers. Owned by `step`; treat it as opaque. */
export interface SchedulerState {
  readonly plan: SchedulerPlan;
  now: InstantUs;
  isStopping: boolean;
  readonly cores: ReadonlyMap<CoreId, CoreState>;
  readonly streams: ReadonlyMap<StreamId, StreamState>;
  readonly groups: readonly GroupState[];
  /** Jobs that have not ended. */
  readonly jobs: Map<JobId, JobState>;
  waitingCount: number;
  rechecks: Heap<Recheck>;
  /** The timer that was asked for and has not come. */
  wakeAt: InstantUs | undefined;
  /** Counts dispatches. */
  round: number;
}

/** @param plan checked configuration; a plan that contradicts itself is an assertion failure */
export function createScheduler(plan: SchedulerPlan): SchedulerState {
  assertPlan(plan);
  const cores = new Map(plan.cores.map((id) => [id, createCore(id)]));
  const groups = new Map<string, GroupState>();
  const models = new Map<ModelId, ModelState>();
  for (const row of plan.models) {
    const key = row.cores.join();
    const group = groups.get(key) ?? createGroup(row, cores);
    groups.set(key, group);
    models.set(row.model, { plan: row, cost: new CostEstimate(row.costUs), group });
  }
  return {
    plan,
    now: instantUs(Number.NEGATIVE_INFINITY),
    isStopping: false,
    cores,
    streams: new Map(plan.streams.map((stream) => [stream.id, createStream(plan, stream, models)])),
    groups: [...groups.values()],
    jobs: new Map(),
    waitingCount: 0,
    rechecks: createRecheckHeap(),
    wakeAt: undefined,
    round: 0,
  };
}

export const createRecheckHeap = (): Heap<Recheck> => new Heap((a, b) => a.at < b.at || (a.at === b.at && a.job.id < b.job.id));

const createCore = (id: CoreId): CoreState => ({
  id,
  isUp: false,
  models: new Set(),
  coldModels: new Set(),
  running: undefined,
  downSince: instantUs(Number.NEGATIVE_INFINITY),
  homeStreams: [],
  hold: undefined,
  held: [],
});

function createGroup(row: ModelPlan, cores: ReadonlyMap<CoreId, CoreState>): GroupState {
  const members = row.cores.map((id) => {
    const core = cores.get(id);
    assert(core !== undefined, 'a placement names cores of the plan');
    return core;
  });
  return { cores: members, waiting: new WaitingList(), cursor: 0 };
}

function createStream(plan: SchedulerPlan, stream: Stream, models: ReadonlyMap<ModelId, ModelState>): StreamState {
  const model = models.get(stream.model);
  assert(model !== undefined, 'the model of a stream is placed');
  return {
    stream,
    rank: criticalityRank(stream.criticality),
    model,
    tail: new CostEstimate(plan.tailUs),
    releases: new ReleasePattern(stream.periodUs),
    waiting: [],
    runningCount: 0,
    lossesInARow: 0,
    heldInRound: 0,
  };
}

/** To be called when a core comes or goes: every protected stream is reserved for on the first core of its list that can run it. */
export function assignHomes(state: SchedulerState): void {
  for (const core of state.cores.values()) core.homeStreams.length = 0;
  for (const stream of state.streams.values()) {
    if (stream.stream.criticality === 'background') continue;
    const home = stream.model.group.cores.find((core) => canServe(core, stream.stream.model));
    home?.homeStreams.push(stream);
  }
}

export const canServe = (core: CoreState, model: ModelId): boolean => core.isUp && core.models.has(model);
