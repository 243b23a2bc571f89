import { compare, type Fraction, fraction, ONE, plus, ZERO } from './fraction.ts';
import { shortList } from './rta.ts';
import { type AnalysisTask, type Finding, finding, type TaskFinding, type Verdict } from './task.ts';

export type FederatedTask = Pick<AnalysisTask, 'id' | 'cost' | 'path' | 'period' | 'deadline'>;

/**
 * Federated scheduling of parallel jobs (Li, Chen, Agrawal, Lu, Gill, Saifullah 2014): a job of work C, longest path L and deadline D <= T gets
 * `n = ceil((C - L) / (D - L))` cores of its own and answers within `L + (C - L) / n`, by Graham's bound. Jobs with C <= D need one core
 * only and share: first fit, heaviest first, by density `sum C / min(D, T) <= 1`. Deadlines beyond periods are taken as the period.
 *
 * Findings: `response`, `cores`, and for those that share `core`, the number of the shared core; counts: `coresNeeded`, `cores`.
 *
 * @param cores how many there are; undefined: as many as it takes
 */
export function federated(tasks: readonly FederatedTask[], cores: number | undefined): Finding {
  const rows = new Map<string, TaskFinding>();
  const shared: { readonly task: FederatedTask; readonly density: number }[] = [];
  let coresNeeded = 0;
  for (const task of tasks) {
    const span = Math.min(task.deadline, task.period);
    if (task.cost <= span) {
      shared.push({ task, density: task.cost / span });
    } else if (task.path >= span) {
      // D < L can never be; D = L with C > L neither. Under D > T the shorter deadline is this test's own, not the task's.
      rows.set(task.id, finding(task, task.path >= task.deadline ? 'unschedulable' : 'unknown'));
    } else {
      const needed = Math.ceil((task.cost - task.path) / (span - task.path));
      coresNeeded += needed;
      rows.set(task.id, finding(task, 'schedulable', { response: task.path + (task.cost - task.path) / needed }, { cores: needed }));
    }
  }
  const bins = packShared(shared, rows);
  coresNeeded += bins;
  const impossible = tasks.filter(({ id }) => rows.get(id)?.verdict !== 'schedulable').map(({ id }) => id);
  const isTooMany = cores !== undefined && coresNeeded > cores;
  const verdict: Verdict =
    impossible.length > 0
      ? tasks.some(({ id }) => rows.get(id)?.verdict === 'unschedulable')
        ? 'unschedulable'
        : 'unknown'
      : isTooMany
        ? 'unknown'
        : 'schedulable';
  const reason =
    impossible.length > 0
      ? `the longest path of task ${shortList(impossible)} leaves no time before its deadline, however many cores there are`
      : isTooMany
        ? `${coresNeeded} cores are needed and there are ${cores}; the test is sufficient only, so this proves nothing`
        : coresNeeded === 1
          ? '1 core is enough'
          : `${coresNeeded} cores are enough`;
  const counts = { coresNeeded, ...(cores === undefined ? {} : { cores }) };
  return { verdict, reason, tasks: tasks.flatMap(({ id }) => rows.get(id) ?? []), counts };
}

/** Only the last so many shared cores are tried, so that ten thousand light tasks are packed in seconds. */
const BINS_TRIED = 64;

function packShared(shared: { readonly task: FederatedTask; readonly density: number }[], rows: Map<string, TaskFinding>): number {
  shared.sort((a, b) => b.density - a.density);
  const bins: { load: number; exact: Fraction; count: number }[] = [];
  for (const { task, density } of shared) {
    const span = Math.min(task.deadline, task.period);
    let index = Math.max(0, bins.length - BINS_TRIED);
    for (; index < bins.length; index += 1) {
      const bin = bins[index];
      if (bin === undefined || bin.load + density > 1 + 1e-9) continue;
      const exact = plus(bin.exact, fraction(task.cost, span));
      if (compare(exact, ONE) > 0) continue;
      bins[index] = { load: bin.load + density, exact, count: bin.count + 1 };
      break;
    }
    if (index === bins.length) bins.push({ load: density, exact: plus(ZERO, fraction(task.cost, span)), count: 1 });
    const isAlone = bins[index]?.count === 1;
    // Alone it answers within its cost; beside others, EDF by density promises the deadline and no more.
    rows.set(task.id, finding(task, 'schedulable', { response: isAlone ? task.cost : span }, { cores: 1, core: index }));
  }
  for (const [index, bin] of bins.entries()) {
    if (bin.count < 2) continue;
    for (const { task } of shared) {
      const row = rows.get(task.id);
      if (row?.counts.core === index) rows.set(task.id, { ...row, times: { response: Math.min(task.deadline, task.period) } });
    }
  }
  return bins.length;
}
