import { assert } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import { freeAtUs, latestStartOnUs } from './feasibility.ts';
import { mayTake } from './may-take.ts';
import { isOutOfTurn, isReady } from './precedence.ts';
import { standsBack } from './resume.ts';
import { claimUs, isFunded } from './server.ts';
import type { CoreState, HoldState, JobState, SchedulerState } from './state.ts';
import { canYield, highRestUs, highRunUs, isEasyToLeave, isFreeToResume, stepEnd } from './steps.ts';

/** Waiting jobs that are weighed against one that runs, the most important ones. */
const WEIGHED_MAX = 4;

/**
 * For a job that came and found no core: the cheapest way to be in time. Let what runs drain, which costs nothing; ask it to yield at its next border, which
 * costs putting away and fetching again; abort it, which costs the step it was at as well. Where nothing helps, nothing is done.
 */
export function preemptFor(state: SchedulerState, job: JobState, decisions: Decision[]): void {
  if (!state.policy.preempts || state.policy.assign !== undefined || !canYield(state)) return;
  if (!isReady(state, job) || isOutOfTurn(job) || standsBack(state, job)) return;
  if (job.model.width > 1) return preemptForGang(state, job, decisions);
  const core = leastImportantUnder(state, job);
  const running = core?.running;
  if (core === undefined || running === undefined || canDrain(state, core, running, job)) return;
  const way = wayOut(state, core, running, latestStartOnUs(state, job, core));
  if (way !== undefined) interrupt(running, way, job, decisions);
}

interface WayOut {
  readonly kind: 'yield' | 'abort';
  /** When the core is free. */
  readonly at: number;
}

/** How the core can be free by `latestAt`; undefined when it cannot. */
function wayOut(state: SchedulerState, core: CoreState, running: JobState, latestAt: number): WayOut | undefined {
  const isEasy = isEasyToLeave(running);
  const border = stepEnd(state.now, core, running, isEasy ? 'typicalUs' : 'highUs');
  const { preemption } = state.plan;
  if ((!border.isLast || isEasy) && border.at <= latestAt) return { kind: 'yield', at: border.at };
  if (preemption?.kind !== 'within-step' || !isWithoutGuarantee(running)) return undefined;
  const at = state.now + preemption.abortUs;
  return at <= Math.min(latestAt, border.at) ? { kind: 'abort', at } : undefined;
}

/** A gang is interrupted as a whole. */
export function interrupt(running: JobState, { kind, at }: WayOut, job: JobState, decisions: Decision[]): void {
  assert(running.core !== undefined, 'a job that runs has a core');
  running.leavesAt = at;
  decisions.push({ kind, core: running.core.id, job: running.id, for: job.id });
}

/**
 * A gang needs several cores: those that are free or will be in time anyway, and for the rest of them those whose jobs are the least important. Where that is
 * not enough, none is interrupted in vain.
 */
function preemptForGang(state: SchedulerState, job: JobState, decisions: Decision[]): void {
  const { group, width } = job.model;
  const ways: { readonly running: JobState; readonly way: WayOut; readonly cores: number }[] = [];
  let missing = width;
  for (const core of group.cores) {
    if (!mayTake(core, job)) continue;
    const latestAt = latestStartOnUs(state, job, core);
    const { running } = core;
    if (freeAtUs(state, core) <= latestAt) missing -= 1;
    else if (running !== undefined && running.leavesAt === undefined && state.policy.goesBefore(job, running, state)) {
      if (ways.some((other) => other.running === running)) continue;
      const way = wayOut(state, core, running, latestAt);
      if (way !== undefined) ways.push({ running, way, cores: group.cores.filter((other) => other.running === running).length });
    }
  }
  ways.sort((a, b) => (state.policy.goesBefore(a.running, b.running, state) ? 1 : -1));
  const chosen: typeof ways = [];
  for (const row of ways) {
    if (missing <= 0) break;
    chosen.push(row);
    missing -= row.cores;
  }
  if (missing <= 0) for (const { running, way } of chosen) interrupt(running, way, job, decisions);
}

/** An abort takes away what has been paid for; only who was promised nothing may lose that. */
const isWithoutGuarantee = (job: JobState): boolean => job.stream.stream.criticality === 'background' && job.pledgedUs === 0;

/** Of the cores that could take the job, the one whose own job would be the last to be chosen now; undefined when all of them go before it. */
function leastImportantUnder(state: SchedulerState, job: JobState): CoreState | undefined {
  let least: CoreState | undefined;
  for (const core of job.model.group.cores) {
    const { running } = core;
    if (running === undefined || !mayTake(core, job)) continue;
    // One core has been asked already: whoever is more important takes it.
    if (running.leavesAt !== undefined) return undefined;
    const { goesBefore } = state.policy;
    if (!goesBefore(job, running, state)) continue;
    if (least?.running === undefined || goesBefore(least.running, running, state)) least = core;
  }
  return least;
}

/** Whether nobody who waits, or is expected, is hurt if the core runs on to the end of its segment. */
function canDrain(state: SchedulerState, core: CoreState, running: JobState, job: JobState): boolean {
  const { hold } = state.policy;
  if (hold === undefined || isEasyToLeave(running)) return false;
  const { group } = job.model;
  if (group.cores.length > 1 && hasOtherTurn(state, job)) return true;
  const leftUs = Math.max(1, running.startedAt + highRunUs(core) - state.now);
  // A job that is served late as well is not to be made later still by one of a lower class.
  if (job.rank < running.rank && state.now + leftUs + highRestUs(job, core) + job.stream.tail.highUs > job.deadlineAt) return false;
  // A server is owed its budget by its deadline, and who else will be owed some by then is not foreseen: what costs nothing is done at once.
  if (isFunded(job) && (isFreeToResume(running) || state.now + leftUs + claimUs(job, core) > job.urgentAt)) return false;
  const before = core.held.splice(0);
  for (const waiting of moreImportant(state, core, running)) core.held.push(heldNow(state, waiting));
  const isHarmless = hold(state.now, core, running, leftUs) === undefined;
  core.held.splice(0, core.held.length, ...before);
  return isHarmless;
}

/** Whether enough cores of the job's list come free in time for it and for those that wait before it. */
function hasOtherTurn(state: SchedulerState, job: JobState): boolean {
  const { cores, waiting } = job.model.group;
  const ahead = waiting.placeOf(job);
  let inTime = 0;
  for (const core of cores) {
    if (mayTake(core, job) && freeAtUs(state, core) <= latestStartOnUs(state, job, core)) inTime += 1;
  }
  return inTime > ahead;
}

function moreImportant(state: SchedulerState, core: CoreState, running: JobState): JobState[] {
  const found: JobState[] = [];
  for (const { cores, waiting } of state.groups) {
    if (!cores.includes(core)) continue;
    for (let place = 0; place < Math.min(waiting.size, WEIGHED_MAX); place += 1) {
      const job = waiting.at(place);
      if (job !== undefined && state.policy.goesBefore(job, running, state)) found.push(job);
    }
  }
  return found;
}

const heldNow = (state: SchedulerState, job: JobState): HoldState => ({
  job,
  for: job.stream.stream.id,
  until: state.now,
  likelyUntil: state.now,
});
