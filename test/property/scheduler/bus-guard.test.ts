import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Stream } from '../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, type SchedulerPlan, step } from '../../../src/scheduler/scheduler.ts';
import { playGangs } from './gang-player.ts';

interface Row {
  readonly costUs: number;
  readonly slackUs: number;
  readonly busRatio: number;
  readonly criticality: Stream['criticality'];
}

const row: fc.Arbitrary<Row> = fc.record({
  costUs: fc.integer({ min: 1_000, max: 20_000 }),
  slackUs: fc.integer({ min: 0, max: 20_000 }),
  busRatio: fc.integer({ min: 1, max: 10 }).map((tenths) => tenths / 10),
  criticality: fc.constantFrom('safety', 'safety', 'interactive', 'background'),
});

/** Stream n runs on core n; decoding is believed to take no time. */
function planOf(rows: readonly Row[]): SchedulerPlan {
  return {
    ...PLAN_DEFAULTS,
    tailUs: durationUs(0),
    timeouts: { floorUs: durationUs(10_000_000), factor: 4, ceilingUs: durationUs(20_000_000) },
    tuning: { drop: 'none' },
    cores: rows.map((_, core) => core),
    streams: rows.map(({ criticality, costUs, slackUs }, index) => ({
      ...{ id: `s${index}`, model: `m${index}`, criticality, periodUs: durationUs(0), deadlineUs: durationUs(costUs + slackUs) },
      ...{ freshness: { kind: 'queue', jobsMax: 100 }, isStateful: false },
    })),
    models: rows.map(({ costUs, busRatio }, index) => ({ model: `m${index}`, cores: [index], costUs: durationUs(costUs), busRatio })),
  };
}

interface Flow {
  readonly ratio: number;
  readonly leftUs: number;
}

/** When each would end, sharing the bus max-min fairly; written without regard to how the scheduler does it. */
function fluidEnds(now: number, flows: readonly Flow[]): number[] {
  const left = flows.map(({ leftUs }) => leftUs);
  const ends = flows.map(() => Number.NaN);
  let at = now;
  while (ends.some(Number.isNaN)) {
    const on = flows.map((_, index) => index).filter((index) => Number.isNaN(ends[index]));
    const byWish = [...on].sort((a, b) => (flows[a]?.ratio ?? 0) - (flows[b]?.ratio ?? 0));
    const speed = new Map<number, number>();
    let free = 1;
    byWish.forEach((index, place) => {
      const wish = flows[index]?.ratio ?? 0;
      const got = Math.min(wish, free / (byWish.length - place));
      free -= got;
      speed.set(index, got / wish);
    });
    const span = Math.min(...on.map((index) => (left[index] ?? 0) / (speed.get(index) ?? 1)));
    at += span;
    for (const index of on) {
      left[index] = (left[index] ?? 0) - span * (speed.get(index) ?? 1);
      if ((left[index] ?? 0) < 1e-6) ends[index] = at;
    }
  }
  return ends;
}

/** As tight as it can be, sums differ in their last digits. */
const isLate = (endAt: number, dueAt: number): boolean => endAt > dueAt + 1;

const rankOf = { safety: 0, interactive: 1, background: 2 } as const;

describe('the bus guard', () => {
  it('holds exactly what would make somebody more urgent late, as the fluid bus has it, and names one of those', () => {
    const seen = { held: 0, started: 0, spared: 0 };
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 6, size: 'max' }), fc.integer({ min: 0, max: 5_000 }), (rows, gapUs) => {
        const state = createScheduler(planOf(rows));
        const tell = (event: Parameters<typeof step>[1]) => step(state, event);
        rows.forEach((_, core) => {
          tell({ kind: 'core-back', at: instantUs(0), core, models: [`m${core}`] });
        });
        const startedAt = new Map<number, number>();
        let isAnybodyHeld = false;
        rows.forEach((candidate, index) => {
          // Who was held before may start in the same instant, before or after the newcomer is looked at.
          if (isAnybodyHeld) return;
          const now = instantUs(index * gapUs);
          const deadlineAt = instantUs(now + candidate.costUs + candidate.slackUs);
          const job = { id: index + 1, stream: `s${index}`, model: `m${index}`, capturedAt: now, deadlineAt };
          const decisions = tell({ kind: 'arrived', at: now, job });
          for (const decision of decisions) if (decision.kind === 'start') startedAt.set(decision.core, now);
          // What has ended in between, alone or not, is not told: it is over for whoever looks.
          const running = rows.flatMap((other, core) => {
            const from = startedAt.get(core);
            const dueAt = core * gapUs + other.costUs + other.slackUs;
            return from === undefined || core === index ? [] : [{ core, other, leftUs: Math.max(1, from + other.costUs - now), dueAt }];
          });
          const flows = running.map(({ other, leftUs }) => ({ ratio: other.busRatio, leftUs }));
          const without = fluidEnds(now, flows);
          const beside = fluidEnds(now, [...flows, { ratio: candidate.busRatio, leftUs: candidate.costUs }]);
          // Where it is a matter of the last digit, both are right.
          if (running.some(({ dueAt }, place) => [without, beside].some((ends) => Math.abs((ends[place] ?? 0) - dueAt - 1) < 1e-6))) return;
          const hurt = running.filter(({ other, dueAt }, place) => {
            const [rank, own] = [rankOf[other.criticality], rankOf[candidate.criticality]];
            const goesBefore = rank < own || (rank === own && dueAt < deadlineAt);
            return (
              goesBefore && other.criticality !== 'background' && isLate(beside[place] ?? 0, dueAt) && !isLate(without[place] ?? 0, dueAt)
            );
          });
          const hold = decisions.find((decision) => decision.kind === 'hold' && decision.core === index);
          if (hold?.kind === 'hold') {
            seen.held += 1;
            isAnybodyHeld = true;
            expect(hurt.map(({ core }) => `s${core}`)).toContain(hold.for);
            expect(startedAt.has(index)).toBe(false);
          } else if (hurt.length > 0) {
            // Only peers that holding would make late themselves are let go.
            seen.spared += 1;
            expect(hurt.some(({ other }) => rankOf[other.criticality] < rankOf[candidate.criticality])).toBe(false);
          } else seen.started += 1;
        });
      }),
      { numRuns: 2_000 },
    );
    expect(Math.min(seen.held, seen.started, seen.spared)).toBeGreaterThan(50);
  });

  it('keeps nobody waiting for ever', () => {
    const arrivals = fc.array(fc.record({ at: fc.integer({ min: 0, max: 100_000 }), stream: fc.nat(9) }), {
      minLength: 1,
      maxLength: 60,
      size: 'max',
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 5, size: 'max' }), arrivals, (rows, list) => {
        const { ends } = playGangs(planOf(rows), list);
        expect([...ends.values()].filter((kind) => kind === 'done' || kind === 'late')).toHaveLength(list.length);
      }),
      { numRuns: 200 },
    );
  });
});
