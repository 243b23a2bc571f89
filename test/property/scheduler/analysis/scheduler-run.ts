import type { Event } from '../../../../src/core/event.ts';
import { Heap } from '../../../../src/core/heap.ts';
import type { Prng } from '../../../../src/core/prng.ts';
import { CRITICALITIES, type Stream } from '../../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, type PolicyName, type SchedulerPlan, step } from '../../../../src/scheduler/scheduler.ts';
import type { PlayedTask } from './played-schedule.ts';

/** One tick of a played task, in microseconds: long beside the margins that look-ahead adds for timers. */
const TICK_US = 1_000_000;
/** Runs are that much shorter than their cost: estimates are means that come near the truth without reaching it, and a bound may be met to the tick. */
const SHORTER_US = 5_000;
/** Costs are believed when so many jobs of a model have run. */
const JOBS_LEARNT = 20;
const JOBS_COUNTED = 60;

export interface SchedulerRun {
  /** By stream, in ticks, rounded up: the longest from release to the end of the run. */
  readonly responses: number[];
  /** By stream: jobs that were not done in time. */
  readonly lost: number[];
  /** By stream: jobs that were looked at. */
  readonly counted: number[];
  /** By stream: first release, in ticks. */
  readonly offsets: readonly number[];
}

/**
 * Plays strictly periodic streams on one core under the scheduler itself, beside one background stream that always has a job waiting. Every run takes all but its
 * cost, and nothing is counted before costs and releases are learnt.
 */
export function runScheduler(
  streams: readonly PlayedTask[],
  restCost: number,
  random: Prng,
  policy: PolicyName = 'coxswain',
): SchedulerRun {
  const plan: SchedulerPlan = { ...planOf(streams, restCost), policy };
  const state = createScheduler(plan);
  const events = new Heap<{ readonly event: Event; readonly order: number }>(
    (a, b) => a.event.at < b.event.at || (a.event.at === b.event.at && a.order < b.order),
  );
  let order = 0;
  const push = (event: Event): void => events.push({ event, order: order++ });
  const longest = Math.max(...streams.map(({ period }) => period));
  const from = JOBS_LEARNT * longest * TICK_US;
  const until = (JOBS_LEARNT + JOBS_COUNTED) * longest * TICK_US;
  push({ kind: 'core-back', at: instantUs(0), core: 0, models: plan.models.map(({ model }) => model) });
  let jobs = 0;
  const owners = new Map<number, { readonly stream: number; readonly release: number }>();
  const offsets = streams.map(({ period }) => random.integer(0, period - 1));
  for (const [index, task] of streams.entries()) {
    for (let at = (offsets[index] ?? 0) * TICK_US; at < until; at += task.period * TICK_US) arrive(index, at);
  }
  if (restCost > 0) for (let at = 0; at < until; at += Math.max(1, restCost - 1) * TICK_US) arrive(streams.length, at);

  function arrive(stream: number, release: number): void {
    const contract = plan.streams[stream];
    if (contract === undefined) return;
    jobs += 1;
    owners.set(jobs, { stream, release });
    const at = instantUs(release);
    const job = {
      id: jobs,
      stream: contract.id,
      model: contract.model,
      capturedAt: at,
      deadlineAt: instantUs(release + contract.deadlineUs),
    };
    push({ kind: 'arrived', at, job });
  }

  const run: SchedulerRun = { responses: streams.map(() => 0), lost: streams.map(() => 0), counted: streams.map(() => 0), offsets };
  for (let top = events.pop(); top !== undefined; top = events.pop()) {
    const { event } = top;
    for (const decision of step(state, event)) {
      if (decision.kind === 'timer') push({ kind: 'timer', at: decision.wakeAt });
      if (decision.kind === 'start') {
        const owner = owners.get(decision.job);
        const cost = streams[owner?.stream ?? -1]?.cost ?? restCost;
        const ranUs = durationUs(cost * TICK_US - SHORTER_US);
        const end = instantUs(event.at + ranUs);
        push({ kind: 'segment-done', at: end, core: 0, job: decision.job, ranUs });
        push({ kind: 'decoded', at: end, job: decision.job });
        count(decision.job, end);
      }
      if (decision.kind === 'end' && decision.outcome.kind !== 'done') lose(decision.job);
    }
  }
  return run;

  function count(job: number, end: number): void {
    const owner = owners.get(job);
    if (owner === undefined || owner.release < from || owner.stream >= streams.length) return;
    run.counted[owner.stream] = (run.counted[owner.stream] ?? 0) + 1;
    run.responses[owner.stream] = Math.max(run.responses[owner.stream] ?? 0, Math.ceil((end - owner.release) / TICK_US));
  }

  function lose(job: number): void {
    const owner = owners.get(job);
    if (owner !== undefined && owner.release >= from && owner.stream < streams.length)
      run.lost[owner.stream] = (run.lost[owner.stream] ?? 0) + 1;
  }
}

function planOf(streams: readonly PlayedTask[], restCost: number): SchedulerPlan {
  const rest: PlayedTask[] =
    restCost === 0 ? [] : [{ cost: restCost, period: Math.max(1, restCost - 1), deadline: 10 * restCost + 1_000, rank: 2 }];
  const all = [...streams, ...rest];
  const longest = Math.max(...all.map(({ cost }) => cost)) * TICK_US;
  return {
    ...PLAN_DEFAULTS,
    cores: [0],
    streams: all.map(streamOf),
    models: all.map(({ cost }, index) => ({ model: `m${index}`, cores: [0], costUs: durationUs(cost * TICK_US) })),
    timeouts: { floorUs: durationUs(10 * longest), factor: 4, ceilingUs: durationUs(20 * longest) },
    tailUs: durationUs(1),
  };
}

export const streamOf = ({ period, deadline, rank }: PlayedTask, index: number): Stream => ({
  id: `s${index}`,
  model: `m${index}`,
  criticality: CRITICALITIES[rank ?? 0] ?? 'safety',
  periodUs: durationUs(period * TICK_US),
  deadlineUs: durationUs(deadline * TICK_US),
  freshness: { kind: 'queue', jobsMax: 100 },
  isStateful: false,
});
