import type { WorkBound } from './work-bound.ts';

/** A stream as one core sees it. Times are whole microseconds, but any unit does. */
export interface ClassTask {
  readonly id: string;
  /** Of its class; a smaller one always goes first. */
  readonly rank: number;
  /** Work of one release: one run, or several that come together. */
  readonly cost: number;
  /** The longest part of a run that is not preempted: all of it, unless it is cut. */
  readonly segment: number;
  /** Its last such part. */
  readonly last: number;
  readonly period: number;
  /** From the latest nominal release to the end of the work. */
  readonly deadline: number;
  /** How much earlier than nominal it may be released, with the deadline staying where it is. */
  readonly early: number;
  /** How much later than its tick it may be released, with the deadline counting from the release; so two may be that much closer than a period. */
  readonly jitter: number;
}

/** What holds a task up besides the work that goes before it. */
export interface Delays {
  /** The longest run of something less urgent that may have begun just before; it counts besides those of `others`. */
  readonly blocking: number;
  /** Whether runs of `others` with later deadlines or lower rank block as well. */
  readonly isBlockedByOthers: boolean;
}

/**
 * Longest time from the nominal release of a task to the end of its work on a core that serves the more important class first, EDF inside a class, without
 * preemption (the response-time analysis of non-preemptive EDF by George, Rivierre, Spuri 1996, with the interference of higher classes added as for fixed
 * priorities): for a release at a in a busy period that begins at 0,
 *
 *     w = B(a) + floor((a + J_i) / T_i) C_i + (C_i - L_i)
 *         + sum_{same class, D_j <= a + D_i} min(1 + floor((w + E_j + J_j) / T_j), 1 + floor((a + D_i - D_j + J_j) / T_j)) C_j
 *         + sum_{higher class} (1 + floor((w + E_j + J_j) / T_j)) C_j,
 *     R_i = max over a of w + L_i - a,
 *
 * with L the last part that is not preempted, a whole run unless it is cut, E the earliness, J the jitter, and B(a) the longest run with lower class or later
 * deadline. The a to look at
 * are those where `a + D_i` is a deadline of its class. Undefined when the busy period has no end (a load of 1 or more) or the work is spent.
 */
export function classResponse(task: ClassTask, others: readonly ClassTask[], delays: Delays, bound: WorkBound): number | undefined {
  const situation = situationOf(task, others, delays);
  const longest = busyPeriod(situation, bound);
  if (longest === undefined) return undefined;
  let response = 0;
  for (const { first, period } of releasesToTry(situation)) {
    // What is released at a ends by the end of the busy period, so those that can take no longer than what was found are passed over.
    for (let at = first; at < longest - response; at += period) {
      const start = lastStart(situation, at, bound);
      if (start === undefined) return undefined;
      response = Math.max(response, start + task.last - at);
    }
  }
  return response;
}

/**
 * Whether `classResponse` is at most `limit`, for less work: releases that are sure to answer within it are not looked at, and the first that does not is
 * enough. False when the work is spent.
 */
export function isClassResponseWithin(
  limit: number,
  task: ClassTask,
  others: readonly ClassTask[],
  delays: Delays,
  bound: WorkBound,
): boolean {
  const situation = situationOf(task, others, delays);
  if (!isFirstWithin(limit, situation, bound)) return false;
  const longest = busyPeriodAtMost(situation, bound);
  if (longest === undefined) return false;
  // What is released later answers no later: the busy period has ended, and another one is no worse than the first.
  const beyond = Math.min(longest - limit, sureFrom(situation, limit));
  for (const { first, period } of releasesToTry(situation)) {
    for (let at = first + period; at < beyond; at += period) if (!isStartWithin(situation, at, at + limit - task.last, bound)) return false;
  }
  return true;
}

/** Whether it may be so: what answers too late mostly does so soon, and then no busy period has to be looked through. False when the work is spent. */
export function mayClassResponseBeWithin(
  limit: number,
  task: ClassTask,
  others: readonly ClassTask[],
  delays: Delays,
  bound: WorkBound,
): boolean {
  const situation = situationOf(task, others, delays);
  const { atLeast, ceiling } = arrivalsOf(situation);
  return atLeast <= ceiling && isFirstWithin(limit, situation, bound);
}

/** Of the releases to try, the first in each row. */
function isFirstWithin(limit: number, situation: Situation, bound: WorkBound): boolean {
  for (const { first } of releasesToTry(situation)) {
    if (!isStartWithin(situation, first, first + limit - situation.task.last, bound)) return false;
  }
  return true;
}

function situationOf(task: ClassTask, others: readonly ClassTask[], delays: Delays): Situation {
  const peers = others.filter((other) => other.rank === task.rank);
  const above = others.filter((other) => other.rank < task.rank);
  const lower = others.filter((other) => other.rank > task.rank);
  const below = delays.isBlockedByOthers ? lower.reduce((most, { segment }) => Math.max(most, segment), delays.blocking) : delays.blocking;
  return { task, peers, above, below, delays };
}

interface Situation {
  readonly task: ClassTask;
  readonly peers: readonly ClassTask[];
  readonly above: readonly ClassTask[];
  /** The longest run of lower classes and of nobody in particular. */
  readonly below: number;
  readonly delays: Delays;
}

/** A busy period longer than this many periods of everybody is not looked through. */
const BUSY_PERIODS_MAX = 1_000;

/** With a load that is above 1 by more than what adding up ratios may be off, a busy period has no end. */
const FULL_RATIO = 1 + 1e-9;

function busyPeriod(situation: Situation, bound: WorkBound): number | undefined {
  const arrivals = arrivalsOf(situation);
  let length = arrivals.atLeast;
  while (length <= arrivals.ceiling) {
    if (!bound.spend(arrivals.tasks.length)) return undefined;
    const next = workBy(arrivals, length);
    if (next <= length) return length;
    length = next;
  }
  return undefined;
}

/** Some length that it does not exceed, mostly within a factor of 2; near a load of 1 that is found much sooner. Undefined as above. */
function busyPeriodAtMost(situation: Situation, bound: WorkBound): number | undefined {
  const arrivals = arrivalsOf(situation);
  if (arrivals.atLeast > arrivals.ceiling) return undefined;
  for (let length = arrivals.atLeast; length < 2 * arrivals.ceiling; length *= 2) {
    if (!bound.spend(arrivals.tasks.length)) return undefined;
    const most = Math.min(length, arrivals.ceiling);
    // Where no more work comes than there is time for, the busy period has ended.
    if (workBy(arrivals, most) <= most) return most;
  }
  return busyPeriod(situation, bound);
}

interface Arrivals {
  readonly tasks: readonly ClassTask[];
  readonly blocking: number;
  /**
   * Of the busy period: it solves `w = B + sum ceil((w + E + J) / T) C`, which is at least `B + w U + sum U_j (E_j + J_j)`. Infinite with a load above 1.
   */
  readonly atLeast: number;
  /** A longer one is not looked through. */
  readonly ceiling: number;
}

function arrivalsOf({ task, peers, above, below, delays }: Situation): Arrivals {
  const tasks = [task, ...peers, ...above];
  const blocking = delays.isBlockedByOthers ? peers.reduce((most, { segment }) => Math.max(most, segment), below) : below;
  let load = 0;
  let late = blocking;
  for (const { cost, period, early, jitter } of tasks) {
    load += cost / period;
    late += (cost / period) * (early + jitter);
  }
  const byLoad = load < 1 ? Math.floor((late / (1 - load)) * ROUNDED_DOWN) : 0;
  return {
    tasks,
    blocking,
    atLeast: load > FULL_RATIO ? Number.POSITIVE_INFINITY : Math.max(blocking + task.cost, byLoad),
    ceiling: BUSY_PERIODS_MAX * tasks.reduce((most, { period }) => Math.max(most, period), 0),
  };
}

/** What arrives before an instant, and what blocks. */
function workBy({ tasks, blocking }: Arrivals, length: number): number {
  let work = blocking;
  for (const { cost, period, early, jitter } of tasks) work += Math.ceil((length + early + jitter) / period) * cost;
  return work;
}

/** The first one and those that follow it, if any. */
interface Releases {
  readonly first: number;
  readonly period: number;
}

/** The release that begins the busy period, and those with a deadline of the class; what comes with the same phase and period stands once. */
function releasesToTry({ task, peers }: Situation): Iterable<Releases> {
  const releases = new Map<string, Releases>();
  const add = (first: number, period: number): void => {
    const key = `${first} ${period}`;
    if (!releases.has(key)) releases.set(key, { first, period });
  };
  add(0, Number.POSITIVE_INFINITY);
  for (const { deadline, jitter, period } of [task, ...peers]) {
    // Of the first job of each, and of those after it, which jitter brings nearer to the first.
    const offset = deadline - task.deadline;
    if (offset > 0) add(offset, Number.POSITIVE_INFINITY);
    const second = offset + period - jitter;
    add(second > 0 ? second : second + (Math.floor(-second / period) + 1) * period, period);
  }
  return releases.values();
}

/**
 * From here on every release answers within the limit, as the recurrence without its floors shows: with a load U below 1, what it adds up to at the latest
 * allowed start, `a + limit - L_i`, is a straight line in a that rises by U, so it stays below that start from where it meets it; as soon as all peers
 * count, which have a deadline up to `a + D_i` then and do not block. Infinite where it never does.
 */
function sureFrom({ task, peers, above, below }: Situation, limit: number): number {
  let load = task.cost / task.period;
  let work = below + task.cost - limit + load * task.jitter;
  let from = 0;
  for (const { cost, period, deadline, jitter } of peers) {
    load += cost / period;
    work += cost * (1 + (task.deadline - deadline + jitter) / period);
    from = Math.max(from, deadline - task.deadline);
  }
  for (const { cost, period, early, jitter } of above) {
    load += cost / period;
    work += cost * (1 + (limit - task.last + early + jitter) / period);
  }
  return load < 1 ? Math.max(from, (work / (1 - load)) * ROUNDED_UP) : Number.POSITIVE_INFINITY;
}

/** Sums of ratios are not exact. */
const [ROUNDED_DOWN, ROUNDED_UP] = [0.999, 1.001];

/** What is in the way of the last run of the release at `at`. */
interface InTheWay {
  /** Blocking, and the work of the task itself before that run. */
  readonly base: number;
  readonly due: number;
  /** Peers that may go before it. */
  readonly urgent: readonly ClassTask[];
  readonly above: readonly ClassTask[];
}

function inTheWayOf({ task, peers, above, below, delays }: Situation, at: number): InTheWay {
  const due = at + task.deadline;
  let blocking = below;
  const urgent: ClassTask[] = [];
  for (const peer of peers) {
    if (peer.deadline <= due) urgent.push(peer);
    else if (delays.isBlockedByOthers) blocking = Math.max(blocking, peer.segment);
  }
  const base = blocking + Math.floor((at + task.jitter) / task.period) * task.cost + task.cost - task.last;
  return { base, due, urgent, above };
}

/** The work before a run that has not begun by `start`. */
function workBefore({ base, due, urgent, above }: InTheWay, start: number): number {
  let work = base;
  for (const { early, jitter, period, cost, deadline } of urgent) {
    work += Math.min(1 + Math.floor((start + early + jitter) / period), 1 + Math.floor((due - deadline + jitter) / period)) * cost;
  }
  for (const { early, jitter, period, cost } of above) work += (1 + Math.floor((start + early + jitter) / period)) * cost;
  return work;
}

/** When the last run of the release at `at` begins; undefined when the work is spent. */
function lastStart(situation: Situation, at: number, bound: WorkBound): number | undefined {
  const before = inTheWayOf(situation, at);
  const terms = before.urgent.length + before.above.length + 1;
  let start = before.base;
  for (;;) {
    if (!bound.spend(terms)) return undefined;
    const next = workBefore(before, start);
    if (next <= start) return start;
    start = next;
  }
}

/** Whether it begins by `latest`: surely where no more work than that comes by then. False when the work is spent. */
function isStartWithin(situation: Situation, at: number, latest: number, bound: WorkBound): boolean {
  const before = inTheWayOf(situation, at);
  const terms = before.urgent.length + before.above.length + 1;
  if (!bound.spend(terms)) return false;
  if (latest >= 0 && workBefore(before, latest) <= latest) return true;
  for (let start = before.base; start <= latest; ) {
    if (!bound.spend(terms)) return false;
    const next = workBefore(before, start);
    if (next <= start) return true;
    start = next;
  }
  return false;
}
