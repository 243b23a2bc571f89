import { assert } from '../core/assert.ts';
import type { Decision } from '../core/decision.ts';
import type { Outcome } from '../core/outcome.ts';
import type { JobState, SchedulerState } from './state.ts';

/** The one place where jobs change phase, so that each ends exactly once and every list agrees. */
export function putWaiting(state: SchedulerState, job: JobState, place: 'last' | 'first'): void {
  assert(job.phase !== 'ended' && job.phase !== 'decoding', 'a job waits before it runs');
  job.phase = 'waiting';
  if (place === 'last') job.stream.waiting.push(job);
  else job.stream.waiting.unshift(job);
  job.stream.model.group.waiting.insert(job);
  state.waitingCount += 1;
}

export function leaveWaiting(state: SchedulerState, job: JobState): void {
  assert(job.phase === 'waiting', 'only a waiting job leaves the waiting');
  const { waiting, model } = job.stream;
  const index = waiting.indexOf(job);
  assert(index >= 0, 'a waiting job is in the list of its stream');
  waiting.splice(index, 1);
  model.group.waiting.remove(job);
  state.waitingCount -= 1;
}

export function endJob(state: SchedulerState, job: JobState, outcome: Outcome, decisions: Decision[]): void {
  assert(job.phase !== 'ended', `job ${job.id} ends once`);
  if (job.phase === 'waiting') leaveWaiting(state, job);
  job.phase = 'ended';
  state.jobs.delete(job.id);
  countLoss(job, outcome);
  decisions.push({ kind: 'end', job: job.id, outcome });
}

/** Giving way to a newer frame of its own stream is no loss to the stream, and the end of the run is nobody's. */
function countLoss(job: JobState, outcome: Outcome): void {
  if (outcome.kind === 'done') job.stream.lossesInARow = 0;
  else if (outcome.kind === 'dropped' && (outcome.reason === 'superseded' || outcome.reason === 'stopping')) return;
  else job.stream.lossesInARow += 1;
}
