import type { Turn } from '../core/job.ts';
import type { CoreCosts } from './core-costs.ts';
import { highUsOn, typicalUsOn } from './cost-of.ts';
import { type CoreState, isKept, type JobState, type ModelState, type SchedulerState } from './state.ts';

/*
 * A job is a row of steps: the blocks of a network that was cut, or the chunks of a prompt and then the tokens of an answer. A model that is not cut has one.
 * What is started is a segment, some steps in a row.
 */

/** Steps of a job; of one that answers a turn, as many as it may have. */
export function stepCountOf({ plan: { steps } }: ModelState, turn: Turn | undefined): number {
  if (steps === undefined) return 1;
  if (steps.kind === 'blocks') return steps.shares.length;
  // The last chunk gives the first token.
  return chunkCount(steps.chunkTokens, turn) + (turn?.tokensMax ?? 1) - 1;
}

const chunkCount = (chunkTokens: number, turn: Turn | undefined): number => Math.ceil((turn?.promptTokens ?? 1) / chunkTokens);

/** Chunks of the job's prompt; 0 for a network. */
export function promptStepsOf(job: JobState): number {
  const { steps } = job.model.plan;
  return steps?.kind === 'tokens' ? chunkCount(steps.chunkTokens, job.job.turn) : 0;
}

/** How many of the next steps can go into one segment at most: chunks and tokens are never mixed, and a burst has its limit. */
export function rowMax(job: JobState): number {
  const left = job.stepCount - job.stepsDone;
  const { steps } = job.model.plan;
  if (steps?.kind !== 'tokens') return left;
  const chunksLeft = promptStepsOf(job) - job.stepsDone;
  return chunksLeft > 0 ? chunksLeft : Math.min(left, steps.burstTokens);
}

/** What the next `steps` of the job rarely exceed on that core, fetching again what it left there included. */
export const highRowUs = (job: JobState, core: CoreState, steps: number): number => rowUs(job, core, job.stepsDone, steps, 'highUs');

/** The steps that stand between the job and what its deadline asks for: all of a network's, of an answer those up to its first token. */
export const typicalRestUs = (job: JobState, core: CoreState): number => restUs(job, core, 'typicalUs');

export const highRestUs = (job: JobState, core: CoreState): number => restUs(job, core, 'highUs');

/** Expected of the segment that runs there now, from its start. */
export function typicalRunUs(core: CoreState): number {
  const { running } = core;
  return running === undefined ? 0 : running.reloadUs + stepsUs(running, core, running.stepsDone, running.granted, 'typicalUs');
}

export function highRunUs(core: CoreState): number {
  const { running } = core;
  return running === undefined ? 0 : running.reloadUs + stepsUs(running, core, running.stepsDone, running.granted, 'highUs');
}

type Quantile = 'typicalUs' | 'highUs';

const wholeUs = (model: ModelState, core: CoreState, quantile: Quantile): number =>
  quantile === 'highUs' ? highUsOn(model, core) : typicalUsOn(model, core);

/** Whether its jobs are one step each, as mostly: then a row and the rest are that, and there is nothing to fetch again. Asked first, since all of this is asked so often. */
const isWhole = ({ plan }: ModelState): boolean => plan.steps === undefined;

function rowUs(job: JobState, core: CoreState, from: number, steps: number, quantile: Quantile): number {
  if (isWhole(job.model)) return wholeUs(job.model, core, quantile);
  return reloadUsOn(job, core) + stepsUs(job, core, from, steps, quantile);
}

function restUs(job: JobState, core: CoreState, quantile: Quantile): number {
  if (isWhole(job.model)) return wholeUs(job.model, core, quantile);
  return rowUs(job, core, job.stepsDone, restSteps(job), quantile);
}

function restSteps(job: JobState): number {
  const isTurn = job.model.plan.steps?.kind === 'tokens';
  return isTurn ? Math.max(1, promptStepsOf(job) - job.stepsDone) : job.stepCount - job.stepsDone;
}

/** Steps [from, from + count) without anything around them. */
function stepsUs(job: JobState, core: CoreState, from: number, count: number, quantile: Quantile): number {
  const { model } = job;
  const { steps } = model.plan;
  const runUs = wholeUs(model, core, quantile);
  if (steps === undefined) return runUs;
  if (steps.kind === 'blocks') return runUs * shareOf(model, from, count);
  const chunks = Math.max(0, Math.min(from + count, chunkCount(steps.chunkTokens, job.job.turn)) - from);
  const chunkUs = model.chunk[quantile][core.index] as number;
  return chunks * chunkUs + (count - chunks) * runUs;
}

/** What the next `steps` take with the memory bus to themselves, as the plan has it: what was learnt contains whatever ran beside them. */
export function aloneRowUs(job: JobState, core: CoreState, steps: number): number {
  if (isWhole(job.model)) return aloneWholeUs(job.model, core);
  return reloadUsOn(job, core) + aloneStepsUs(job, core, job.stepsDone, steps);
}

/** The same of the steps that stand between the job and what its deadline asks for. */
export const aloneRestUs = (job: JobState, core: CoreState): number =>
  isWhole(job.model) ? aloneWholeUs(job.model, core) : aloneRowUs(job, core, restSteps(job));

function aloneWholeUs(model: ModelState, core: CoreState): number {
  const typicalUs = typicalUsOn(model, core);
  return model.exact === undefined ? Math.min(typicalUs, model.plan.costUs) : typicalUs;
}

function aloneStepsUs(job: JobState, core: CoreState, from: number, count: number): number {
  const { plan } = job.model;
  const typicalUs = stepsUs(job, core, from, count, 'typicalUs');
  if (job.model.exact !== undefined) return typicalUs;
  const { steps } = plan;
  if (steps?.kind !== 'tokens') return Math.min(typicalUs, plan.costUs * shareOf(job.model, from, count));
  const chunks = Math.max(0, Math.min(from + count, promptStepsOf(job)) - from);
  return Math.min(typicalUs, chunks * steps.chunkUs + (count - chunks) * plan.costUs);
}

/** Part of a whole run that blocks [from, from + count) take. */
function shareOf({ shareBefore }: ModelState, from: number, count: number): number {
  return (shareBefore[from + count] as number) - (shareBefore[from] as number);
}

/** What it takes to fetch again what a job left when it was interrupted: nothing when the core did nothing else since. */
export function reloadUsOn(job: JobState, core: CoreState): number {
  const { steps } = job.model.plan;
  if (job.stepsDone === 0 || steps === undefined || didNothingElse(job, core)) return 0;
  return steps.kind === 'blocks' ? (steps.switchUs[job.stepsDone - 1] ?? 0) : steps.switchUs;
}

/** Of a gang, none of its cores. */
function didNothingElse({ id, model }: JobState, core: CoreState): boolean {
  if (core.lastJob !== id) return false;
  if (model.width === 1) return true;
  let there = 0;
  for (const { lastJob } of model.group.cores) if (lastJob === id) there += 1;
  return there >= model.width;
}

/** Whether nothing has to be fetched again when the job goes on after an interruption, wherever that is. */
export function isFreeToResume({ model }: JobState): boolean {
  const { steps } = model.plan;
  if (steps === undefined) return false;
  return steps.kind === 'blocks' ? steps.switchUs.every((us) => us === 0) : steps.switchUs === 0;
}

/**
 * Whether an interruption costs no more than that somebody else runs in between, on a core whose runs take now and then several times what they should: what a job has come
 * to stays where it is. Nobody relies on such a run to be over soon, nor on knowing which step it is at.
 */
export const isEasyToLeave = ({ model, granted }: JobState): boolean => model.plan.steps?.kind === 'blocks' && isKept(model) && granted > 1;

/** How long a core that can be asked to yield may keep another job waiting: until the end of the longest of the next steps. */
export function longestStepUs(job: JobState, core: CoreState, count: number): number {
  if (isWhole(job.model)) return highUsOn(job.model, core);
  const reloadUs = reloadUsOn(job, core);
  let longestUs = 0;
  const { steps } = job.model.plan;
  if (steps?.kind === 'tokens') longestUs = stepsUs(job, core, job.stepsDone, 1, 'highUs');
  else
    for (let step = job.stepsDone; step < job.stepsDone + count; step += 1)
      longestUs = Math.max(longestUs, stepsUs(job, core, step, 1, 'highUs'));
  return reloadUs + longestUs;
}

/** When the step that the core is at ends, and whether it is the segment's last. */
export function stepEnd(
  now: number,
  core: CoreState,
  running: JobState,
  quantile: Quantile,
): { readonly at: number; readonly isLast: boolean } {
  const end = running.stepsDone + running.granted;
  let at = running.startedAt + running.reloadUs;
  for (let step = running.stepsDone; step < end; step += 1) {
    at += stepsUs(running, core, step, 1, quantile);
    if (at > now) return { at, isLast: step === end - 1 };
  }
  return { at: now, isLast: true };
}

export const canYield = ({ plan }: SchedulerState): boolean => plan.preemption !== undefined && plan.preemption.kind !== 'none';

/** What the time of the segment that ran says something about, and what one unit of it is: a whole run, a chunk, a token. */
export function learntFrom(job: JobState, steps: number): { readonly costs: CoreCosts; readonly ratio: number } {
  const { model } = job;
  if (isWhole(model)) return { costs: model.cost, ratio: 1 };
  const plan = model.plan.steps;
  if (plan?.kind === 'tokens') return { costs: job.stepsDone < promptStepsOf(job) ? model.chunk : model.cost, ratio: 1 / steps };
  return { costs: model.cost, ratio: 1 / shareOf(model, job.stepsDone, steps) };
}
