import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationUs } from '../../../src/core/units.ts';
import { createScheduler, DROP_RULES, POLICY_NAMES, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import { headerLine, stepLine } from '../../../src/telemetry/decision-log.ts';
import { replayDecisions } from '../../../src/telemetry/decision-replay.ts';
import { InvariantChecker } from '../../simulation/checkers.ts';
import { planArbitrary, poke, pokesArbitrary, withoutGangs } from './arbitrary-run.ts';

const RUNS = { numRuns: 400 };

/** Any policy and tuning, some models with exact costs by core, some streams after the one before them. */
const variedPlan: fc.Arbitrary<SchedulerPlan> = fc
  .record({
    plan: planArbitrary(),
    policy: fc.constantFrom(...POLICY_NAMES),
    drop: fc.option(fc.constantFrom(...DROP_RULES), { nil: undefined }),
    isByValue: fc.boolean(),
    quirks: fc.boolean(),
    exact: fc.array(fc.option(fc.tuple(fc.integer({ min: 1, max: 150_000 }), fc.integer({ min: 0, max: 2_000 }))), {
      minLength: 5,
      maxLength: 5,
    }),
    follows: fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  })
  .map(({ plan, policy, drop, isByValue, quirks, exact, follows }) => ({
    ...plan,
    policy,
    tuning: { quirks, energyCapUj: 1_000, ...(drop === undefined ? {} : { drop }), victim: isByValue ? 'value' : 'turns' },
    // Policies that play through single cores take no gangs, and exact costs are those of single cores.
    models: (isByValue ? withoutGangs(plan) : plan).models.map((row, index) => {
      const cost = exact[index];
      if (cost === null || cost === undefined || row.split !== undefined || row.steps?.kind === 'tokens') return row;
      const [baseUs, energyUj] = cost;
      return { ...row, exactCosts: row.cores.map((core) => ({ core, costUs: durationUs(baseUs * (core + 1)), energyUj })) };
    }),
    dependencies: plan.streams.flatMap((stream, index) => {
      const after = plan.streams[index - 1];
      return after === undefined || follows[index] !== true ? [] : [{ stream: stream.id, after: after.id }];
    }),
  }));

describe('under every policy, with exact costs and dependencies', () => {
  it('every job ends once, no core runs two, queues keep their bounds, stateful streams keep their order', () => {
    fc.assert(
      fc.property(variedPlan, pokesArbitrary, (plan, pokes) => {
        const checker = new InvariantChecker(plan);
        const steps = poke(plan, pokes, (record) => checker.see(record));
        expect(checker.unended).toEqual([]);
        expect(checker.outcomes.size).toBe(steps.filter(({ event }) => event.kind === 'arrived').length);
      }),
      RUNS,
    );
  });

  it('a replay of the log gives the log', () => {
    fc.assert(
      fc.property(variedPlan, pokesArbitrary, (plan, pokes) => {
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

  it('no job starts before the job of its capture in the stream before has given its result', () => {
    fc.assert(
      fc.property(variedPlan, pokesArbitrary, (plan, pokes) => {
        if (plan.policy === 'latency-greedy') return;
        const afterOf = new Map(plan.dependencies?.map(({ stream, after }) => [stream, after]));
        const captures = new Map<number, { readonly stream: string; readonly capturedAt: number }>();
        const results = new Set<string>();
        poke(plan, pokes, ({ event, decisions }) => {
          if (event.kind === 'arrived') captures.set(event.job.id, event.job);
          for (const decision of decisions) {
            if (decision.kind !== 'start' && decision.kind !== 'end') continue;
            const job = captures.get(decision.job);
            if (job === undefined) continue;
            if (decision.kind === 'end') {
              if (decision.outcome.kind === 'done' || decision.outcome.kind === 'late') results.add(`${job.stream} ${job.capturedAt}`);
              continue;
            }
            const after = afterOf.get(job.stream);
            if (after !== undefined) expect(results.has(`${after} ${job.capturedAt}`)).toBe(true);
          }
        });
      }),
      RUNS,
    );
  });
});
