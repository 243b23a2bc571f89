import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Job } from '../../../src/core/job.ts';
import { criticalityRank } from '../../../src/core/stream.ts';
import { createScheduler, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import { headerLine, stepLine } from '../../../src/telemetry/decision-log.ts';
import { replayDecisions } from '../../../src/telemetry/decision-replay.ts';
import { InvariantChecker, type Step } from '../../simulation/checkers.ts';
import { planArbitrary, poke, pokesArbitrary, withModes, withoutGangs, withShares } from './arbitrary-run.ts';

const RUNS = { numRuns: 400 };

describe('under any sequence of events with core losses', () => {
  it('every job ends once, no core runs two, queues keep their bounds, stateful streams keep their order', () => {
    fc.assert(
      fc.property(planArbitrary(), pokesArbitrary, (plan, pokes) => {
        const checker = new InvariantChecker(plan);
        const steps = poke(plan, pokes, (record) => checker.see(record));
        const arrived = steps.filter(({ event }) => event.kind === 'arrived').length;
        expect(checker.unended).toEqual([]);
        expect(checker.outcomes.size).toBe(arrived);
      }),
      RUNS,
    );
  });

  it('the same holds with variants and modes, and nothing of a shed stream is begun', () => {
    fc.assert(
      fc.property(planArbitrary().map(withModes), pokesArbitrary, (plan, pokes) => {
        const checker = new InvariantChecker(plan);
        poke(plan, pokes, (record) => checker.see(record));
        expect(checker.unended).toEqual([]);
      }),
      RUNS,
    );
  });

  it('the same holds where streams share a model of which each has a copy on cores of its own', () => {
    let copies = 0;
    fc.assert(
      fc.property(planArbitrary().map(withShares), fc.boolean(), pokesArbitrary, (plan, hasModes, pokes) => {
        const shared = hasModes ? withModes(plan) : plan;
        const checker = new InvariantChecker(shared);
        poke(shared, pokes, (record) => checker.see(record));
        expect(checker.unended).toEqual([]);
        copies += plan.models.filter(({ streams }) => streams !== undefined).length;
      }),
      RUNS,
    );
    expect(copies).toBeGreaterThan(RUNS.numRuns);
  });

  it('a replay of the log gives the log', () => {
    fc.assert(
      fc.property(fc.oneof(planArbitrary(), planArbitrary().map(withShares)), pokesArbitrary, (plan, pokes) => {
        const steps = poke(plan, pokes, () => undefined);
        const lines = [headerLine(plan, 0), ...steps.map(({ event, decisions }) => stepLine(event, decisions))];
        const replay = replayDecisions(lines, (logged) => {
          const state = createScheduler(logged as SchedulerPlan);
          return (event) => step(state, event);
        });
        expect(replay).toEqual({ same: true, events: steps.length });
      }),
      RUNS,
    );
  });

  it('a waiting job is never later than its deadline without a timer asked for', () => {
    fc.assert(
      fc.property(planArbitrary(), pokesArbitrary, (plan, pokes) => {
        const waiting = new Map<number, Job>();
        let wakeAt = Number.POSITIVE_INFINITY;
        poke(plan, pokes, ({ event, decisions }) => {
          if (event.at >= wakeAt) wakeAt = Number.POSITIVE_INFINITY;
          if (event.kind === 'arrived') waiting.set(event.job.id, event.job);
          for (const decision of decisions) {
            if (decision.kind === 'timer') wakeAt = decision.wakeAt;
            if (decision.kind === 'start' || decision.kind === 'end') waiting.delete(decision.job);
          }
          for (const job of waiting.values()) {
            expect(job.deadlineAt).toBeGreaterThanOrEqual(event.at);
            expect(wakeAt).toBeLessThanOrEqual(job.deadlineAt + 1);
          }
        });
      }),
      RUNS,
    );
  });
});

describe('the order of starts', () => {
  /** A job that waits, could run on that core, and goes before the one started, by the documented order. */
  function overtaken(plan: SchedulerPlan, waiting: Iterable<Job>, started: Job, core: number): Job | undefined {
    const rank = (job: Job): number =>
      criticalityRank(plan.streams.find((stream) => stream.id === job.stream)?.criticality ?? 'background');
    for (const job of waiting) {
      const row = plan.models.find((model) => model.model === job.model);
      if (row?.cores.includes(core) !== true) continue;
      const byOrder = rank(job) - rank(started) || job.deadlineAt - started.deadlineAt || job.id - started.id;
      if (byOrder < 0) return job;
    }
    return undefined;
  }

  /** Without what has an order of its own: gangs, states, turns, servers, jobs that go on where they began. */
  const stateless = (plan: SchedulerPlan): SchedulerPlan => {
    const single = withoutGangs(plan);
    return {
      ...single,
      servers: [],
      streams: single.streams.map(({ tokens: _, ...stream }) => ({ ...stream, isStateful: false })),
      models: single.models.map(({ steps, ...row }) => (steps?.kind === 'blocks' ? { ...row, steps: { ...steps, isKept: false } } : row)),
    };
  };

  function follow(plan: SchedulerPlan, mayOvertake: (job: Job) => boolean): (record: Step) => void {
    const waiting = new Map<number, Job>();
    const running = new Map<number, Job>();
    return ({ event, decisions }) => {
      if (event.kind === 'arrived') waiting.set(event.job.id, event.job);
      if (event.kind === 'segment-done' && event.progress?.isLast === false) {
        const job = running.get(event.core);
        if (job !== undefined) waiting.set(job.id, job);
      }
      if (event.kind === 'segment-done' || event.kind === 'segment-failed') running.delete(event.core);
      if (event.kind === 'core-lost') {
        const job = running.get(event.core);
        if (job !== undefined) waiting.set(job.id, job);
        running.delete(event.core);
      }
      const started: [Job, number][] = [];
      for (const decision of decisions) {
        if (decision.kind !== 'start' && decision.kind !== 'end') continue;
        const job = waiting.get(decision.job);
        waiting.delete(decision.job);
        if (decision.kind === 'start' && job !== undefined) started.push([job, decision.core]);
      }
      for (const [job, core] of started) {
        running.set(core, job);
        const first = overtaken(plan, waiting.values(), job, core);
        expect(first === undefined || mayOvertake(first)).toBe(true);
      }
    };
  }

  it('is class, deadline, id wherever nothing is held: background streams alone are never held', () => {
    fc.assert(
      fc.property(planArbitrary(['background']).map(stateless), pokesArbitrary, (plan, pokes) => {
        poke(
          plan,
          pokes,
          follow(plan, () => false),
        );
      }),
      RUNS,
    );
  });

  it('lets nothing overtake a job of the most important class whose only rivals are below it', () => {
    fc.assert(
      fc.property(planArbitrary(['interactive', 'background']).map(stateless), pokesArbitrary, (plan, pokes) => {
        const single = {
          ...plan,
          streams: plan.streams.map((stream, index) => ({
            ...stream,
            criticality: index === 0 ? ('safety' as const) : stream.criticality,
          })),
        };
        poke(
          single,
          pokes,
          follow(single, (job) => job.stream !== 's0'),
        );
      }),
      RUNS,
    );
  });
});
