import { latestStartUs } from './feasibility.ts';
import { isReady } from './precedence.ts';
import { isTalk, type JobState, type SchedulerState } from './state.ts';
import { hasRoom } from './turn.ts';

/**
 * Whether a turn stands back for another of its stream: a new one for those that have begun and could go on, since what is half said is worth more said whole
 * and its cache is there already; see PolicyTuning.resume for the exceptions.
 */
export function standsBack(state: SchedulerState, job: JobState): boolean {
  return isTalk(job.model) && job.stream.open.length > 0 && state.plan.tuning?.resume !== 'fair' && standsBackForOther(state, job);
}

function standsBackForOther(state: SchedulerState, job: JobState): boolean {
  const { keptOn, stream } = job;
  const { open, waiting } = stream;
  if (keptOn === undefined) return open.some((other) => other.phase === 'waiting' && isReady(state, other)) && !isPressed(state, job);
  return waiting.some((other) => other.keptOn === undefined && isPressed(state, other) && keptOn.every((core) => hasRoom(core, other)));
}

/** Whether a new turn will miss its first token if it waits for another burst. */
function isPressed(state: SchedulerState, job: JobState): boolean {
  const { model } = job.stream;
  const { steps } = model.plan;
  if (state.plan.tuning?.resume !== 'unless-late' || steps?.kind !== 'tokens' || !isReady(state, job)) return false;
  return state.now + steps.burstTokens * model.cost.overall.typicalUs > latestStartUs(state, job);
}
