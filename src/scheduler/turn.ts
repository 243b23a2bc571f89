import type { CoreState, JobState, SchedulerState } from './state.ts';
import { isTalk } from './state.ts';
import { promptStepsOf } from './steps.ts';

/*
 * A turn of a conversation: chunks of the prompt, the last of which gives the first token, then a step for each further token. What has been read and said
 * is in a cache on the core where it began, or the cores of a gang, so it goes on there or nowhere.
 */

/** Tokens of the answer that are there. */
export function tokensTold(job: JobState): number {
  const ahead = job.stepsDone - promptStepsOf(job);
  return ahead < 0 ? 0 : ahead + 1;
}

/** Whether the first token is there. Before it the job can be given up or begun anew; what was said cannot be taken back. */
export const isAnswering = (job: JobState): boolean => isTalk(job.model) && tokensTold(job) > 0;

const US_PER_SECOND = 1e6;
/** Sums of fractions of a microsecond differ in their last digits. */
const EPSILON = 1e-6;

/** To be called when a segment ended: of a turn that answers, when its next token may come, and by when it is wanted. */
export function expectNextToken(state: SchedulerState, job: JobState): void {
  if (!isAnswering(job)) return;
  job.firstTokenAt ??= state.now;
  const { perSecondMax, everyUs } = job.stream.stream.tokens ?? {};
  const paceUs = perSecondMax === undefined ? 0 : US_PER_SECOND / perSecondMax;
  job.readyAt = Math.ceil(job.firstTokenAt + tokensTold(job) * paceUs - EPSILON);
  // From the last token on, not from the first: what was late is not made up for at the expense of others.
  job.ownUrgentAt = Math.max(state.now, job.readyAt) + (everyUs ?? (paceUs > 0 ? paceUs : job.stream.stream.deadlineUs));
}

/** How many tokens the listener takes by now; at least one. */
export function tokensDue(state: SchedulerState, job: JobState): number {
  const { perSecondMax } = job.stream.stream.tokens ?? {};
  if (perSecondMax === undefined || job.firstTokenAt === undefined) return Number.POSITIVE_INFINITY;
  const wanted = Math.floor(((state.now - job.firstTokenAt) * perSecondMax) / US_PER_SECOND + EPSILON) + 1;
  return Math.max(1, wanted - tokensTold(job));
}

/** Whether the core has what the turn has come to, or the room to begin it. Anything else may run anywhere. */
export function hasRoom(core: CoreState, job: JobState): boolean {
  const { steps } = job.model.plan;
  if (steps?.kind !== 'tokens') return true;
  if (job.keptOn !== undefined) return job.keptOn.includes(core);
  let begun = 0;
  for (const other of job.stream.open) if (other.keptOn?.includes(core) === true) begun += 1;
  return begun < (steps.turnsMax ?? 1);
}
