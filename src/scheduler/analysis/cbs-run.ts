import type { AnalysisTask, Stretch } from './task.ts';
import type { WorkBound } from './work-bound.ts';

/** One job for a server. */
export interface ServedJob {
  readonly release: number;
  readonly cost: number;
}

export type CbsTask = Pick<AnalysisTask, 'id' | 'cost' | 'period' | 'deadline' | 'jitter'>;

export interface CbsServer {
  readonly id: string;
  /** Q_s, per period. Above 0, at most the period. */
  readonly budget: number;
  /** T_s. */
  readonly period: number;
  /** In order of release. */
  readonly jobs: readonly ServedJob[];
}

/** A periodic task released at 0, or a server; both are served by EDF. */
interface Party {
  readonly id: string;
  readonly index: number;
  readonly server: CbsServer | undefined;
  readonly task: CbsTask | undefined;
  /** Absolute deadline of what it runs now. */
  deadline: number;
  /** Left of a server's budget. */
  budget: number;
  /** Released and not finished, in order: when released, and what is left of it. */
  readonly waiting: { readonly release: number; left: number }[];
  /** Of a task: number of jobs released; of a server: the next job of its list. */
  released: number;
}

export interface JobEnd {
  readonly id: string;
  readonly release: number;
  readonly end: number;
}

export interface CbsRun {
  readonly stretches: readonly Stretch[];
  /** In order of their ends. */
  readonly ends: readonly JobEnd[];
  /** Jobs of tasks that ended after their deadline, or had not ended by then. */
  readonly missed: readonly string[];
  /** Up to where it was played. */
  readonly until: number;
  readonly isComplete: boolean;
}

/**
 * Plays a constant-bandwidth server beside hard tasks under EDF (Abeni and Buttazzo 1998), tasks released together at 0 and then every period. A job that
 * comes to an idle server at r: if `c >= (d - r) Q / T` then `d = r + T`, `c = Q`, else both are kept. While it is served c falls; at c = 0:
 * `d += T`, `c = Q`. Equal deadlines: tasks before servers, then as listed.
 *
 * @param until undefined: to the first idle instant after every job of every server has ended
 */
export function simulateCbs(tasks: readonly CbsTask[], servers: readonly CbsServer[], until: number | undefined, bound: WorkBound): CbsRun {
  const parties = [...tasks.map(partyOfTask), ...servers.map((server, index) => partyOfServer(server, tasks.length + index))];
  const stretches: Stretch[] = [];
  const ends: JobEnd[] = [];
  const missed = new Set<string>();
  let now = 0;
  for (let turn = 0; ; turn += 1) {
    if (turn >= TURNS_MAX || !bound.spend(parties.length * TERMS_PER_PARTY))
      return { stretches, ends, missed: [...missed], until: now, isComplete: false };
    for (const party of parties) release(party, now);
    const party = mostUrgent(parties);
    if (until === undefined ? party === undefined && parties.every(isServed) : now >= until) break;
    const next = Math.min(nextRelease(parties), until ?? Number.POSITIVE_INFINITY);
    if (party === undefined) {
      now = next;
      continue;
    }
    const to = Math.min(next, now + run(party, next - now, now, ends, missed));
    extend(stretches, { from: now, to, id: party.id });
    now = to;
  }
  // What is not done at its very deadline is late, also when the run ends there.
  for (const party of parties) if (party.task !== undefined && party.waiting.length > 0 && party.deadline <= now) missed.add(party.id);
  return { stretches, ends, missed: [...missed], until: now, isComplete: true };
}

const TERMS_PER_PARTY = 10;
/** Every turn may leave a stretch and an end behind. */
const TURNS_MAX = 200_000;

/** Every job that a server will get has ended. */
const isServed = ({ server, released, waiting }: Party): boolean =>
  server === undefined || (released >= server.jobs.length && waiting.length === 0);

const partyOfTask = (task: CbsTask, index: number): Party => ({
  id: task.id,
  index,
  server: undefined,
  task,
  deadline: 0,
  budget: 0,
  waiting: [],
  released: 0,
});

const partyOfServer = (server: CbsServer, index: number): Party => ({
  id: server.id,
  index,
  server,
  task: undefined,
  deadline: 0,
  budget: 0,
  waiting: [],
  released: 0,
});

function release(party: Party, now: number): void {
  const { task, server, waiting } = party;
  if (task !== undefined) {
    while (party.released * task.period <= now) {
      const at = party.released * task.period;
      if (waiting.length === 0) party.deadline = at + task.deadline;
      waiting.push({ release: at, left: task.cost });
      party.released += 1;
    }
  }
  if (server !== undefined) {
    for (let job = server.jobs[party.released]; job !== undefined && job.release <= now; job = server.jobs[party.released]) {
      // c >= (d - r) Q / T, without a division.
      if (waiting.length === 0 && party.budget * server.period >= (party.deadline - job.release) * server.budget) {
        party.deadline = job.release + server.period;
        party.budget = server.budget;
      }
      waiting.push({ release: job.release, left: job.cost });
      party.released += 1;
    }
  }
}

function mostUrgent(parties: readonly Party[]): Party | undefined {
  let best: Party | undefined;
  for (const party of parties) {
    if (party.waiting.length > 0 && (best === undefined || party.deadline < best.deadline)) best = party;
  }
  return best;
}

function nextRelease(parties: readonly Party[]): number {
  let at = Number.POSITIVE_INFINITY;
  for (const { task, server, released } of parties) {
    const next = task !== undefined ? released * task.period : server?.jobs[released]?.release;
    if (next !== undefined && next < at) at = next;
  }
  return at;
}

/** Serves it for at most `span`; returns for how long it was served. */
function run(party: Party, span: number, now: number, ends: JobEnd[], missed: Set<string>): number {
  const job = party.waiting[0];
  if (job === undefined) return 0;
  const { task, server } = party;
  const served = Math.min(span, job.left, server === undefined ? Number.POSITIVE_INFINITY : party.budget);
  job.left -= served;
  if (job.left === 0) {
    party.waiting.shift();
    ends.push({ id: party.id, release: job.release, end: now + served });
    if (task !== undefined) {
      if (now + served > party.deadline) missed.add(party.id);
      const next = party.waiting[0];
      if (next !== undefined) party.deadline = next.release + task.deadline;
    }
  }
  if (server !== undefined) {
    party.budget -= served;
    if (party.budget === 0) {
      party.deadline += server.period;
      party.budget = server.budget;
    }
  }
  return served;
}

function extend(stretches: Stretch[], next: Stretch): void {
  const last = stretches.at(-1);
  if (last !== undefined && last.id === next.id && last.to === next.from) stretches[stretches.length - 1] = { ...last, to: next.to };
  else stretches.push(next);
}
