import { freeAtUs, latestStartOnUs } from './feasibility.ts';
import { grantOn } from './grant.ts';
import { mayTake } from './may-take.ts';
import type { CoreState, HoldState, JobState, SchedulerState } from './state.ts';

/*
 * A gang takes several cores at once or none. Nothing is taken before all of them are free, so no two gangs can wait for each other. While its cores become
 * free one after the other, those that are free are kept for it: whoever goes after it may run there only if that ends before the last one is expected to be
 * free (EASY backfilling: Lifka, JSSPP 1995). What runs on cores kept so ends, and nothing that outlasts it begins, so the gang starts after one segment of
 * each of its cores at the latest, unless somebody goes before it.
 */

/** The cores that a gang starts on, the leading one first, or why it has to wait. */
export type GangGrant =
  | { readonly cores: readonly [CoreState, ...CoreState[]]; readonly steps: number }
  | { readonly holds: readonly [CoreState, HoldState][] };

/** Decides for a gang that waits; where it has to, the cores it waits for are kept. */
export function grantGang(state: SchedulerState, job: JobState, isIdle: (core: CoreState) => boolean): GangGrant {
  const { model } = job;
  const cores: CoreState[] = [];
  const holds: [CoreState, HoldState][] = [];
  const expected: Expected[] = [];
  let steps = Number.POSITIVE_INFINITY;
  for (const core of state.policy.coresFor(job)) {
    if (!mayTake(core, job)) continue;
    if (!isIdle(core)) {
      expected.push({ core, at: freeAtUs(state, core) });
      continue;
    }
    if (state.now > latestStartOnUs(state, job, core)) continue;
    const grant = grantOn(state, core, job);
    if (typeof grant !== 'number') {
      holds.push([core, grant]);
      expected.push({ core, at: Math.max(state.now, grant.likelyUntil) });
      continue;
    }
    cores.push(core);
    expected.push({ core, at: state.now });
    steps = Math.min(steps, grant);
    const [lead, ...others] = cores;
    if (lead !== undefined && cores.length === model.width) return { cores: [lead, ...others], steps };
  }
  reserve(job, expected);
  return { holds };
}

interface Expected {
  readonly core: CoreState;
  readonly at: number;
}

/** Keeps those of its cores that are expected first, unless another gang, which goes before it, has too many of them already. */
function reserve(job: JobState, expected: readonly Expected[]): void {
  const { width } = job.model;
  const first = expected.filter(({ core }) => core.reserved === undefined).sort((a, b) => a.at - b.at);
  const last = first[width - 1];
  if (last === undefined) return;
  for (const { core } of first.slice(0, width)) core.reserved = { gang: job, at: last.at };
}
