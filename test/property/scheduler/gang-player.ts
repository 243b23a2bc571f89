import type { Event } from '../../../src/core/event.ts';
import { Heap } from '../../../src/core/heap.ts';
import type { CoreId, Job, JobId } from '../../../src/core/job.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import { InvariantChecker } from '../../simulation/checkers.ts';

export interface Arrival {
  readonly at: number;
  /** Its place in the plan. */
  readonly stream: number;
}

export interface PlayedRun {
  readonly job: Job;
  readonly cores: readonly CoreId[];
  readonly startedAt: number;
  readonly endsAt: number;
}

/** The state of things after each instant, for who wants to check it. */
export interface Scene {
  readonly now: number;
  readonly waiting: readonly Job[];
  readonly running: ReadonlyMap<CoreId, PlayedRun>;
}

export interface Played {
  readonly runs: readonly PlayedRun[];
  readonly ends: ReadonlyMap<JobId, string>;
}

/** Plays arrivals against the scheduler, every run taking exactly what the plan says of its model; decoding takes no time. Every step is checked. */
export function playGangs(plan: SchedulerPlan, arrivals: readonly Arrival[], see: (scene: Scene) => void = () => undefined): Played {
  const state = createScheduler(plan);
  const checker = new InvariantChecker(plan);
  const events = new Heap<{ readonly event: Event; readonly order: number }>(
    (a, b) => a.event.at < b.event.at || (a.event.at === b.event.at && a.order < b.order),
  );
  const costs = new Map(plan.models.map(({ model, costUs }) => [model, costUs]));
  const jobs = new Map<JobId, Job>();
  const waiting = new Map<JobId, Job>();
  const running = new Map<CoreId, PlayedRun>();
  const runs: PlayedRun[] = [];
  const ends = new Map<JobId, string>();
  let order = 0;
  const push = (event: Event): void => events.push({ event, order: order++ });
  for (const core of plan.cores) {
    const models = plan.models.filter(({ cores }) => cores.includes(core)).map(({ model }) => model);
    push({ kind: 'core-back', at: instantUs(0), core, models });
  }
  for (const [index, { at, stream }] of arrivals.entries()) {
    const contract = plan.streams[stream % plan.streams.length];
    if (contract === undefined) throw new Error('a plan has streams');
    const { id, model, deadlineUs } = contract;
    const job: Job = { id: index + 1, stream: id, model, capturedAt: instantUs(at), deadlineAt: instantUs(at + deadlineUs) };
    push({ kind: 'arrived', at: instantUs(at), job });
  }
  const take = (event: Event): void => {
    if (event.kind === 'arrived') {
      jobs.set(event.job.id, event.job);
      waiting.set(event.job.id, event.job);
    }
    if (event.kind === 'segment-done') for (const core of running.get(event.core)?.cores ?? []) running.delete(core);
    const decisions = step(state, event);
    checker.see({ event, decisions });
    for (const decision of decisions) {
      if (decision.kind === 'timer') push({ kind: 'timer', at: decision.wakeAt });
      if (decision.kind === 'end') {
        waiting.delete(decision.job);
        ends.set(decision.job, decision.outcome.kind);
      }
      if (decision.kind !== 'start') continue;
      const job = jobs.get(decision.job);
      if (job === undefined) throw new Error(`job ${decision.job} has arrived`);
      waiting.delete(job.id);
      const endsAt = instantUs(event.at + (costs.get(job.model) ?? 0));
      const run = { job, cores: [decision.core, ...(decision.others ?? [])], startedAt: event.at, endsAt };
      runs.push(run);
      for (const core of run.cores) running.set(core, run);
      push({ kind: 'segment-done', at: endsAt, core: decision.core, job: job.id, ranUs: durationUs(endsAt - event.at) });
      push({ kind: 'decoded', at: endsAt, job: job.id });
    }
  };
  for (let top = events.pop(); top !== undefined; top = events.pop()) {
    take(top.event);
    if (events.peek()?.event.at !== top.event.at) see({ now: top.event.at, waiting: [...waiting.values()], running });
  }
  return { runs, ends };
}
