import { compare, type Fraction, floorOf, fraction, plus, times, toNumber, ZERO } from './fraction.ts';
import { shortList } from './rta.ts';
import { type AnalysisTask, type Finding, finding, INSTANT_MAX, type Verdict, worstOf } from './task.ts';

/** What a job moves over the shared memory. Whole units of bytes, as exact as the table gives them. */
export interface BandwidthTask extends Pick<AnalysisTask, 'id' | 'cost' | 'deadline'> {
  /** M, moved by one job. */
  readonly bytes: Fraction;
  /** Q, guaranteed per regulation period; undefined: not regulated. */
  readonly budget: Fraction | undefined;
}

export interface MemoryRegulation {
  /** P, the regulation period, in ticks. */
  readonly period: number;
  /** Peak rate in bytes a tick. */
  readonly rate: Fraction;
  /** What is sure even in the worst access pattern, in bytes a tick; at most the peak. */
  readonly guaranteed: Fraction;
}

/**
 * Memory bandwidth regulation (MemGuard: Yun, Yao, Pellizzoni, Caccamo, Sha 2013): budgets of Q bytes per period P are safe while their sum is at most the
 * guaranteed rate times P. A regulated segment that computes for c and moves M bytes takes `E <= c + ceil(M / Q) P`: in every period it stalls at most
 * until the next refill. One that is not regulated, alone on the bus, takes `max(c, M / rate)`; with others beside it there is no bound.
 *
 * Findings: `response` (E), and of a task that is not regulated `alone`; counts: `busShare`, the part of the guaranteed rate that is given away.
 */
export function bandwidth(tasks: readonly BandwidthTask[], memory: MemoryRegulation): Finding {
  const whole = times(memory.guaranteed, fraction(memory.period));
  let given: Fraction = ZERO;
  for (const { budget } of tasks) if (budget !== undefined) given = plus(given, budget);
  const isOverbooked = compare(given, whole) > 0;
  const isShared = tasks.length > 1;
  const rows = tasks.map((task) => {
    if (task.budget === undefined) {
      const alone = Math.max(task.cost, toNumber({ num: task.bytes.num * memory.rate.den, den: task.bytes.den * memory.rate.num }));
      const moves = task.bytes.num > 0n;
      const verdict: Verdict = alone > task.deadline ? 'unschedulable' : moves && isShared ? 'unknown' : 'schedulable';
      return finding(task, verdict, moves && isShared ? { alone } : { response: alone });
    }
    const refills = -floorOf({ num: -task.bytes.num * task.budget.den, den: task.bytes.den * task.budget.num });
    const response = task.cost + Number(refills) * memory.period;
    if (response > INSTANT_MAX) return finding(task, task.cost > task.deadline ? 'unschedulable' : 'unknown');
    const verdict: Verdict =
      response <= task.deadline ? (isOverbooked ? 'unknown' : 'schedulable') : task.cost > task.deadline ? 'unschedulable' : 'unknown';
    return finding(task, verdict, { response });
  });
  const verdict = worstOf(rows.map((row) => row.verdict));
  const counts = { busShare: toNumber({ num: given.num * whole.den, den: given.den * whole.num }) };
  const open = rows.filter((row) => row.verdict !== 'schedulable').map(({ id }) => id);
  const reason = isOverbooked
    ? 'the budgets together are more than the guaranteed rate gives in a period, so none of them is sure'
    : verdict === 'schedulable'
      ? 'every segment ends in time within its budget'
      : verdict === 'unknown'
        ? `for task ${shortList(open)} the bound lies beyond the deadline, or there is none since others share the bus and it has no budget`
        : `task ${shortList(open)} is too long even alone`;
  return { verdict, reason, tasks: rows, counts };
}
