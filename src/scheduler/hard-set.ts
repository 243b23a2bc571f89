import type { Stream } from '../core/stream.ts';
import { criticalityRank } from '../core/stream.ts';

/** A stream with the cost of its model, as placed on one core. */
export interface Task {
  readonly stream: Stream;
  readonly costUs: number;
}

/** Costs are the manifest's medians; measured 97th percentiles of the sample models on a quiet machine lay within 15 % of them. */
export const COST_MARGIN = 1.15;
/** Reading and preparing the frame and decoding the outputs took about 12 ms of a camera's deadline; never more than a quarter of a short one. */
export const OFF_CORE_US = 12_000;
export const OFF_CORE_RATIO_MAX = 1 / 4;
/** The response-time recurrence grows by at least one cost a turn; past this many it has not converged. */
const TURNS_MAX = 1_000;

/**
 * Why these streams cannot share one core, or undefined when they can, as far as this test sees. It is a planning rule, not a proof: start-time analysis of
 * non-preemptive fixed priorities by class and deadline (Davis, Burns, Bril, Lukkien 2007), with the blocking from below taken out, since look-ahead
 * holds the core instead, and the longest such hold put in: H = max over the more urgent S of (C + C_S - D_S).
 */
export function hardSetProblem(tasks: readonly Task[]): string | undefined {
  const loadRatio = tasks.reduce((sum, task) => sum + costOf(task) / task.stream.periodUs, 0);
  if (loadRatio > 1) return `the core would be busy ${percent(loadRatio)} of the time`;
  const rows = tasks.map(rowOf);
  for (const row of rows) {
    const problem = taskProblem(
      row,
      rows.filter((other) => isMoreUrgent(other, row)),
    );
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** A task with all that is asked of it again and again: once for each of the others. */
interface Row {
  readonly id: string;
  readonly rank: number;
  readonly costUs: number;
  readonly periodUs: number;
  readonly deadlineUs: number;
  readonly onCoreUs: number;
}

const costOf = (task: Task): number => task.costUs * COST_MARGIN;

function rowOf(task: Task): Row {
  const { stream } = task;
  const { id, periodUs, deadlineUs } = stream;
  return { id, rank: criticalityRank(stream.criticality), costUs: costOf(task), periodUs, deadlineUs, onCoreUs: onCoreDeadlineUs(stream) };
}

const onCoreDeadlineUs = (stream: Stream): number => stream.deadlineUs - Math.min(OFF_CORE_US, stream.deadlineUs * OFF_CORE_RATIO_MAX);

function isMoreUrgent(a: Row, b: Row): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.deadlineUs !== b.deadlineUs ? a.deadlineUs < b.deadlineUs : a.id < b.id;
}

function taskProblem({ id, costUs, onCoreUs: limitUs }: Row, urgent: readonly Row[]): string | undefined {
  let holdUs = 0;
  for (const other of urgent) {
    const gapUs = other.periodUs + other.onCoreUs - 2 * other.costUs;
    if (costUs > gapUs) return `a run of ${id} (${ms(costUs)} ms) does not fit between two of ${other.id} (${ms(gapUs)} ms)`;
    holdUs = Math.max(holdUs, costUs + other.costUs - other.onCoreUs);
  }
  let waitUs = holdUs;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const nextUs = urgent.reduce((sum, other) => sum + (Math.floor(waitUs / other.periodUs) + 1) * other.costUs, holdUs);
    if (nextUs + costUs > limitUs)
      return `${id} may take ${ms(nextUs + costUs)} ms of the ${ms(limitUs)} ms that its deadline leaves the core`;
    if (nextUs === waitUs) return undefined;
    waitUs = nextUs;
  }
  return `the response time of ${id} does not converge`;
}

const ms = (us: number): string => String(Math.round(us / 100) / 10);
const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;
