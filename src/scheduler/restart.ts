import type { Decision } from '../core/decision.ts';
import type { FailReason } from '../core/outcome.ts';
import { isShed } from './admission.ts';
import { isHopeless } from './feasibility.ts';
import { endJob, leaveWaiting, letGo, putWaiting } from './lifecycle.ts';
import type { CoreState, JobState, SchedulerState } from './state.ts';
import { isAnswering } from './turn.ts';

/** Turns that wait and whose cache was on a core that is lost. */
export function restartTurns(state: SchedulerState, core: CoreState, reason: FailReason, decisions: Decision[]): void {
  for (const { open } of state.streams.values()) {
    if (open.length === 0) continue;
    for (const job of open.filter(({ keptOn, phase }) => keptOn?.includes(core) === true && phase === 'waiting'))
      restart(state, job, reason, decisions);
  }
}

/**
 * Puts a job whose core is lost, with all that it had come to, back to its beginning. It fails when it has said something already, when it was tried often
 * enough, or when it cannot be in time any more. True when it waits.
 */
export function restart(state: SchedulerState, job: JobState, reason: FailReason, decisions: Decision[]): boolean {
  const hasSpoken = isAnswering(job);
  job.losses += 1;
  job.stepsDone = 0;
  letGo(job);
  if (hasSpoken || !canRequeue(state, job)) {
    endJob(state, job, { kind: 'failed', reason }, decisions);
    return false;
  }
  if (job.phase === 'waiting') leaveWaiting(state, job);
  putWaiting(state, job, 'first');
  return true;
}

/** Not into a place that newer frames have taken meanwhile. */
function canRequeue(state: SchedulerState, job: JobState): boolean {
  const { stream, waiting } = job.stream;
  const placesMax = stream.freshness.kind === 'queue' ? stream.freshness.jobsMax : 1;
  const others = job.phase === 'waiting' ? waiting.length - 1 : waiting.length;
  const mayTryAgain =
    !state.isStopping && !isShed(job.stream) && !job.isCancelled && job.losses < state.plan.attemptsMax && others < placesMax;
  return mayTryAgain && !isHopeless(state, job);
}
