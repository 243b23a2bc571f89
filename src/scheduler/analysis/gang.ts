import { percentOf } from './demand.ts';
import { refuseHopeless } from './edf-demand.ts';
import { compare, fraction, ONE, sum } from './fraction.ts';
import { type NpEdfTask, npEdf } from './np-edf.ts';
import { type AnalysisTask, asListed, type Finding, finding, type TaskFinding, type Verdict, worstOf } from './task.ts';
import type { WorkBound } from './work-bound.ts';

export type GangTask = NpEdfTask & Pick<AnalysisTask, 'cores' | 'group'>;

/**
 * Gangs: a region of a job takes `cores` cores at once, all or nothing, and is not preempted. Pinned to a core group, the regions of a group run one after
 * the other, so the group is analysed as one core under EDF without preemption inside a region: the longest region of a gang is the blocking of
 * everyone on those cores. Serving a group serially is one thing the cores can do, so that it succeeds is a proof; that it fails is one only where nothing of the
 * group can run side by side, where a job is late even alone, and where the group has more work than cores.
 *
 * A group with a name has as many cores as its widest gang; tasks without a group have what the groups leave of `cores`, or, where that is not given, as
 * many as their widest gang.
 *
 * Findings: `blocking`, `cores`; counts: `coresNeeded` (the sum over groups of the widest gang), `cores`.
 *
 * @param cores how many there are; undefined: as many as `coresNeeded`
 */
export function gang(tasks: readonly GangTask[], cores: number | undefined, tick: number, bound: WorkBound): Finding {
  const groups = new Map<string, GangTask[]>();
  for (const task of tasks) groups.set(task.group, [...(groups.get(task.group) ?? []), task]);
  const coresNeeded = [...groups.values()].reduce((all, members) => all + widestOf(members), 0);
  const isTooWide = cores !== undefined && coresNeeded > cores;
  const rows: TaskFinding[] = [];
  const verdicts: Verdict[] = [];
  const reasons: string[] = [];
  let points = 0;
  for (const [group, members] of groups) {
    const unused = group === '' && cores !== undefined && !isTooWide ? cores - coresNeeded : 0;
    const found = serve(members, widestOf(members) + unused, tick, bound);
    points += found.points ?? 0;
    verdicts.push(found.verdict);
    if (found.verdict !== 'schedulable') reasons.push(group === '' ? found.reason : `group ${group}: ${found.reason}`);
    for (const [index, row] of found.tasks.entries()) rows.push({ ...row, counts: { cores: members[index]?.cores ?? 1 } });
  }
  const verdict = isTooWide ? 'unschedulable' : worstOf(verdicts);
  const reason = isTooWide
    ? `the groups need ${coresNeeded} cores and there are ${cores}`
    : verdict === 'schedulable'
      ? 'in every group, regions one after the other are in time'
      : reasons.join('; ');
  const counts = { coresNeeded, ...(cores === undefined ? {} : { cores }) };
  return { verdict, reason, tasks: asListed(rows, tasks), points, counts };
}

const widestOf = (members: readonly GangTask[]): number => members.reduce((most, member) => Math.max(most, member.cores), 1);

/** The members of one group on its cores. */
function serve(members: readonly GangTask[], size: number, tick: number, bound: WorkBound): Finding {
  const found = npEdf(members, tick, bound);
  if (found.verdict !== 'unschedulable' || !members.some((member) => 2 * member.cores <= size)) return found;
  // Two jobs, perhaps of one task, could run side by side.
  const hopeless = refuseHopeless(members);
  if (hopeless !== undefined) return { ...found, ...hopeless };
  const taken = sum(members.map((member) => fraction(BigInt(member.cost) * BigInt(member.cores), BigInt(member.period) * BigInt(size))));
  if (compare(taken, ONE) > 0) return { ...found, reason: `the load is ${percentOf(taken)} of the ${size} cores` };
  return {
    ...found,
    verdict: 'unknown',
    reason: `one after the other, ${found.reason}; jobs of that group could run side by side, which this test does not look at`,
    tasks: found.tasks.map((row) => finding(row, 'unknown', row.times, row.counts)),
  };
}
