import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../../src/core/event.ts';
import { Prng } from '../../../src/core/prng.ts';
import { CRITICALITIES, type Stream } from '../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { isIdleInTime } from '../../../src/scheduler/busy-period.ts';
import { Overload } from '../../../src/scheduler/overload.ts';
import { createScheduler, PLAN_DEFAULTS, step } from '../../../src/scheduler/scheduler.ts';

const STREAMS = 60;
const EVENTS = 200;

/** One core that is asked for more than it can do by more streams than are looked through one by one; some of them stop. */
function overloadedCore(seed: number) {
  const prng = new Prng(seed);
  const streams = Array.from({ length: STREAMS }, (_, index): Stream => {
    const periodUs = durationUs(prng.integer(5_000, 80_000));
    return {
      id: `stream ${index}`,
      model: `model ${index % 7}`,
      criticality: CRITICALITIES[index % 5 === 4 ? 2 : index % 2] ?? 'background',
      periodUs,
      deadlineUs: durationUs(prng.integer(5_000, 80_000)),
      freshness: { kind: 'queue', jobsMax: 3 },
      isStateful: false,
    };
  });
  const models = Array.from({ length: 7 }, (_, index) => ({ model: `model ${index}`, cores: [0], costUs: durationUs(500 + 300 * index) }));
  const state = createScheduler({ ...PLAN_DEFAULTS, cores: [0], streams, models });
  const [core] = state.cores;
  if (core === undefined) throw new Error('the plan has a core');
  return { prng, streams, models, state, core };
}

const told = (hold: ReturnType<Overload['holdForVictims']>): string => `${hold?.for} ${hold?.until} ${hold?.likelyUntil}`;

describe('streams in the order in which they are expected', () => {
  it('are the same most urgent ones that looking at all of them finds, and none of them is hurt where the core would be idle again in time', () => {
    let plainSum = 0;
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const { prng, streams, models, state, core } = overloadedCore(seed);
        const nextAt = streams.map(({ periodUs }) => prng.integer(0, periodUs));
        const overload = new Overload();
        let [now, nextJob, compared, plain] = [0, 1, 0, 0];
        const tell = (event: Event): void => {
          for (const decision of step(state, event)) if (decision.kind === 'start') running = decision.job;
        };
        let running: number | undefined;
        tell({ kind: 'core-back', at: instantUs(0), core: 0, models: models.map(({ model }) => model) });
        for (let event = 0; event < EVENTS; event += 1) {
          const due = nextAt.indexOf(Math.min(...nextAt));
          now = Math.max(now, nextAt[due] ?? 0);
          const stream = streams[due] as Stream;
          // One in fifty goes silent for good.
          nextAt[due] = prng.chance(0.02) ? Number.POSITIVE_INFINITY : now + stream.periodUs + prng.integer(-500, 500);
          const capturedAt = instantUs(now - prng.integer(0, 300));
          const job = {
            id: nextJob++,
            stream: stream.id,
            model: stream.model,
            capturedAt,
            deadlineAt: instantUs(capturedAt + stream.deadlineUs),
          };
          tell({ kind: 'arrived', at: instantUs(now), job });
          if (running !== undefined && prng.chance(0.7)) {
            const done = running;
            running = undefined;
            tell({ kind: 'segment-done', at: instantUs(now), core: 0, job: done, ranUs: durationUs(1_000) });
            tell({ kind: 'decoded', at: instantUs(now), job: done });
          }
          expect(core.expected).toBeDefined();
          for (const candidate of state.jobs.values()) {
            if (candidate.phase !== 'waiting') continue;
            const inOrder = told(overload.holdForVictims(state.now, core, candidate, 4_000));
            const { expected } = core;
            core.expected = undefined;
            expect(told(overload.holdForVictims(state.now, core, candidate, 4_000))).toBe(inOrder);
            core.expected = expected;
            compared += 1;
            if (!isIdleInTime(state.now, core, candidate, state.now + 4_000)) continue;
            expect(told(overload.holdForVictims(state.now, core, candidate, 4_000))).toBe(told(undefined));
            plain += 1;
          }
        }
        expect(compared).toBeGreaterThan(50);
        plainSum += plain;
      }),
      { numRuns: 6 },
    );
    expect(plainSum).toBeGreaterThan(5);
  });
});
