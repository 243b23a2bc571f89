import { compare, type Fraction, fraction, minus, ONE, plus, sum, times, toNumber } from './fraction.ts';
import { type AnalysisTask, type Finding, finding, type Verdict } from './task.ts';

export type EdfVdTask = Pick<AnalysisTask, 'id' | 'cost' | 'costHigh' | 'isHigh' | 'period' | 'deadline'>;

/**
 * EDF with virtual deadlines for two criticalities (Baruah et al. 2012): schedulable as it is when `U_LO(LO) + U_HI(HI) <= 1`; else with
 * `x = U_HI(LO) / (1 - U_LO(LO))`, schedulable if `x U_LO(LO) + U_HI(HI) <= 1`, where HI jobs have the deadline x T until one overruns its C(LO).
 * Sufficient. Stated for D = T; a task with another deadline is taken with the shorter of both as its period, which asks more of the core than it does.
 *
 * Findings: `virtualDeadline` of HI tasks; counts: `loadLowLow`, `loadHighLow`, `loadHighHigh`, `scale` (x).
 */
export function edfVd(tasks: readonly EdfVdTask[]): Finding {
  const spanOf = (task: EdfVdTask): number => Math.min(task.period, task.deadline);
  const loadOf = (part: readonly EdfVdTask[], costOf: (task: EdfVdTask) => number): Fraction =>
    sum(part.map((task) => fraction(costOf(task), spanOf(task))));
  const low = tasks.filter((task) => !task.isHigh);
  const high = tasks.filter((task) => task.isHigh);
  const lowLow = loadOf(low, (task) => task.cost);
  const highLow = loadOf(high, (task) => task.cost);
  const highHigh = loadOf(high, (task) => task.costHigh);

  const isPlain = compare(plus(lowLow, highHigh), ONE) <= 0;
  const rest = minus(ONE, lowLow);
  // x <= 1 and x U_LO(LO) + U_HI(HI) <= 1, both multiplied by 1 - U_LO(LO) > 0.
  const isVirtual =
    rest.num > 0n && compare(plus(lowLow, highLow), ONE) <= 0 && compare(plus(times(highLow, lowLow), times(highHigh, rest)), rest) <= 0;
  const scale = isPlain ? 1 : rest.num > 0n ? toNumber({ num: highLow.num * rest.den, den: highLow.den * rest.num }) : undefined;
  const verdict = verdictOf(tasks, isPlain || isVirtual);
  const counts = {
    loadLowLow: toNumber(lowLow),
    loadHighLow: toNumber(highLow),
    loadHighHigh: toNumber(highHigh),
    ...(scale === undefined ? {} : { scale }),
  };
  const rows = tasks.map((task) =>
    finding(task, verdict, task.isHigh && verdict === 'schedulable' ? { virtualDeadline: (scale ?? 1) * spanOf(task) } : {}),
  );
  return { verdict, reason: reasonOf(verdict, isPlain), tasks: rows, counts };
}

/** The test is sufficient; that a set cannot be scheduled at all is known only when one of the two modes alone asks for more than the core. */
function verdictOf(tasks: readonly EdfVdTask[], isProven: boolean): Verdict {
  if (isProven) return 'schedulable';
  const inLow = sum(tasks.map((task) => fraction(task.cost, task.period)));
  const inHigh = sum(tasks.filter((task) => task.isHigh).map((task) => fraction(task.costHigh, task.period)));
  const isHopeless = tasks.some((task) => (task.isHigh ? task.costHigh : task.cost) > task.deadline);
  return isHopeless || compare(inLow, ONE) > 0 || compare(inHigh, ONE) > 0 ? 'unschedulable' : 'unknown';
}

function reasonOf(verdict: Verdict, isPlain: boolean): string {
  if (verdict === 'schedulable')
    return isPlain
      ? 'plain EDF serves every task with the cost of its own criticality'
      : 'schedulable with HI deadlines scaled by x until one overruns';
  if (verdict === 'unschedulable') return 'one of the two modes alone asks for more than the core, or a job takes longer than its deadline';
  return 'x U_LO(LO) + U_HI(HI) is above 1; the test is sufficient only, so this proves nothing';
}
