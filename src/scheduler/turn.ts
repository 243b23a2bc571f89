import type { CoreState, JobState, SchedulerState, StreamState } from './state.ts';
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

/** To be called when a segment of so many steps ended: of a turn that answers, when its next token may come, and by when it is wanted. */
export function expectNextToken(state: SchedulerState, job: JobState, steps: number): void {
  if (!isAnswering(job)) {
    if (goesInTurn(state)) job.ownUrgentAt = chunkUrgentAt(state, job.stream, job.deadlineAt);
    return;
  }
  const before = job.ownUrgentAt;
  const isPartOfBurst = goesInTurn(state) && job.firstTokenAt !== undefined;
  job.firstTokenAt ??= state.now;
  job.readyAt = Math.ceil(job.firstTokenAt + tokensTold(job) * paceUs(job.stream) - EPSILON);
  // From the last token on, not from the first: what was late is not made up for at the expense of others.
  const urgentAt = Math.max(state.now, job.readyAt) + wantedEveryUs(job.stream);
  // One that was interrupted had a part of its burst, and falls behind the others by that part.
  job.ownUrgentAt = isPartOfBurst ? before + (urgentAt - before) * burstShare(job, steps) : urgentAt;
}

function burstShare({ model, stepCount, stepsDone }: JobState, steps: number): number {
  const plan = model.plan.steps;
  return plan?.kind === 'tokens' ? Math.min(1, steps / Math.min(plan.burstTokens, stepCount - stepsDone + steps)) : 1;
}

/**
 * By when the next chunk of a prompt is wanted: with the prompt, unless turns go on in turn. Then after as long as a token would be, or prompts would wait for those who
 * are answered, and these for prompts without end.
 */
export function chunkUrgentAt(state: SchedulerState, stream: StreamState, promptUrgentAt: number): number {
  return goesInTurn(state) ? Math.min(promptUrgentAt, state.now + wantedEveryUs(stream)) : promptUrgentAt;
}

const goesInTurn = ({ plan }: SchedulerState): boolean => plan.tuning?.resume === 'fair';

function paceUs({ stream: { tokens } }: StreamState): number {
  return tokens?.perSecondMax === undefined ? 0 : US_PER_SECOND / tokens.perSecondMax;
}

function wantedEveryUs(stream: StreamState): number {
  const { tokens, deadlineUs } = stream.stream;
  return tokens?.everyUs ?? (paceUs(stream) || deadlineUs);
}

/** How many of the next steps may go into one segment as far as turns go: the tokens that the listener takes by now, or a chunk where others have their turn then; at least one. */
export function stepsDue(state: SchedulerState, job: JobState): number {
  if (!isTalk(job.model)) return Number.POSITIVE_INFINITY;
  if (goesInTurn(state) && !isAnswering(job)) return 1;
  const { perSecondMax } = job.stream.stream.tokens ?? {};
  if (perSecondMax === undefined || job.firstTokenAt === undefined) return Number.POSITIVE_INFINITY;
  const wanted = Math.floor(((state.now - job.firstTokenAt) * perSecondMax) / US_PER_SECOND + EPSILON) + 1;
  return Math.max(1, wanted - tokensTold(job));
}

/** Whether the core has what the job has come to, or the room to begin it. What has come to nothing that is kept may run anywhere. */
export function hasRoom(core: CoreState, job: JobState): boolean {
  const { steps } = job.model.plan;
  if (job.keptOn !== undefined) return job.keptOn.includes(core);
  if (steps?.kind !== 'tokens') return true;
  let begun = 0;
  for (const other of job.stream.open) if (other.keptOn?.includes(core) === true) begun += 1;
  return begun < (steps.turnsMax ?? 1);
}
