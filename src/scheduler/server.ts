import { assert } from '../core/assert.ts';
import { criticalityRank } from '../core/stream.ts';
import type { DurationUs } from '../core/units.ts';
import { goesBefore } from './job-order.ts';
import type { ServerPlan } from './plan.ts';
import { isReady } from './precedence.ts';
import type { CoreState, JobState, SchedulerState, ServerState, StreamState } from './state.ts';
import { highRestUs, highRowUs } from './steps.ts';

/*
 * Constant-bandwidth servers (Abeni and Buttazzo 1998) with hard reservations. A server has a budget Q in every period P. While some of it is left its streams
 * stand in the interactive class, whatever their own, with the deadline of the server: so a reserved background stream is not hidden behind interactive
 * ones, and a greedy one is no more urgent than its share.
 *
 *     comes to an idle server at r:  if c >= (d - r) Q / P:  d = r + P, c = Q;  else both are kept
 *     while it runs on its budget:   c falls
 *     at c <= 0:                     once d has come: c += Q, d += P.  Until then its streams may use what nobody of the classes above wants, for nothing
 *
 * The textbook's server moves its deadline on at once and goes on; what it used while nobody wanted the core then delays it when somebody does. Here what lies
 * idle is free, so a server has Q in every P whatever it used before, and the supply bound of a reservation holds (docs/decisions/0008).
 */

const INTERACTIVE = criticalityRank('interactive');
const BACKGROUND = criticalityRank('background');
/** An interactive stream without budget stands between the classes: behind those that have a claim, before background work. */
const SPARE = (INTERACTIVE + BACKGROUND) / 2;

/** Sums of shares of a run differ in their last digits. */
const EPSILON_US = 1e-3;

export function createServers(plans: readonly ServerPlan[], streams: ReadonlyMap<string, StreamState>): ServerState[] {
  const aboveUs = [...streams.values()].reduce((sum, { rank, stream }) => (rank < INTERACTIVE ? sum + stream.periodUs : sum), 0);
  const budgetsUs = plans.reduce((sum, plan) => sum + plan.budgetUs, 0);
  return plans.map((plan) => {
    const served = plan.streams.map((id) => {
      const stream = streams.get(id);
      assert(stream !== undefined, 'a server names streams of the plan', id);
      return stream;
    });
    const server: ServerState = {
      plan,
      streams: served,
      groups: [...new Set(served.flatMap(({ levels }) => levels.map(({ group }) => group)))],
      ratio: plan.budgetUs / plan.periodUs,
      lagMaxUs: plan.periodUs + 2 * (budgetsUs + aboveUs),
      budgetUs: 0,
      pledgedUs: 0,
      deadlineAt: Number.NEGATIVE_INFINITY,
      isActive: false,
      isFunded: false,
      settledUntil: Number.NEGATIVE_INFINITY,
    };
    for (const stream of served) stream.server = server;
    return server;
  });
}

/** Sets where a job stands, before it goes into a list. */
export function setStanding(job: JobState): void {
  const { server, rank } = job.stream;
  if (server?.isFunded === true) {
    job.rank = INTERACTIVE;
    job.urgentAt = server.deadlineAt;
    return;
  }
  job.rank = server !== undefined && rank === INTERACTIVE ? SPARE : rank;
  job.urgentAt = job.ownUrgentAt;
}

/** What is left of the budget beyond what the segments under way will take. */
export const budgetLeftUs = (server: ServerState): number => server.budgetUs - server.pledgedUs;

/** Whether the job has a claim on nothing. */
export const standsInBackground = ({ rank }: JobState): boolean => rank >= BACKGROUND;

/** Whether the job runs, or would run, on a reservation. */
export const isFunded = ({ stream, rank }: JobState): boolean => stream.server !== undefined && rank === INTERACTIVE;

/** By when the job should have had the core: of one with a reservation what its server is owed, not what it wants itself. */
export const standingDueAt = (job: JobState): number => (isFunded(job) ? job.urgentAt : job.deadlineAt);

/** How much of the core the job has a claim on by then: all that it still needs, or what its server is owed. */
export function claimUs(job: JobState, core: CoreState): number {
  const restUs = highRestUs(job, core);
  const { server } = job.stream;
  return server !== undefined && isFunded(job) ? Math.min(restUs, budgetLeftUs(server)) : restUs;
}

/** Brings all servers up to now; returns those that have got budget while something of theirs waits, if any. */
export function updateServers(state: SchedulerState): ServerState[] | undefined {
  let risen: ServerState[] | undefined;
  for (const server of state.servers) {
    if (state.now < server.settledUntil) continue;
    const wasFunded = server.isFunded;
    updateServer(state, server);
    if (!server.isFunded || wasFunded || !server.isActive) continue;
    risen ??= [];
    risen.push(server);
  }
  return risen;
}

/** True when its waiting jobs changed their places. */
export function updateServer(state: SchedulerState, server: ServerState): boolean {
  const { now } = state;
  const { periodUs, budgetUs } = server.plan;
  const before = server.deadlineAt;
  const isActive = hasWork(state, server);
  if (isActive && !server.isActive && server.budgetUs >= (before - now) * server.ratio) {
    server.deadlineAt = now + periodUs;
    server.budgetUs = budgetUs;
  }
  server.isActive = isActive;
  if (isActive && server.budgetUs <= 0 && server.deadlineAt <= now) {
    // Waiting for safety work and for other servers is made up for: where they fit together it takes no longer than their costs, over what safety leaves, here
    // half of the core. What lasted longer than that was an overload, or a core that was away, and is not.
    server.deadlineAt = Math.max(server.deadlineAt, now - server.lagMaxUs);
    while (server.budgetUs <= 0 && server.deadlineAt <= now) {
      server.budgetUs += budgetUs;
      server.deadlineAt += periodUs;
    }
  }
  server.settledUntil = settledUntil(server);
  const isFunded = budgetLeftUs(server) > 0;
  if (isFunded === server.isFunded && (!isFunded || server.deadlineAt === before)) return false;
  server.isFunded = isFunded;
  rekeyWaiting(server);
  return true;
}

/** When it gets budget or something to do because time passes; what waits for the result of another may go on at any time. */
function settledUntil({ isActive, budgetUs, deadlineAt, streams }: ServerState): number {
  let at = isActive && budgetUs <= 0 ? deadlineAt : Number.POSITIVE_INFINITY;
  for (const { after, waiting } of streams) {
    if (after !== undefined) return Number.NEGATIVE_INFINITY;
    if (!isActive) for (const { readyAt } of waiting) at = Math.min(at, readyAt);
  }
  return at;
}

/** To be called when a job of the stream waits or runs no more. */
export function unsettle({ server }: StreamState): void {
  if (server !== undefined) server.settledUntil = Number.NEGATIVE_INFINITY;
}

function rekeyWaiting({ groups, streams }: ServerState): void {
  // Mostly nobody waits.
  if (streams.every(({ waiting }) => waiting.length === 0)) return;
  for (const group of groups) {
    const waiting = streams.flatMap((stream) => stream.waiting.filter((job) => job.model.group === group));
    if (waiting.length > 0) group.waiting.rekey(waiting, setStanding);
  }
}

/** Something runs, or could as far as its own conditions go. */
function hasWork(state: SchedulerState, { streams }: ServerState): boolean {
  for (const { runningCount, waiting } of streams) {
    if (runningCount > 0) return true;
    for (const job of waiting) if (isReady(state, job)) return true;
  }
  return false;
}

/** Of the next steps of the job, as many as its server's budget pays for: at least one, since a step cannot be divided; all where it needs no budget. */
export function stepsPaidFor(core: CoreState, job: JobState, most: number): number {
  const { server } = job.stream;
  if (server === undefined || !server.isFunded) return most;
  const leftUs = budgetLeftUs(server) + EPSILON_US;
  let paid = 1;
  let unpaid = most + 1;
  while (unpaid - paid > 1) {
    const middle = (paid + unpaid) >> 1;
    if (highRowUs(job, core, middle) <= leftUs) paid = middle;
    else unpaid = middle;
  }
  return paid;
}

/** A segment of the job starts that should take so long; true when other jobs of its server changed their places. */
export function pledge(state: SchedulerState, job: JobState, expectedUs: number): boolean {
  const { server } = job.stream;
  job.pledgedUs = 0;
  if (server === undefined || !server.isFunded) return false;
  // Whole microseconds, so that sums have no rounding.
  job.pledgedUs = Math.max(1, Math.ceil(expectedUs - EPSILON_US));
  server.pledgedUs += job.pledgedUs;
  return updateServer(state, server);
}

/** The segment has ended after so long. What runs on no budget costs nothing, and a core that was lost costs no more than was expected. */
export function charge(job: JobState, tookUs: DurationUs, isLost: boolean): void {
  const { server } = job.stream;
  if (server === undefined || job.pledgedUs === 0) return;
  server.pledgedUs -= job.pledgedUs;
  server.budgetUs -= isLost ? Math.min(tookUs, job.pledgedUs) : tookUs;
  job.pledgedUs = 0;
}

/** The most urgent job of the server that waits and could go. */
export function firstOf(state: SchedulerState, { streams }: ServerState): JobState | undefined {
  let first: JobState | undefined;
  for (const { waiting } of streams) {
    for (const job of waiting) if (isReady(state, job) && (first === undefined || goesBefore(job, first))) first = job;
  }
  return first;
}

/** When some server that has something to do gets its next budget; infinite when none waits for that. */
export function nextBudgetAt(state: SchedulerState): number {
  let at = Number.POSITIVE_INFINITY;
  for (const { isActive, budgetUs, deadlineAt, streams } of state.servers) {
    // One whose budget is only pledged gets no more before the segments that it is pledged to have ended.
    if (isActive && budgetUs <= 0 && deadlineAt < at && streams.some(({ waiting }) => waiting.length > 0)) at = deadlineAt;
  }
  return at;
}
