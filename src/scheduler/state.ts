import type { IdMap } from '../core/id-map.ts';
import type { CoreId, Job, JobId } from '../core/job.ts';
import type { Mode } from '../core/mode.ts';
import type { ModelId } from '../core/model.ts';
import type { Stream, StreamId } from '../core/stream.ts';
import type { Timeline } from '../core/timeline.ts';
import type { InstantUs } from '../core/units.ts';
import type { Arrivals } from './arrivals.ts';
import type { CoreCosts } from './core-costs.ts';
import type { CostEstimate } from './cost-estimate.ts';
import type { DueList } from './due-list.ts';
import type { Ordered } from './job-order.ts';
import type { DropRule, ExactCost, ModelPlan, SchedulerPlan, ServerPlan } from './plan.ts';
import type { ReleasePattern } from './release-pattern.ts';
import type { WaitingList } from './waiting-list.ts';

/** arrived -> waiting -> running -> decoding -> ended (then it is forgotten). A lost core puts a running job back to waiting. */
export type JobPhase = 'waiting' | 'running' | 'decoding' | 'ended';

export interface JobState extends Ordered {
  readonly job: Job;
  readonly stream: StreamState;
  /** That it runs: its stream's, or a variant of it. */
  model: ModelState;
  readonly arrivedAt: InstantUs;
  readonly deadlineAt: InstantUs;
  /** See job-order.ts. They change only while the job is in no list, or through `rekey`; a job that runs keeps the standing that it started with. */
  rank: number;
  urgentAt: number;
  ownUrgentAt: number;
  /** How many jobs of its stream arrived before it, and how many of all streams. */
  readonly ordinal: number;
  readonly arrival: number;
  /** 1, less what the energy of its run costs; set when it starts. */
  value: number;
  /** While it runs: its core, or the one that leads; and the others of a gang. */
  core: CoreState | undefined;
  others: readonly CoreState[];
  phase: JobPhase;
  /** See steps.ts. */
  stepCount: number;
  stepsDone: number;
  /** Steps of the segment that runs, and how long it takes before the first of them to fetch what was put away. */
  granted: number;
  reloadUs: number;
  /** When the segment that runs is expected to end because it was told to; undefined when it was not. */
  leavesAt: number | undefined;
  /** Cores lost under it. */
  losses: number;
  startedAt: InstantUs;
  segmentDoneAt: InstantUs;
  /** Whether this run is the first of its model on its core, whose time says little about the next. */
  isCold: boolean;
  /** Of a turn: see turn.ts. `keptOn`: where its cache is, once it has begun. `readyAt`: not before, 0 for at once. */
  keptOn: readonly CoreState[] | undefined;
  readyAt: number;
  firstTokenAt: InstantUs | undefined;
  /** What the segment that runs is expected to take from the budget of its stream's server; 0 when it does not run on that. */
  pledgedUs: number;
  isCancelled: boolean;
  wasHeld: boolean;
  /** When it will next be asked whether it can still finish, 0 for never; identifies the one of its rechecks that counts. */
  recheckAt: number;
}

export interface ModelState {
  readonly plan: ModelPlan;
  /** Cores that a job takes at once. */
  readonly width: number;
  /** What a run takes of the memory bus; 0 where that is not known. 0..1 */
  readonly busRatio: number;
  /** What a run takes, by index of the core: as it is known, or as it was learnt by `cost`. Of a language model, a token. */
  readonly typicalUs: Float64Array;
  readonly highUs: Float64Array;
  /** Of a run; of a language model, of a token. */
  readonly cost: CoreCosts;
  /** Of a chunk of a prompt; without meaning for a network. */
  readonly chunk: CoreCosts;
  /** Part of a run that lies before each block, and 1 at the end; `[0, 1]` when it is not cut. */
  readonly shareBefore: Float64Array;
  readonly group: GroupState;
  /** By core, when they are known and fixed; else undefined, and `cost` is what counts. */
  readonly exact: ReadonlyMap<CoreId, ExactCost> | undefined;
  /** The cores of the group, the one where a run takes least first by what the plan says; in order of preference where that is the same. */
  readonly fastestFirst: readonly CoreState[];
  /** By index of the core: whether it may run the model as things are, that is, it is up with it and not kept as a spare. */
  readonly isOpen: boolean[];
  /** Where a run takes least by what is known now. */
  fastest: CoreState;
}

export interface StreamState {
  readonly stream: Stream;
  /** In the plan. */
  readonly index: number;
  readonly rank: number;
  /** That its jobs are made for now, or were before it was shed. */
  model: ModelState;
  /** Its own model, then its variants from the best to the cheapest, and which of them take the same input as its own. */
  readonly levels: readonly ModelState[];
  readonly isAlike: readonly boolean[];
  /** Which of `levels` it is served with; see admission.ts for when it is not served. */
  level: number;
  server: ServerState | undefined;
  /** Turns that have begun and not ended. */
  readonly open: JobState[];
  /** From the end of a segment to the decoded result. */
  readonly tail: CostEstimate;
  readonly releases: ReleasePattern;
  /** See expected.ts: the key, only changed there. */
  dueFrom: number;
  /** Where it is at home now. */
  readonly homes: Home[];
  /** In order of arrival; a requeued job is put back in front. */
  readonly waiting: JobState[];
  runningCount: number;
  /** Jobs lost since the last one that was done; a stream that lost more has its turn when two cannot both be served. */
  lossesInARow: number;
  /** The dispatch round in which a job of this stream was held, so that those behind it are not looked at again. */
  heldInRound: number;
  /** The dispatch round of its last start, and how many starts it had in it. */
  servedInRound: number;
  roundStarts: number;
  /** What was started before its last start, over all streams; -1 when none was. */
  servedAfter: number;
  arrivedCount: number;
  doneCount: number;
  readonly record: StreamRecord;
  /** The stream whose results its jobs need. */
  after: StreamState | undefined;
  /** Only where others need its results. */
  followed: Followed | undefined;
}

/** A stream whose results others need. */
export interface Followed {
  readonly followers: StreamState[];
  /** Its jobs under way by capture, and how the last ones ended: true with a result. */
  readonly live: Map<InstantUs, JobState>;
  readonly ends: Map<InstantUs, boolean>;
}

/** See server.ts. */
export interface ServerState {
  readonly plan: ServerPlan;
  readonly streams: readonly StreamState[];
  readonly groups: readonly GroupState[];
  /** Budget by period. */
  readonly ratio: number;
  readonly lagMaxUs: number;
  /** c; below 0 after steps that took more than was left. */
  budgetUs: number;
  /** Of `budgetUs`, what the segments under way are expected to take. */
  pledgedUs: number;
  /** d */
  deadlineAt: number;
  /** Whether it has anything to do. */
  isActive: boolean;
  /** Whether its waiting jobs stand in their lists as funded. */
  isFunded: boolean;
  /** Before that it need not be brought up to now: nothing of it changes by itself. */
  settledUntil: number;
}

/** What a stream got lately, for weighing victims by value. */
export interface StreamRecord {
  endedCount: number;
  lostCount: number;
  /** Over the jobs done in time; each is worth 1, less what its energy costs. */
  valueSum: number;
}

/**
 * How jobs are chosen: everything that one way of scheduling does differently from another. One file of `policies/` makes one; pure data and functions of the state.
 */
export interface Policy {
  /** A strict total order: who goes first among those that wait. */
  readonly goesBefore: (a: JobState, b: JobState, state: SchedulerState) => boolean;
  /** Whether two waiting jobs may change places; the lists are then sorted anew before each choice. */
  readonly changesOrder: boolean;
  readonly drop: DropRule;
  /** In which order the cores of a job are tried; the first idle one takes it. */
  readonly coresFor: (job: JobState) => readonly CoreState[];
  /** Why this core should rather stay idle than be taken by this job for so long; undefined: start it. */
  readonly hold?: (now: InstantUs, core: CoreState, job: JobState, forUs: number) => HoldState | undefined;
  /** Why so many of its next steps should not begin there now for what they take of the memory bus; undefined: they may. */
  readonly holdForBus?: (state: SchedulerState, core: CoreState, job: JobState, steps: number) => HoldState | undefined;
  /** Whether a job that runs may be interrupted for one that goes before it. */
  readonly preempts: boolean;
  /** Instead of all of the above but `drop` and `preempts`: what to do now. */
  readonly assign?: (state: SchedulerState) => Agenda;
  /** See PolicyTuning. */
  readonly countsResults: boolean;
  /** Whether budgets of servers are kept. */
  readonly keepsServers?: boolean;
}

export interface Agenda {
  /** Each job waits and is ready, each core is idle, has its model, and is named once. */
  readonly starts: readonly Assignment[];
  /** Each core runs something that can be interrupted and has not been told to leave; it is to leave for the job. */
  readonly yields: readonly Assignment[];
}

export interface Assignment {
  readonly job: JobState;
  readonly core: CoreState;
}

/** A core idle by intention. */
export interface HoldState {
  readonly job: JobState;
  readonly for: StreamId;
  readonly until: InstantUs;
  /** When the job held for is likely to come: the held one is played out as waiting until then. */
  readonly likelyUntil: number;
  /** Of one held for the bus, what it would take of it: who takes less may not have to be held. */
  readonly busRatio?: number;
}

/** A core that protects a stream, and the place of the stream in `homeStreams` there. */
export interface Home {
  readonly core: CoreState;
  readonly place: number;
}

export interface CoreState {
  readonly id: CoreId;
  /** In the plan. */
  readonly index: number;
  isUp: boolean;
  /** Whether it has ever been. */
  wasUp: boolean;
  readonly models: Set<ModelId>;
  /** Loaded models that have not run yet since the core came up. */
  readonly coldModels: Set<ModelId>;
  running: JobState | undefined;
  /** What ran here last. */
  lastJob: JobId | undefined;
  /** Meaningful while the core is down. */
  downSince: InstantUs;
  /** Streams that look-ahead protects here: not background, and this is the first core of their list that is up with the model. */
  readonly homeStreams: StreamState[];
  /** How many jobs of these streams wait. */
  homeWaitingCount: number;
  /** When they are likely to come, by their places; see expected.ts. */
  arrivals: Arrivals;
  /** The most of the bus that a run of one of them takes. 0..1 */
  homeBusRatio: number;
  /** See expected.ts; undefined where they are few. */
  expected: readonly DueList[] | undefined;
  /** As last told. */
  hold: HoldState | undefined;
  /** Jobs held in the present dispatch round, most important first. */
  readonly held: HoldState[];
  /** In the present dispatch round. */
  reserved: Reservation | undefined;
}

/** A core kept for a gang that waits for others of its cores: only what ends before it can start may run here. */
export interface Reservation {
  readonly gang: JobState;
  /** When the last of its cores is expected to be free. */
  readonly at: number;
}

/** All models with the same placement, spares included, share one list of waiting jobs, so a job waits in exactly one list. */
export interface GroupState {
  readonly cores: readonly CoreState[];
  readonly models: ModelState[];
  /** Those of the cores that are open to any of the models. */
  readonly open: CoreState[];
  readonly waiting: WaitingList<JobState>;
  /** The fewest cores that a job of any of the models takes at once. */
  widthMin: number;
  /** The next one to look at in the present dispatch round. */
  cursor: number;
  /** The last dispatch round in which a gang of this group had to wait. */
  keptInRound: number;
}

/** Everything the scheduler remembers. Owned by `step`; treat it as opaque. */
export interface SchedulerState {
  readonly plan: SchedulerPlan;
  readonly policy: Policy;
  now: InstantUs;
  isStopping: boolean;
  mode: Mode;
  /** Since when more would fit than is served; undefined when that is not so. */
  fitsSince: InstantUs | undefined;
  /** In the order of the plan. */
  readonly cores: readonly CoreState[];
  readonly coreById: ReadonlyMap<CoreId, CoreState>;
  readonly streams: ReadonlyMap<StreamId, StreamState>;
  readonly groups: GroupState[];
  readonly servers: ServerState[];
  /** Jobs that have not ended. */
  readonly jobs: IdMap<JobState>;
  arrivedCount: number;
  waitingCount: number;
  /** Waiting jobs by when to look at them again, and then by id; entries of jobs that have left are passed over. */
  rechecks: Timeline<JobState>;
  /** The timer that was asked for and has not come. */
  wakeAt: InstantUs | undefined;
  /** Whether any core is idle by intention, or was in the last round: mostly none is, and nobody has to look. */
  isHolding: boolean;
  /** Counts dispatches. */
  round: number;
  /** Counts starts. */
  startCount: number;
}

/** Of a job that is no gang, or does not run. */
export const NO_CORES: readonly CoreState[] = [];

/** When the segment that runs ends, if it would end at `endAt` unless it was told to leave. */
export const leavesBy = ({ leavesAt }: JobState, endAt: number): number => (leavesAt === undefined ? endAt : Math.min(leavesAt, endAt));

/** A spare is kept out of use while the model's own cores can serve. */
export function isSpared(core: CoreState, { plan, width, group }: ModelState): boolean {
  const { model, spares } = plan;
  if (spares === undefined || !spares.includes(core.id)) return false;
  let serving = 0;
  for (const own of group.cores) if (!spares.includes(own.id) && canServe(own, model)) serving += 1;
  return serving >= width;
}

/** Whether its jobs are turns of a conversation. */
export const isTalk = ({ plan }: ModelState): boolean => plan.steps?.kind === 'tokens';

export const canServe = (core: CoreState, model: ModelId): boolean => core.isUp && core.models.has(model);

/** Whether what its jobs come to stays on the cores where they begin. */
export const isKept = ({ plan: { steps } }: ModelState): boolean =>
  steps !== undefined && (steps.kind === 'tokens' || steps.isKept === true);
