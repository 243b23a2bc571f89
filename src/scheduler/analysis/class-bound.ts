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
  const peers = others.filter((other) => other.rank === task.rank);
  const above = others.filter((other) => other.rank < task.rank);
  const lower = others.filter((other) => other.rank > task.rank);
  const below = delays.isBlockedByOthers ? Math.max(delays.blocking, ...lower.map(({ segment }) => segment)) : delays.blocking;
  const situation: Situation = { task, peers, above, below, delays };
  const longest = busyPeriod(situation, bound);
  if (longest === undefined) return undefined;
  let response = 0;
  for (const at of releasesToTry(situation, longest)) {
    const start = lastStart(situation, at, bound);
    if (start === undefined) return undefined;
    response = Math.max(response, start + task.last - at);
  }
  return response;
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

function busyPeriod({ task, peers, above, below, delays }: Situation, bound: WorkBound): number | undefined {
  const rivals = [...peers, ...above];
  const ceiling = BUSY_PERIODS_MAX * Math.max(task.period, ...rivals.map(({ period }) => period));
  const blocking = delays.isBlockedByOthers ? Math.max(below, ...peers.map(({ segment }) => segment)) : below;
  let length = blocking + task.cost;
  while (length <= ceiling) {
    if (!bound.spend(rivals.length + 1)) return undefined;
    let next = blocking + Math.ceil((length + task.early + task.jitter) / task.period) * task.cost;
    for (const other of rivals) next += Math.ceil((length + other.early + other.jitter) / other.period) * other.cost;
    if (next <= length) return length;
    length = next;
  }
  return undefined;
}

function releasesToTry({ task, peers }: Situation, longest: number): ReadonlySet<number> {
  const releases = new Set<number>([0]);
  for (const other of [task, ...peers]) {
    // Of the first job of each, and of those after it, which jitter brings nearer to the first.
    const first = other.deadline - task.deadline;
    if (first > 0 && first < longest) releases.add(first);
    for (let at = first + other.period - other.jitter; at < longest; at += other.period) if (at > 0) releases.add(at);
  }
  return releases;
}

/** When the last run of the release at `at` begins; undefined when the work is spent. */
function lastStart({ task, peers, above, below, delays }: Situation, at: number, bound: WorkBound): number | undefined {
  const due = at + task.deadline;
  let blocking = below;
  const urgent: ClassTask[] = [];
  for (const peer of peers) {
    if (peer.deadline <= due) urgent.push(peer);
    else if (delays.isBlockedByOthers) blocking = Math.max(blocking, peer.segment);
  }
  const base = blocking + Math.floor((at + task.jitter) / task.period) * task.cost + task.cost - task.last;
  let start = base;
  for (;;) {
    if (!bound.spend(urgent.length + above.length + 1)) return undefined;
    let next = base;
    for (const { early, jitter, period, cost, deadline } of urgent) {
      next += Math.min(1 + Math.floor((start + early + jitter) / period), 1 + Math.floor((due - deadline + jitter) / period)) * cost;
    }
    for (const { early, jitter, period, cost } of above) next += (1 + Math.floor((start + early + jitter) / period)) * cost;
    if (next <= start) return start;
    start = next;
  }
}
