import { assert } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import type { DropReason, Outcome } from '../core/outcome.ts';
import type { DropRule } from './plan.ts';
import { rememberEnd } from './precedence.ts';
import { setStanding, unsettle, updateServer } from './server.ts';
import type { CoreState, Followed, JobState, SchedulerState, StreamRecord } from './state.ts';

/** The one place where jobs change phase, so that each ends exactly once and every list agrees. */
export function putWaiting(state: SchedulerState, job: JobState, place: 'last' | 'first'): void {
  assert(job.phase !== 'ended' && job.phase !== 'decoding', 'a job waits before it runs');
  job.phase = 'waiting';
  if (place === 'last') job.stream.waiting.push(job);
  else job.stream.waiting.unshift(job);
  setStanding(job);
  job.model.group.waiting.insert(job);
  state.waitingCount += 1;
  for (const { core } of job.stream.homes) core.homeWaitingCount += 1;
  if (job.stream.server !== undefined) updateServer(state, job.stream.server);
}

export function leaveWaiting(state: SchedulerState, job: JobState): void {
  assert(job.phase === 'waiting', 'only a waiting job leaves the waiting');
  const { waiting } = job.stream;
  // Mostly the only one; else the first: of a stream the oldest goes first, as a rule.
  const index = waiting[0] === job ? 0 : waiting.indexOf(job);
  assert(index >= 0, 'a waiting job is in the list of its stream');
  if (waiting.length === 1) waiting.pop();
  else if (index === 0) waiting.shift();
  else waiting.splice(index, 1);
  job.model.group.waiting.remove(job);
  state.waitingCount -= 1;
  unsettle(job.stream);
  for (const { core } of job.stream.homes) core.homeWaitingCount -= 1;
}

/** A job has begun whose model keeps what it comes to: it stays on those cores. */
export function keep(job: JobState, core: CoreState, others: readonly CoreState[]): void {
  if (job.keptOn !== undefined) return;
  job.stream.open.push(job);
  job.keptOn = [core, ...others];
}

/** It has lost that, or needs it no more. */
export function letGo(job: JobState): void {
  if (job.keptOn === undefined) return;
  const { open } = job.stream;
  open.splice(open.indexOf(job), 1);
  job.keptOn = undefined;
}

export function endJob(state: SchedulerState, job: JobState, outcome: Outcome, decisions: Decision[]): void {
  assert(job.phase !== 'ended', 'a job ends once', job.id);
  if (job.phase === 'waiting') leaveWaiting(state, job);
  letGo(job);
  job.phase = 'ended';
  state.jobs.remove(job.id);
  countLoss(job, outcome);
  keepRecord(job, outcome, state.policy.drop);
  decisions.push({ kind: 'end', job: job.id, outcome });
  const { followed } = job.stream;
  if (followed !== undefined) tellFollowers(state, job, followed, outcome, decisions);
}

/** Those that needed this result and wait are lost with it. */
function tellFollowers(state: SchedulerState, job: JobState, followed: Followed, outcome: Outcome, decisions: Decision[]): void {
  const { capturedAt } = job.job;
  const hasResult = outcome.kind === 'done' || outcome.kind === 'late';
  if (hasResult) job.stream.doneCount += 1;
  followed.live.delete(capturedAt);
  rememberEnd(followed, capturedAt, hasResult);
  if (hasResult || state.policy.countsResults) return;
  for (const follower of followed.followers) {
    for (const orphan of follower.waiting.filter((waiting) => waiting.job.capturedAt === capturedAt)) {
      endJob(state, orphan, { kind: 'dropped', reason: 'predecessor-lost' }, decisions);
    }
  }
}

/** Giving way to a newer frame of its own stream is no loss to the stream, nor is what nobody wants any more, and the end of the run is nobody's. */
const isNoLoss = (outcome: Outcome): boolean => outcome.kind === 'dropped' && NO_LOSSES.has(outcome.reason);
const NO_LOSSES: ReadonlySet<DropReason> = new Set(['superseded', 'cancelled', 'stopping']);

function countLoss(job: JobState, outcome: Outcome): void {
  if (outcome.kind === 'done') job.stream.lossesInARow = 0;
  else if (!isNoLoss(outcome)) job.stream.lossesInARow += 1;
}

/** The record forgets by halves: what a stream got in its last few hundred jobs counts. */
const RECORD_MAX = 512;

/** Where late jobs are not given up, a late result is worth nothing and yet is no loss. */
function keepRecord(job: JobState, outcome: Outcome, drop: DropRule): void {
  if (isNoLoss(outcome)) return;
  const { record } = job.stream;
  record.endedCount += 1;
  if (outcome.kind === 'done') record.valueSum += job.value;
  else if (outcome.kind !== 'late' || drop === 'infeasible') record.lostCount += 1;
  if (record.endedCount >= RECORD_MAX) halve(record);
}

function halve(record: StreamRecord): void {
  record.endedCount /= 2;
  record.lostCount /= 2;
  record.valueSum /= 2;
}
