import { assert, assertNever } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import type { CoreId, Job, JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { FailReason, Outcome } from '../core/outcome.ts';
import { durationUs, elapsedUs } from '../core/units.ts';
import { giveBackWhenSettled, isShed, readmit } from './admission.ts';
import { CANCELLED, cancel } from './cancel.ts';
import { findFastest } from './cost-of.ts';
import { dispatch } from './dispatch.ts';
import { noteDue, noteRelease } from './expected.ts';
import { noteCores } from './homes.ts';
import { endJob, letGo, putWaiting } from './lifecycle.ts';
import { followersUs } from './precedence.ts';
import { preemptFor } from './preempt.ts';
import { dropIfHopeless, recheckDue, wakeLater, watch } from './recheck.ts';
import { restart, restartTurns } from './restart.ts';
import { charge, firstOf, unsettle, updateServers } from './server.ts';
import {
  type CoreState,
  isTalk,
  type JobPhase,
  type JobState,
  type ModelState,
  NO_CORES,
  type SchedulerState,
  type ServerState,
  type StreamState,
} from './state.ts';
import { learntFrom, stepCountOf } from './steps.ts';
import { chunkUrgentAt, expectNextToken } from './turn.ts';

type SegmentDone = Extract<Event, { readonly kind: 'segment-done' }>;

/**
 * Tells the scheduler one event and returns what to do about it, to be carried out in order: ends, then starts and holds, then at most one timer.
 * Synchronous, without I/O; the only time it knows is `event.at`. The same plan and the same events give the same decisions.
 * Broken invariants (time going back, unknown ids, a job that arrives or completes twice) are assertion failures.
 */
export function step(state: SchedulerState, event: Event): readonly Decision[] {
  const decisions: Decision[] = [];
  const waiting = takeIn(state, event, decisions);
  choose(state, decisions);
  if (waiting !== undefined) lookAfter(state, waiting, decisions);
  wakeLater(state, decisions);
  return decisions;
}

/** As `step`, for events of one instant that are known together: all of them are taken in before anything is started, so that none overtakes by luck. */
export function stepTogether(state: SchedulerState, events: readonly Event[]): readonly Decision[] {
  const decisions: Decision[] = [];
  const waited: JobState[] = [];
  for (const event of events) {
    const job = takeIn(state, event, decisions);
    if (job !== undefined) waited.push(job);
  }
  choose(state, decisions);
  for (const job of waited) lookAfter(state, job, decisions);
  wakeLater(state, decisions);
  return decisions;
}

/** Returns the job that this event made wait, if any. */
function takeIn(state: SchedulerState, event: Event, decisions: Decision[]): JobState | undefined {
  // Events come in many shapes: what all of them have is read once.
  const { at } = event;
  assert(Number.isFinite(at) && at >= state.now, 'time goes forward', at);
  state.now = at;
  return apply(state, event, decisions);
}

function choose(state: SchedulerState, decisions: Decision[]): void {
  if (state.fitsSince !== undefined) giveBackWhenSettled(state, decisions);
  const ready = recheckDue(state, decisions);
  const risen = state.servers.length > 0 ? updateServers(state) : undefined;
  dispatch(state, decisions);
  if (ready !== undefined) for (const job of ready) if (job.phase === 'waiting') preemptFor(state, job, decisions);
  if (risen !== undefined) for (const server of risen) preemptForServer(state, server, decisions);
}

function preemptForServer(state: SchedulerState, server: ServerState, decisions: Decision[]): void {
  const job = firstOf(state, server);
  if (job !== undefined) preemptFor(state, job, decisions);
}

/** For a job that this event made wait and that waits still. */
function lookAfter(state: SchedulerState, job: JobState, decisions: Decision[]): void {
  if (job.phase !== 'waiting') return;
  preemptFor(state, job, decisions);
  watch(state, job);
}

function apply(state: SchedulerState, event: Event, decisions: Decision[]): JobState | undefined {
  switch (event.kind) {
    case 'arrived':
      return arrive(state, event.job, decisions);
    case 'segment-done':
      return finishSegment(state, event, decisions);
    case 'segment-failed':
      endJob(state, vacate(state, coreOf(state, event.core), event.job), { kind: 'failed', reason: event.reason }, decisions);
      return undefined;
    case 'cancel':
      cancel(state, event.job, decisions);
      return undefined;
    case 'core-lost':
      return loseCore(state, coreOf(state, event.core), event.reason, decisions);
    case 'core-back':
      raiseCore(state, event.core, event.models);
      readmit(state, decisions);
      return undefined;
    case 'decoded':
      finishJob(state, event.job, decisions);
      return undefined;
    case 'decode-failed':
      endJob(state, jobIn(state, event.job, 'decoding'), { kind: 'failed', reason: 'decode-error' }, decisions);
      return undefined;
    case 'mode':
      state.mode = event.mode;
      readmit(state, decisions);
      return undefined;
    case 'timer':
      return undefined;
    case 'stopping':
      stop(state, decisions);
      return undefined;
    default:
      return assertNever(event);
  }
}

function arrive(state: SchedulerState, job: Job, decisions: Decision[]): JobState | undefined {
  const stream = state.streams.get(job.stream);
  const model = stream === undefined ? undefined : levelOf(stream, job.model);
  assert(stream !== undefined && model !== undefined, 'a job is of a stream of the plan and of a model of that stream', job.id);
  if (state.isStopping) {
    decisions.push({ kind: 'end', job: job.id, outcome: { kind: 'rejected', reason: 'stopping' } });
    return undefined;
  }
  if (isShed(stream)) {
    decisions.push({ kind: 'end', job: job.id, outcome: { kind: 'dropped', reason: 'shed' } });
    return undefined;
  }
  stream.releases.observe(job.capturedAt, state.now);
  noteRelease(stream);
  const urgentAt = job.deadlineAt - followersUs(stream);
  // Whole numbers as far as can be: each other one would be an object of its own.
  const newcomer: JobState = {
    id: job.id,
    rank: stream.rank,
    deadlineAt: job.deadlineAt,
    urgentAt,
    ownUrgentAt: isTalk(model) ? chunkUrgentAt(state, stream, urgentAt) : urgentAt,
    ordinal: stream.arrivedCount,
    arrival: state.arrivedCount,
    value: 1,
    core: undefined,
    others: NO_CORES,
    job,
    stream,
    model,
    arrivedAt: state.now,
    phase: 'waiting',
    stepCount: stepCountOf(model, job.turn),
    stepsDone: 0,
    granted: 0,
    reloadUs: 0,
    leavesAt: undefined,
    losses: 0,
    startedAt: state.now,
    segmentDoneAt: state.now,
    isCold: false,
    keptOn: undefined,
    readyAt: 0,
    firstTokenAt: undefined,
    pledgedUs: 0,
    isCancelled: false,
    wasHeld: false,
    recheckAt: 0,
  };
  assert(state.jobs.add(job.id, newcomer), 'a job arrives once', job.id);
  state.arrivedCount += 1;
  stream.arrivedCount += 1;
  stream.followed?.live.set(job.capturedAt, newcomer);
  putWaiting(state, newcomer, 'last');
  if (dropIfHopeless(state, newcomer, decisions)) return undefined;
  makeRoom(state, newcomer, decisions);
  return newcomer.phase === 'waiting' ? newcomer : undefined;
}

/** Mostly the one that jobs are made for now. */
function levelOf({ model, levels }: StreamState, id: ModelId): ModelState | undefined {
  if (model.plan.model === id) return model;
  for (const level of levels) if (level.plan.model === id) return level;
  return undefined;
}

/**
 * Keeps the freshness of the newcomer's stream. `latest`: the newest capture stays, whichever way round they arrived. `queue`: the oldest makes room,
 * since it has the least time left and its result would be the most out of date.
 */
function makeRoom(state: SchedulerState, newcomer: JobState, decisions: Decision[]): void {
  const { stream, waiting } = newcomer.stream;
  if (waiting.length < 2) return;
  // What has been begun is no frame that waits: it goes on where it was interrupted.
  const frames = waiting[0]?.stepsDone === 0 ? waiting : waiting.filter((job) => job.stepsDone === 0);
  if (frames.length < 2) return;
  const [oldest, next] = frames;
  if (oldest === undefined || next === undefined) return;
  if (stream.freshness.kind === 'queue') {
    if (waiting.length > stream.freshness.jobsMax) endJob(state, oldest, { kind: 'dropped', reason: 'queue-full' }, decisions);
    return;
  }
  const stale = next.job.capturedAt < oldest.job.capturedAt ? next : oldest;
  endJob(state, stale, { kind: 'dropped', reason: 'superseded' }, decisions);
}

/** The job waits for its next segment, or its outputs are to be decoded. */
function finishSegment(state: SchedulerState, event: SegmentDone, decisions: Decision[]): JobState | undefined {
  const core = coreOf(state, event.core);
  const job = vacate(state, core, event.job);
  const { progress } = event;
  const steps = progress === undefined ? job.granted : progress.steps;
  const isLast = progress === undefined || progress.isLast;
  assert(steps >= 0 && steps <= job.granted, 'a core runs no more than the steps it was given', event.core);
  assert(job.stepsDone + steps <= job.stepCount, 'a job has so many steps', event.job);
  if (!job.isCold) learn(state, job, core, steps);
  job.stepsDone += steps;
  if (isTalk(job.model)) expectNextToken(state, job, steps);
  if (job.isCancelled) {
    endJob(state, job, CANCELLED, decisions);
    return undefined;
  }
  if (isLast) {
    job.firstTokenAt ??= isTalk(job.model) ? state.now : undefined;
    letGo(job);
    job.phase = 'decoding';
    job.segmentDoneAt = state.now;
    return undefined;
  }
  if (state.isStopping) {
    endJob(state, job, { kind: 'dropped', reason: 'stopping' }, decisions);
    return undefined;
  }
  putWaiting(state, job, 'first');
  return dropIfHopeless(state, job, decisions) ? undefined : job;
}

/** Of a segment that is a smaller part of a run than one of two, the way to the core and back is too much to say what a whole run takes. */
const LEARNT_PARTS_MAX = 2;

/**
 * The time learnt is from the start decision to this event, not the core's own `ranUs`: what it took to be told holds up the next job as well.
 * A cold run is not learnt from.
 */
function learn(state: SchedulerState, job: JobState, core: CoreState, steps: number): void {
  const { model } = job;
  if (steps === 0 || model.exact !== undefined) return;
  const tookUs = Math.max(1, elapsedUs(job.startedAt, state.now) - job.reloadUs);
  const { costs, ratio } = learntFrom(job, steps);
  if (ratio > LEARNT_PARTS_MAX) return;
  costs.observe(core.index, durationUs(tookUs * ratio));
  findFastest(model);
}

const DONE: Outcome = { kind: 'done' };
const LATE: Outcome = { kind: 'late' };

function finishJob(state: SchedulerState, jobId: JobId, decisions: Decision[]): void {
  const job = jobIn(state, jobId, 'decoding');
  job.stream.tail.observe(elapsedUs(job.segmentDoneAt, state.now));
  noteDue(job.stream);
  // The deadline of a turn is that of its first token.
  const resultAt = job.firstTokenAt ?? state.now;
  endJob(state, job, job.isCancelled ? CANCELLED : resultAt <= job.deadlineAt ? DONE : LATE, decisions);
}

/** The core's job is requeued if it may be tried again and can still finish; else it fails with the reason of the loss. A core that is down stays down. */
function loseCore(state: SchedulerState, core: CoreState, reason: FailReason, decisions: Decision[]): JobState | undefined {
  const job = core.running;
  core.isUp = false;
  core.downSince = state.now;
  core.models.clear();
  core.coldModels.clear();
  noteCores(state);
  restartTurns(state, core, reason, decisions);
  readmit(state, decisions);
  if (job === undefined) return undefined;
  leaveCores(state, job, true);
  return restart(state, job, reason, decisions) ? job : undefined;
}

/** Told of a core that is up already: the models are what it has now. */
function raiseCore(state: SchedulerState, coreId: CoreId, models: readonly string[]): void {
  const core = coreOf(state, coreId);
  for (const model of models) if (!core.models.has(model)) core.coldModels.add(model);
  core.models.clear();
  for (const model of models) core.models.add(model);
  core.isUp = true;
  core.wasUp = true;
  noteCores(state);
}

function stop(state: SchedulerState, decisions: Decision[]): void {
  state.isStopping = true;
  const jobs = state.jobs.values().sort((a, b) => a.arrival - b.arrival);
  for (const job of jobs) {
    if (job.phase === 'waiting') endJob(state, job, { kind: 'dropped', reason: 'stopping' }, decisions);
  }
}

/** Takes the job off its core, as told by the one that leads. */
function vacate(state: SchedulerState, core: CoreState, jobId: JobId): JobState {
  const job = jobIn(state, jobId, 'running');
  assert(job.core === core, 'the core runs the job, or leads it', jobId);
  leaveCores(state, job, false);
  return job;
}

/** Whatever it ran on is free from now on. */
function leaveCores(state: SchedulerState, job: JobState, isLost: boolean): void {
  if (job.core !== undefined) job.core.running = undefined;
  for (const core of job.others) core.running = undefined;
  job.core = undefined;
  job.others = NO_CORES;
  job.stream.runningCount -= 1;
  unsettle(job.stream);
  if (job.pledgedUs > 0) charge(job, elapsedUs(job.startedAt, state.now), isLost);
}

function coreOf(state: SchedulerState, id: CoreId): CoreState {
  const core = state.coreById.get(id);
  assert(core !== undefined, 'a core is of the plan', id);
  return core;
}

function jobIn(state: SchedulerState, id: JobId, phase: JobPhase): JobState {
  const job = state.jobs.get(id);
  assert(job !== undefined && job.phase === phase, 'a job is in the phase that is told of it', id);
  return job;
}
