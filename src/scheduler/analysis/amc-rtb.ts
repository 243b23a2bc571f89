import { levelLoad } from './level-load.ts';
import { shortList } from './rta.ts';
import {
  type AnalysisTask,
  asListed,
  BOUND_HIT,
  byPriority,
  type Finding,
  finding,
  type PriorityOrder,
  type TaskFinding,
  worstOf,
} from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type AmcTask = Pick<AnalysisTask, 'id' | 'cost' | 'costHigh' | 'isHigh' | 'period' | 'deadline'>;

/**
 * Adaptive mixed criticality, response-time bound (Baruah, Burns, Davis 2011): when a HI job overruns its C(LO), LO tasks are released no more.
 * `R_i(LO)` is the response of all tasks with their C(LO); for HI tasks `R_i(HI) = C_i(HI) + sum_{hpH} ceil(R_i(HI) / T_j) C_j(HI) +
 * sum_{hpL} ceil(R_i(LO) / T_k) C_k(LO)`. Sufficient, for preemptive fixed priorities. Deadlines beyond periods are taken as the period.
 *
 * Findings: `response` (LO mode), `responseHigh` (HI tasks; from the change of mode on).
 */
export function amcRtb(tasks: readonly AmcTask[], order: PriorityOrder, bound: WorkBound): Finding {
  const sorted = byPriority(tasks, order);
  const load = levelLoad(sorted);
  const found: TaskFinding[] = [];
  let iterations = 0;
  for (const [level, task] of sorted.entries()) {
    const limit = Math.min(task.deadline, task.period);
    const isAlwaysLate = level >= load.overloadedFrom || task.cost > task.deadline;
    const above = sorted.slice(0, level);
    const low = fixedPoint(task.cost, above, (other) => other.cost, limit, bound);
    iterations += low.iterations;
    if (low.kind !== 'found') {
      const isProof = low.kind === 'past' && (isAlwaysLate || task.deadline <= task.period);
      found.push(finding(task, isProof ? 'unschedulable' : 'unknown'));
      continue;
    }
    if (!task.isHigh) {
      found.push(finding(task, 'schedulable', { response: low.value }));
      continue;
    }
    const released = above
      .filter((other) => !other.isHigh)
      .reduce((sum, other) => sum + Math.ceil(low.value / other.period) * other.cost, 0);
    const critical = above.filter((other) => other.isHigh);
    const high = fixedPoint(task.costHigh + released, critical, (other) => other.costHigh, limit, bound);
    iterations += high.iterations;
    found.push(
      high.kind === 'found'
        ? finding(task, 'schedulable', { response: low.value, responseHigh: high.value })
        : finding(task, 'unknown', { response: low.value }),
    );
  }
  const listed = asListed(found, tasks);
  const verdict = worstOf(listed.map((one) => one.verdict));
  const open = listed.filter((one) => one.verdict !== 'schedulable').map(({ id }) => id);
  const reason =
    verdict === 'schedulable'
      ? 'every response is within its deadline, in LO mode and through a change to HI mode'
      : verdict === 'unschedulable'
        ? `task ${shortList(open)} may answer after the deadline`
        : bound.isSpent
          ? BOUND_HIT
          : `the bound for task ${shortList(open)} lies beyond the deadline; it is sufficient only, so this proves nothing`;
  return { verdict, reason, tasks: listed, iterations };
}

type FixedPoint = { readonly iterations: number } & (
  | { readonly kind: 'found'; readonly value: number }
  | { readonly kind: 'past' | 'bound' }
);

/** The least R with `R = base + sum_j ceil(R / T_j) cost_j`, if it is at most `limit`. */
function fixedPoint(
  base: number,
  above: readonly AmcTask[],
  costOf: (task: AmcTask) => number,
  limit: number,
  bound: WorkBound,
): FixedPoint {
  let value = base;
  let iterations = 0;
  while (value <= limit) {
    if (!bound.spend(above.length + 1)) return { kind: 'bound', iterations };
    iterations += 1;
    let next = base;
    for (const other of above) next += Math.ceil(value / other.period) * costOf(other);
    if (next <= value) return { kind: 'found', value, iterations };
    value = next;
  }
  return { kind: 'past', iterations };
}
