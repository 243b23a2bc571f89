import { npFp } from './np-fp.ts';
import { rta } from './rta.ts';
import { type AnalysisTask, type Finding, finding, type PriorityOrder, type TaskFinding, type Verdict, worstOf } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type ChainTask = Pick<AnalysisTask, 'id' | 'cost' | 'period' | 'deadline' | 'blocking' | 'jitter'>;

/** Where the response of a hop comes from: an analysis of all tasks on one core, or each task's deadline, proven elsewhere. */
export type ResponseSource = 'rta' | 'np-fp' | 'deadline';

export interface ChainMethod {
  readonly via: ResponseSource;
  readonly order: PriorityOrder;
}

export interface Chain {
  readonly id: string;
  /** Ids of tasks, in the order that data takes. */
  readonly tasks: readonly string[];
  /** Longest end-to-end latency allowed; undefined: it is only told. */
  readonly deadline: number | undefined;
}

/**
 * End-to-end latency of chains whose hops are not synchronised: each task samples the last result of the one before it, so data waits at most
 * one period and one response at every hop: `sum_i (T_i + R_i)` (Davare et al. 2007).
 *
 * Findings: of each chain `latency` and, where there is one, `deadline`, then of each task `response`.
 */
export function chain(tasks: readonly ChainTask[], chains: readonly Chain[], how: ChainMethod, bound: WorkBound): Finding {
  const base = responsesOf(tasks, how, bound);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const responses = new Map(base.tasks.map((row) => [row.id, row.times.response]));
  const rows = chains.map((one): TaskFinding => {
    let latency = 0;
    for (const id of one.tasks) latency += (byId.get(id)?.period ?? 0) + (responses.get(id) ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(latency)) return finding(one, base.verdict === 'unschedulable' ? 'unschedulable' : 'unknown');
    if (one.deadline === undefined) return finding(one, 'schedulable', { latency });
    // The sum is an upper bound that need not be reached.
    return finding(one, latency <= one.deadline ? 'schedulable' : 'unknown', { latency, deadline: one.deadline });
  });
  const verdict: Verdict = worstOf([base.verdict, ...rows.map((row) => row.verdict)]);
  const tooLong = rows.filter((row) => row.verdict !== 'schedulable').map(({ id }) => id);
  const reason =
    base.verdict !== 'schedulable'
      ? base.reason
      : tooLong.length > 0
        ? `the bound of chain ${tooLong.join(', ')} lies beyond its deadline; it need not be reached, so this proves nothing`
        : 'every chain is within its deadline, where it has one';
  return { verdict, reason, tasks: [...rows, ...base.tasks], ...(base.iterations === undefined ? {} : { iterations: base.iterations }) };
}

function responsesOf(tasks: readonly ChainTask[], { via, order }: ChainMethod, bound: WorkBound): Finding {
  if (via === 'rta') return rta(tasks, order, bound);
  if (via === 'np-fp') return npFp(tasks, order, bound);
  const rows = tasks.map((task) => finding(task, 'schedulable', { response: task.deadline }));
  return { verdict: 'schedulable', reason: 'responses are the deadlines', tasks: rows };
}
