import type { Decision } from '../core/decision.ts';
import { addUs, durationUs, instantUs } from '../core/units.ts';
import { makeCheaper } from './cheaper.ts';
import { doubtEstimates, latestStartOnUs, latestStartUs } from './feasibility.ts';
import { grantGang } from './gang.ts';
import { grantOn } from './grant.ts';
import { endJob, keep, leaveWaiting } from './lifecycle.ts';
import { mayTake } from './may-take.ts';
import { isOutOfTurn, isReady } from './precedence.ts';
import { interrupt } from './preempt.ts';
import { standsBack } from './resume.ts';
import { pledge, standsInBackground } from './server.ts';
import {
  type Agenda,
  type CoreState,
  type GroupState,
  type HoldState,
  isKept,
  type JobState,
  NO_CORES,
  type SchedulerState,
  type StreamState,
} from './state.ts';
import { highRowUs, longestStepUs, reloadUsOn, rowMax, stepEnd } from './steps.ts';
import { stepsDue } from './turn.ts';
import { jobValue } from './value/job-value.ts';

/** A model's first run on a core that came back pages in its weights and may be several times as slow; it is not killed for that. */
const COLD_FACTOR = 3;

/** After so many different jobs have been held on a core in one dispatch, it is left idle without asking for the others: the bound of a decision's time. */
const HELD_MAX = 4;

/**
 * Gives idle cores their next jobs, as the policy says. Waiting jobs are looked at in its one order; each takes the first core of its list that is idle, or
 * is dropped when it can no longer finish, or is held, and then those behind it may use the core as long as they do not delay it.
 */
export function dispatch(state: SchedulerState, decisions: Decision[]): void {
  state.round += 1;
  if (state.isHolding) release(state);
  const { assign } = state.policy;
  if (state.waitingCount > 0) {
    if (assign === undefined) dispatchInOrder(state, decisions);
    else carryOut(state, assign(state), decisions);
  }
  if (state.isHolding) tellHolds(state, decisions);
}

/** Every core is looked at anew. */
function release(state: SchedulerState): void {
  for (const core of state.cores) {
    core.held.length = 0;
    core.reserved = undefined;
  }
}

function carryOut(state: SchedulerState, { starts, yields }: Agenda, decisions: Decision[]): void {
  for (const { core, job } of starts) start(state, core, NO_CORES, job, Math.min(rowMax(job), stepsDue(state, job)), decisions);
  for (const { core, job } of yields) {
    if (core.running === undefined) continue;
    const border = stepEnd(state.now, core, core.running, 'highUs');
    if (!border.isLast) interrupt(core.running, { kind: 'yield', at: border.at }, job, decisions);
  }
}

function dispatchInOrder(state: SchedulerState, decisions: Decision[]): void {
  rewind(state);

  for (let job = mostUrgent(state); job !== undefined; job = state.waitingCount > 0 ? mostUrgent(state) : undefined) {
    const { group } = job.model;
    if (!isCandidate(state, job)) {
      group.cursor += 1;
    } else if (state.now > latestStartUs(state, job)) {
      doubtEstimates(job);
      const isCheaper = makeCheaper(state, job);
      if (!isCheaper) endJob(state, job, { kind: 'dropped', reason: 'infeasible' }, decisions);
      // The places before the cursors are no longer what they were: those that needed its result are lost with it.
      if (isCheaper || job.stream.followed !== undefined) rewind(state);
    } else if (!startOnSomeCore(state, job, decisions)) {
      job.stream.heldInRound = state.round;
      group.cursor += 1;
    } else if (state.policy.changesOrder) {
      rewind(state);
    }
  }
}

/** Looks at all of the waiting jobs again, in what their order is now. */
function rewind(state: SchedulerState): void {
  for (const group of state.groups) {
    group.cursor = 0;
    if (state.policy.changesOrder) group.waiting.sort();
  }
}

/** The most urgent job not looked at yet, among those whose group has an idle core. */
function mostUrgent(state: SchedulerState): JobState | undefined {
  let first: JobState | undefined;
  for (const group of state.groups) {
    if (group.cursor >= group.waiting.size || !hasIdleCore(group) || waitsForCores(state, group)) continue;
    const job = nextToLookAt(state, group);
    if (job !== undefined && (first === undefined || state.policy.goesBefore(job, first, state))) first = job;
  }
  return first;
}

/** Whether a gang of the group has to wait for cores, and all that wait there are gangs: a thousand of them are not asked one by one. */
const waitsForCores = ({ round }: SchedulerState, { widthMin, keptInRound }: GroupState): boolean => widthMin > 1 && keptInRound === round;

/** Past those of which an older job of their stream has just been held, and turns whose next token may not come yet. */
function nextToLookAt({ now, round }: SchedulerState, group: GroupState): JobState | undefined {
  const { waiting } = group;
  let job = waiting.at(group.cursor);
  while (job !== undefined && (job.stream.heldInRound === round || job.readyAt > now)) {
    group.cursor += 1;
    job = waiting.at(group.cursor);
  }
  return job;
}

function hasIdleCore({ open }: GroupState): boolean {
  for (const core of open) if (isIdle(core)) return true;
  return false;
}

const isIdle = (core: CoreState): boolean => core.isUp && core.running === undefined && core.held.length < HELD_MAX;

/** Not out of order in a stateful stream, nor where no idle core has its model. */
function isCandidate(state: SchedulerState, job: JobState): boolean {
  if (!isReady(state, job) || isOutOfTurn(job)) return false;
  const { group, width } = job.model;
  if (width > 1 && group.keptInRound === state.round) return false;
  for (const core of group.open) if (isIdle(core) && mayTake(core, job)) return !standsBack(state, job);
  return false;
}

function startOnSomeCore(state: SchedulerState, job: JobState, decisions: Decision[]): boolean {
  const { policy } = state;
  if (job.model.width > 1) return startGang(state, job, decisions);
  const isNew = !job.wasHeld;
  let holds: [CoreState, HoldState][] | undefined;
  for (const core of policy.coresFor(job)) {
    if (!isIdle(core) || !mayTake(core, job)) continue;
    if (state.now > latestStartOnUs(state, job, core)) continue;
    const grant = isKnownToHold(core, job) ? undefined : grantOn(state, core, job);
    if (typeof grant === 'number') {
      start(state, core, NO_CORES, job, grant, decisions);
      return true;
    }
    if (isNew) countHold(core, job);
    if (grant === undefined) continue;
    holds ??= [];
    holds.push([core, grant]);
  }
  if (holds !== undefined) putHolds(state, holds);
  return false;
}

function countHold(core: CoreState, job: JobState): void {
  job.wasHeld = true;
  job.model.cost.hold(core.index);
}

function putHolds(state: SchedulerState, holds: readonly [CoreState, HoldState][]): void {
  for (const [core, hold] of holds) core.held.push(hold);
  state.isHolding = true;
}

function startGang(state: SchedulerState, job: JobState, decisions: Decision[]): boolean {
  const grant = grantGang(state, job, isIdle);
  if ('cores' in grant) {
    const [core, ...others] = grant.cores;
    start(state, core, others, job, grant.steps, decisions);
    return true;
  }
  putHolds(state, grant.holds);
  // Whoever waits behind it for as many of the same cores has no better chance in this round.
  job.model.group.keptInRound = state.round;
  return false;
}

/**
 * Where a background job has been held in this round, one that takes as long or longer would be too: what is protected from the one is protected from the
 * other, and a core that is free later is worse for all of them; one held for the bus says nothing of those that take less of it. So a thousand waiting jobs cost a few looks ahead, not a thousand.
 */
function isKnownToHold(core: CoreState, job: JobState): boolean {
  if (!standsInBackground(job)) return false;
  const leastUs = longestStepUs(job, core, 1);
  const { busRatio: ownRatio } = job.model;
  for (const { job: held, busRatio = 0 } of core.held)
    if (standsInBackground(held) && busRatio <= ownRatio && longestStepUs(held, core, 1) <= leastUs) return true;
  return false;
}

/** @param others the rest of a gang */
function start(
  state: SchedulerState,
  core: CoreState,
  others: readonly CoreState[],
  job: JobState,
  steps: number,
  decisions: Decision[],
): void {
  leaveWaiting(state, job);
  job.phase = 'running';
  if (isKept(job.model)) keep(job, core, others);
  job.startedAt = state.now;
  job.core = core;
  job.others = others;
  job.value = jobValue(state, job, core);
  job.stream.runningCount += 1;
  countStart(state, job.stream);
  const rowUs = highRowUs(job, core, steps);
  job.reloadUs = reloadUsOn(job, core);
  // The places before the cursors are no longer what they were.
  if (pledge(state, job, rowUs)) rewind(state);
  job.granted = steps;
  job.leavesAt = undefined;
  job.isCold = occupy(core, job);
  for (const other of others) if (occupy(other, job)) job.isCold = true;
  const { floorUs, factor, ceilingUs } = state.plan.timeouts;
  const expectedUs = rowUs * factor * (job.isCold ? COLD_FACTOR : 1);
  const timeoutUs = durationUs(Math.min(ceilingUs, Math.max(floorUs, Math.ceil(expectedUs))));
  const killAt = addUs(state.now, timeoutUs);
  const { model } = job.model.plan;
  // One shape for all starts, since everybody reads them.
  decisions.push({
    kind: 'start',
    core: core.id,
    others: others.length === 0 ? undefined : others.map(({ id }) => id),
    job: job.id,
    killAt,
    segment: job.stepCount === 1 ? undefined : { from: job.stepsDone, steps },
    model: model === job.job.model ? undefined : model,
  });
}

/** Whether the model has not run there since the core came up. */
function occupy(core: CoreState, job: JobState): boolean {
  core.running = job;
  core.lastJob = job.id;
  core.hold = undefined;
  return core.coldModels.size > 0 && core.coldModels.delete(job.model.plan.model);
}

function countStart(state: SchedulerState, stream: StreamState): void {
  stream.roundStarts = stream.servedInRound === state.round ? stream.roundStarts + 1 : 1;
  stream.servedInRound = state.round;
  stream.servedAfter = state.startCount;
  state.startCount += 1;
}

function tellHolds(state: SchedulerState, decisions: Decision[]): void {
  state.isHolding = false;
  for (const core of state.cores) {
    tellHold(core, decisions);
    if (core.hold !== undefined || core.held.length > 0 || core.reserved !== undefined) state.isHolding = true;
  }
}

/** Told once, for the most important job held, when the core really stays idle; told again when job, stream or instant change. */
function tellHold(core: CoreState, decisions: Decision[]): void {
  const next: HoldState | undefined = core.running === undefined && core.held.length > 0 ? core.held[0] : undefined;
  const last = core.hold;
  core.hold = next;
  if (next === undefined || (last?.job === next.job && last.for === next.for && last.until === next.until)) return;
  decisions.push({ kind: 'hold', core: core.id, job: next.job.id, for: next.for, until: instantUs(next.until) });
}
