import { leastTypicalUs } from '../cost-of.ts';
import type { PolicyTuning } from '../plan.ts';
import type { JobState, Policy, SchedulerState } from '../state.ts';
import { fastestCores } from './core-order.ts';

/** A job with less slack than half of its own run is critical: segments cannot be interrupted, so it has to get ready before its slack is gone. */
const CRITICAL_RATIO = 1 / 2;

/**
 * After XSched's LAX policy: a job has low priority while it is lax and is critical once its slack (deadline less now less its run) is nearly gone. The lax
 * ones are served in order of arrival, the critical ones by least slack.
 */
export const createLaxity = ({ drop = 'expired', preempts = false }: PolicyTuning): Policy => ({
  goesBefore,
  changesOrder: true,
  drop,
  coresFor: fastestCores,
  preempts,
  countsResults: false,
});

/** 1. critical before lax, 2. of critical ones less slack, 3. smaller job id. */
function goesBefore(a: JobState, b: JobState, state: SchedulerState): boolean {
  const [slackA, slackB] = [slackUs(a, state), slackUs(b, state)];
  const [isACritical, isBCritical] = [isCritical(a, slackA), isCritical(b, slackB)];
  if (isACritical !== isBCritical) return isACritical;
  if (isACritical && slackA !== slackB) return slackA < slackB;
  return a.id < b.id;
}

const slackUs = (job: JobState, state: SchedulerState): number => job.deadlineAt - state.now - runUs(job);
const isCritical = (job: JobState, slack: number): boolean => slack <= runUs(job) * CRITICAL_RATIO;
const runUs = ({ stream, model }: JobState): number => leastTypicalUs(model) + stream.tail.typicalUs;
