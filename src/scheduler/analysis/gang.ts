import { type NpEdfTask, npEdf } from './np-edf.ts';
import { type AnalysisTask, asListed, type Finding, finding, type TaskFinding, type Verdict, worstOf } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type GangTask = NpEdfTask & Pick<AnalysisTask, 'cores' | 'group'>;

/**
 * Gangs: a region of a job takes `cores` cores at once, all or nothing, and is not preempted. Pinned to a core group, the regions of a group run one after
 * the other, so the group is analysed as one core under EDF without preemption inside a region: the longest region of a gang is the blocking of
 * everyone on those cores. Serving a group serially is one thing the cores can do, so the verdict is safe; smaller jobs of a group may run side by side.
 *
 * Findings: `blocking`, `cores`; counts: `coresNeeded` (the sum over groups of the widest gang), `cores`.
 *
 * @param cores how many there are; undefined: as many as it takes
 */
export function gang(tasks: readonly GangTask[], cores: number | undefined, tick: number, bound: WorkBound): Finding {
  const groups = new Map<string, GangTask[]>();
  for (const task of tasks) groups.set(task.group, [...(groups.get(task.group) ?? []), task]);
  const rows: TaskFinding[] = [];
  const verdicts: Verdict[] = [];
  const reasons: string[] = [];
  let points = 0;
  let coresNeeded = 0;
  for (const [group, members] of groups) {
    const found = npEdf(members, tick, bound);
    coresNeeded += members.reduce((widest, member) => Math.max(widest, member.cores), 1);
    points += found.points ?? 0;
    verdicts.push(found.verdict);
    if (found.verdict !== 'schedulable') reasons.push(group === '' ? found.reason : `group ${group}: ${found.reason}`);
    for (const [index, row] of found.tasks.entries()) {
      // A failure of the serial group proves nothing where two of its jobs could run side by side.
      rows.push({ ...row, counts: { cores: members[index]?.cores ?? 1 } });
    }
  }
  const listed = asListed(rows, tasks);
  const worst = worstOf(verdicts);
  const isSerial = [...groups.values()].every((members) => {
    const widest = members.reduce((most, member) => Math.max(most, member.cores), 1);
    return members.filter((member) => 2 * member.cores <= widest).length < 1;
  });
  const isTooWide = cores !== undefined && coresNeeded > cores;
  const verdict: Verdict =
    isTooWide || (worst === 'unschedulable' && isSerial) ? 'unschedulable' : worst === 'schedulable' ? worst : 'unknown';
  const reason = isTooWide
    ? `the groups need ${coresNeeded} cores and there are ${cores}`
    : verdict === 'schedulable'
      ? 'in every group, regions one after the other are in time'
      : verdict === 'unknown' && worst === 'unschedulable'
        ? `${reasons.join('; ')}; jobs of that group could run side by side, which this test does not look at`
        : reasons.join('; ');
  const counts = { coresNeeded, ...(cores === undefined ? {} : { cores }) };
  const shown =
    verdict === 'unknown'
      ? listed.map((row) => (row.verdict === 'unschedulable' ? { ...finding(row, 'unknown', row.times, row.counts) } : row))
      : listed;
  return { verdict, reason, tasks: shown, points, counts };
}
