import type { InstantUs } from '../core/units.ts';
import { highUsOn, typicalUsOn } from './cost-of.ts';
import { endBy, tightUs } from './protected-span.ts';
import type { CoreState, JobState, StreamState } from './state.ts';

/** Where more than that come before all of it is over, to look at each of them costs more than to weigh the most urgent ones. */
const JOBS_MAX = 8;

/** Sums of costs differ in their last digits by the order in which they are taken. */
const EPSILON_US = 1e-3;

/**
 * Whether all that is expected on the core before it would be idle again after a run of the candidate is in time even if it comes last. Then that run makes
 * nobody late: from there on the core is as if it had never been busy. False says nothing.
 */
export function isIdleInTime(now: InstantUs, core: CoreState, candidate: JobState, freeAt: number): boolean {
  if (core.held.length > 0) return false;
  const { arrivals, homeStreams } = core;
  // What comes by `countedUntil` has been counted: the core is idle at `idleAt` if nothing more comes.
  let countedUntil = Number.NEGATIVE_INFINITY;
  let idleAt = freeAt;
  let dueAt = Number.POSITIVE_INFINITY;
  let secondFrom = Number.POSITIVE_INFINITY;
  let jobs = 0;
  for (;;) {
    const until = idleAt;
    for (let place = arrivals.next(0, countedUntil, until); place >= 0; place = arrivals.next(place + 1, countedUntil, until)) {
      const stream = homeStreams[place] as StreamState;
      if (stream.rank > candidate.rank) continue;
      const { model, releases } = stream;
      const arrivalAt = releases.predict(now) ? releases.arrivalAt : Number.POSITIVE_INFINITY;
      if (arrivalAt > until) {
        // What was expected has not come, or will not any more; it is met again where it belongs now.
        arrivals.set(place, arrivalAt);
        continue;
      }
      jobs += 1;
      if (jobs > JOBS_MAX) return false;
      const highUs = highUsOn(model, core);
      const streamDueAt = endBy(stream, arrivalAt, highUs, releases.captureAt + stream.stream.deadlineUs);
      idleAt += arrivalAt + highUs <= streamDueAt ? highUs : tightUs(arrivalAt, streamDueAt, typicalUsOn(model, core));
      dueAt = Math.min(dueAt, streamDueAt);
      secondFrom = Math.min(secondFrom, arrivalAt + releases.intervalUs);
    }
    if (idleAt > dueAt - EPSILON_US || idleAt >= secondFrom) return false;
    if (idleAt === until) return true;
    countedUntil = until;
  }
}
