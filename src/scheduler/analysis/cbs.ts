import { type CbsRun, type CbsServer, type CbsTask, simulateCbs } from './cbs-run.ts';
import { boundHit, dueOf, limitByHyperperiod, percentOf, sweepDeadlines, utilisationOf } from './demand.ts';
import { edfDemand } from './edf-demand.ts';
import { compare, type Fraction, floorOf, fraction, minus, ONE, plus, sum, times } from './fraction.ts';
import { shortList } from './rta.ts';
import { type Finding, finding, INSTANT_MAX, type TaskFinding, type Verdict } from './task.ts';
import type { WorkBound } from './work-bound.ts';

/** A timeline is told in at most so many stretches. */
const STRETCHES_MAX = 1_000;

/**
 * Constant-bandwidth servers beside hard tasks under EDF (Abeni and Buttazzo 1998). With D >= T the hard tasks and the servers are feasible iff
 * `U_p + sum U_s <= 1`; where a deadline is shorter, iff demand fits what the servers leave: `h(t) + t sum U_s <= t` at every deadline, which is
 * sufficient. The jobs given to the servers are played as well, with the tasks released together at 0.
 *
 * Findings: tasks: `response` (the longest that was played); servers: `lastEnd`, `response` (the longest), count `jobs`. `timeline`: who had the core when.
 */
export function cbs(tasks: readonly CbsTask[], servers: readonly CbsServer[], until: number | undefined, bound: WorkBound): Finding {
  const served = sum(servers.map(({ budget, period }) => fraction(budget, period)));
  const proof = prove(tasks, served, bound);
  const played = simulateCbs(tasks, servers, until, bound);
  const isProven = proof === 'schedulable' && played.missed.length === 0;
  // What does not fit even without a server is not for the servers to blame.
  const alone = isProven ? undefined : edfDemand(tasks, bound);
  const { verdict, reason } = isProven
    ? { verdict: proof, reason: `tasks and servers together have a load of ${percentOf(plus(utilisationOf(tasks), served))}` }
    : alone?.verdict === 'unschedulable'
      ? { verdict: alone.verdict, reason: `even without servers: ${alone.reason}` }
      : judge(tasks, served, proof, { missed: played.missed, isSpent: bound.isSpent });
  const play = played.isComplete ? '' : ', and the run was played in part only';
  const timeline = played.stretches.slice(0, STRETCHES_MAX);
  const failed = alone?.verdict === 'unschedulable' ? failedTimes(alone) : {};
  return {
    verdict,
    reason: reason + play,
    tasks: rowsOf(tasks, servers, played, verdict),
    times: { until: played.until, ...failed },
    timeline,
  };
}

/** Of a set whose tasks fit alone, as far as is known. */
function judge(
  tasks: readonly CbsTask[],
  served: Fraction,
  proof: Verdict,
  { missed, isSpent }: { readonly missed: readonly string[]; readonly isSpent: boolean },
): Pick<Finding, 'verdict' | 'reason'> {
  const load = plus(utilisationOf(tasks), served);
  if (proof === 'unschedulable') return { verdict: proof, reason: `tasks and servers together have a load of ${percentOf(load)}` };
  if (missed.length > 0) return { verdict: 'unschedulable', reason: `in the run played, task ${shortList(missed)} missed a deadline` };
  if (isSpent) return { verdict: 'unknown', reason: boundHit(load) };
  const why = 'tasks with short deadlines may be late when the servers take all that is theirs';
  return { verdict: 'unknown', reason: `${why}; the test is sufficient only, so this proves nothing` };
}

const failedTimes = ({ times = {} }: Finding): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(times).filter(([key]) => key === 'failedAt' || key === 'demand'));

function prove(tasks: readonly CbsTask[], served: Fraction, bound: WorkBound): Verdict {
  const load = utilisationOf(tasks);
  const rest = minus(minus(ONE, load), served);
  if (rest.num < 0n) return 'unschedulable';
  if (tasks.every((task) => dueOf(task) >= task.period)) return 'schedulable';
  const limit = Math.min(limitByHyperperiod(tasks) ?? Number.POSITIVE_INFINITY, limitByRest(tasks, rest));
  if (limit > INSTANT_MAX) return 'unknown';
  const left = minus(ONE, served);
  const end = sweepDeadlines(tasks, limit, bound, (t, demand) => compare(fraction(demand), times(left, fraction(t))) <= 0);
  return end === 'done' ? 'schedulable' : 'unknown';
}

/** Beyond `sum (T - D) U / (1 - U_p - sum U_s)` demand can no longer reach what is left, as for L_a of the demand test. */
function limitByRest(tasks: readonly CbsTask[], rest: Fraction): number {
  if (rest.num <= 0n) return Number.POSITIVE_INFINITY;
  const surplus = sum(tasks.map((task) => fraction(BigInt(task.period - dueOf(task)) * BigInt(task.cost), task.period)));
  const last = floorOf({ num: surplus.num * rest.den, den: surplus.den * rest.num });
  const longest = tasks.reduce((most, task) => Math.max(most, dueOf(task) - task.period), 0);
  return Math.max(longest, Number(last));
}

function rowsOf(tasks: readonly CbsTask[], servers: readonly CbsServer[], played: CbsRun, verdict: Verdict): TaskFinding[] {
  const longest = new Map<string, number>();
  const lastEnd = new Map<string, number>();
  const jobs = new Map<string, number>();
  for (const { id, release, end } of played.ends) {
    longest.set(id, Math.max(longest.get(id) ?? 0, end - release));
    lastEnd.set(id, end);
    jobs.set(id, (jobs.get(id) ?? 0) + 1);
  }
  const response = (id: string): Readonly<Record<string, number>> => {
    const value = longest.get(id);
    return value === undefined ? {} : { response: value };
  };
  const ends = (id: string): Readonly<Record<string, number>> => {
    const value = lastEnd.get(id);
    return value === undefined ? {} : { lastEnd: value };
  };
  return [
    ...tasks.map((task) =>
      finding(task, played.missed.includes(task.id) || task.cost > dueOf(task) ? 'unschedulable' : verdict, response(task.id), {
        jobs: jobs.get(task.id) ?? 0,
      }),
    ),
    ...servers.map((server) =>
      finding(server, verdict, { ...response(server.id), ...ends(server.id) }, { jobs: jobs.get(server.id) ?? 0 }),
    ),
  ];
}

/** The longest that a token of cost c may take under a reservation of Q in every P: `c P / Q + 2 (P - Q)` (theory of the bounded-delay model). */
export const tokenBound = (cost: number, budget: number, period: number): number => (cost * period) / budget + 2 * (period - budget);
