import { instantUs } from '../core/units.ts';
import { largestPassing } from './largest-passing.ts';
import { stepsPaidFor } from './server.ts';
import type { CoreState, HoldState, JobState, Reservation, SchedulerState } from './state.ts';
import { canYield, highRowUs, longestStepUs, rowMax } from './steps.ts';
import { stepsDue } from './turn.ts';

/** How many steps to start, or why to start none. */
export type Grant = number | HoldState;

/**
 * The longest segment that hurts nobody more important, as the policy sees it. Where a core can be asked to yield, all of the rest is granted as long as
 * one step does no harm, since it can be taken back; elsewhere a segment is as long as the slack there is. It ends with the budget of its server, makes no
 * tokens that nobody listens to yet, and takes no more of the memory bus than more urgent runs on other cores can spare.
 */
export function grantOn(state: SchedulerState, core: CoreState, job: JobState): Grant {
  const grant = grantForCore(state, core, job);
  const { holdForBus } = state.policy;
  if (holdForBus === undefined || typeof grant !== 'number') return grant;
  const hold = holdForBus(state, core, job, grant);
  return hold === undefined ? grant : fewerForBus(state, core, job, grant, hold);
}

function grantForCore(state: SchedulerState, core: CoreState, job: JobState): Grant {
  const { hold } = state.policy;
  const most = mostSteps(state, core, job);
  if (hold === undefined || typeof most !== 'number') return most;
  const canTakeBack = state.policy.preempts && canYield(state);
  const first = hold(state.now, core, job, canTakeBack ? longestStepUs(job, core, most) : highRowUs(job, core, most));
  if (first === undefined) return most;
  return canTakeBack ? first : fewerUnheld(state, core, job, most, first);
}

// Closures are made where they are needed only, in functions of their own.

function fewerUnheld({ now, policy }: SchedulerState, core: CoreState, job: JobState, most: number, held: HoldState): Grant {
  return fewer(most, held, (steps) => policy.hold?.(now, core, job, highRowUs(job, core, steps)) === undefined);
}

function fewerForBus(state: SchedulerState, core: CoreState, job: JobState, most: number, held: HoldState): Grant {
  return fewer(most, held, (steps) => state.policy.holdForBus?.(state, core, job, steps) === undefined);
}

/** As many steps below `most` as are good; where none is, the reason why `most` are not. */
function fewer(most: number, held: HoldState, isGood: (steps: number) => boolean): Grant {
  const harmless = mostWithin(most - 1, isGood);
  return harmless === 0 ? held : harmless;
}

/** What runs where the gang waits for has taken longer than expected: any other event will do, this is the latest that it is looked at again. */
const LATE_US = 10_000;

/** All that can go into one segment; on a core that is kept for a gang, what ends before that can start. */
function mostSteps(state: SchedulerState, core: CoreState, job: JobState): Grant {
  const most = stepsPaidFor(core, job, Math.min(rowMax(job), stepsDue(state, job)));
  const { reserved } = core;
  return reserved === undefined || reserved.gang === job ? most : mostBefore(state.now, core, job, most, reserved);
}

function mostBefore(now: number, core: CoreState, job: JobState, most: number, { gang, at }: Reservation): Grant {
  const steps = mostWithin(most, (some) => now + highRowUs(job, core, some) <= at);
  if (steps > 0) return steps;
  return { job, for: gang.stream.stream.id, until: instantUs(at > now ? Math.ceil(at) : now + LATE_US), likelyUntil: at };
}

/** The largest number of steps, up to `most`, that is good, where fewer are never worse; 0 when one is too many. */
function mostWithin(most: number, isGood: (steps: number) => boolean): number {
  return most === 0 || isGood(most) ? most : largestPassing(0, most, isGood);
}
