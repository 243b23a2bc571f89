import type { CoreState, HoldState, JobState, SchedulerState } from './state.ts';
import { canYield, highRowUs, longestStepUs, rowMax } from './steps.ts';

/** How many steps to start, or why to start none. */
export type Grant = { readonly steps: number } | { readonly hold: HoldState };

/**
 * The longest segment that hurts nobody more important, as the policy sees it. Where a core can be asked to yield, all of the rest is granted as long as
 * one step does no harm, since it can be taken back; elsewhere a segment is as long as the slack there is.
 */
export function grantOn(state: SchedulerState, core: CoreState, job: JobState): Grant {
  const { hold } = state.policy;
  const most = rowMax(job);
  if (hold === undefined) return { steps: most };
  const canTakeBack = state.policy.preempts && canYield(state);
  const first = hold(state.now, core, job, canTakeBack ? longestStepUs(job, core, most) : highRowUs(job, core, most));
  if (first === undefined) return { steps: most };
  if (canTakeBack) return { hold: first };
  let harmless = 0;
  let harmful = most;
  while (harmful - harmless > 1) {
    const middle = (harmless + harmful) >> 1;
    if (hold(state.now, core, job, highRowUs(job, core, middle)) === undefined) harmless = middle;
    else harmful = middle;
  }
  return harmless === 0 ? { hold: first } : { steps: harmless };
}
