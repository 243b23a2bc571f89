import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../src/core/assert.ts';
import { DROP_REASONS, FAIL_REASONS, type Outcome, REJECT_REASONS } from '../../../src/core/outcome.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createLedger, type JobCounts } from '../../../src/telemetry/ledger.ts';

const stream = (id: string): Stream => ({
  id,
  model: 'nanodet',
  criticality: 'safety',
  periodUs: durationFromMs(125),
  deadlineUs: durationFromMs(100),
  freshness: { kind: 'latest' },
  isStateful: false,
});

const sum = (counts: Readonly<Partial<Record<string, number>>>): number => Object.values(counts).reduce<number>((a, b) => a + (b ?? 0), 0);
const accounted = (jobs: JobCounts): number =>
  jobs.done + jobs.late + sum(jobs.dropped) + sum(jobs.rejected) + sum(jobs.failed) + jobs.inFlight;

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'done' }),
  fc.constant<Outcome>({ kind: 'late' }),
  fc.constantFrom(...DROP_REASONS).map((reason): Outcome => ({ kind: 'dropped', reason })),
  fc.constantFrom(...REJECT_REASONS).map((reason): Outcome => ({ kind: 'rejected', reason })),
  fc.constantFrom(...FAIL_REASONS).map((reason): Outcome => ({ kind: 'failed', reason })),
);

describe('ledger', () => {
  test('accounts for every arrived job after every single call, whatever the order', () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant('arrive' as const), stream: fc.constantFrom('a', 'b', 'c') }),
      fc.record({ kind: fc.constant('end' as const), pick: fc.nat(), outcome }),
      fc.record({
        kind: fc.constant('refuse' as const),
        stream: fc.constantFrom('a', 'b', 'c'),
        reason: fc.constantFrom(...REJECT_REASONS),
      }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 120 }), (calls) => {
        const ledger = createLedger([stream('a'), stream('b'), stream('c')]);
        const open: number[] = [];
        const seen = { arrived: 0, ended: 0 };
        calls.forEach((step, index) => {
          const at = instantUs(index * 1000);
          if (step.kind === 'arrive') {
            ledger.bookOf(step.stream).arrived(index, at, at);
            open.push(index);
            seen.arrived += 1;
          } else if (step.kind === 'refuse') {
            ledger.refused(step.stream, step.reason);
            seen.arrived += 1;
            seen.ended += 1;
          } else {
            const [job] = open.length === 0 ? [] : open.splice(step.pick % open.length, 1);
            if (job === undefined) return;
            ledger.ended(job, step.outcome, at);
            seen.ended += 1;
          }
          const figures = ledger.figures();
          for (const { jobs } of figures) expect(accounted(jobs)).toBe(jobs.arrived);
          expect(figures.reduce((total, { jobs }) => total + jobs.arrived, 0)).toBe(seen.arrived);
          expect(ledger.inFlight).toBe(open.length);
          expect(seen.arrived - seen.ended).toBe(open.length);
          for (const { jobs, latencyMs } of figures) expect(latencyMs.samples).toBe(jobs.done + jobs.late);
        });
      }),
      { numRuns: 60 },
    );
  });

  test('counts latency from capture to result, of done and late jobs only', () => {
    const ledger = createLedger([stream('a')]);
    const end = (job: number, tookMs: number, how: Outcome): void => {
      ledger.bookOf('a').arrived(job, instantUs(0), instantUs(5));
      ledger.ended(job, how, instantUs(tookMs * 1000));
    };
    end(1, 40, { kind: 'done' });
    end(2, 120, { kind: 'late' });
    end(3, 900, { kind: 'dropped', reason: 'superseded' });
    end(4, 900, { kind: 'failed', reason: 'core-hung' });
    const [figures] = ledger.figures();
    expect(figures?.latencyMs).toMatchObject({ samples: 2, max: 120, p999: 120 });
    expect(figures?.latencyMs.p50).toBeCloseTo(40, 1);
    expect(figures?.jobs).toEqual({
      arrived: 4,
      done: 1,
      late: 1,
      dropped: { superseded: 1 },
      rejected: {},
      failed: { 'core-hung': 1 },
      inFlight: 0,
    });
  });

  test('gives null, not 0, for the latency of a stream that finished nothing', () => {
    const ledger = createLedger([stream('a')]);
    ledger.refused('a', 'stale');
    expect(ledger.figures()[0]?.latencyMs).toEqual({ samples: 0, p50: null, p90: null, p99: null, p999: null, max: null });
  });

  test('refuses a second outcome, an outcome without arrival, a second arrival and an unknown stream', () => {
    const ledger = createLedger([stream('a')]);
    const now = instantUs(1);
    ledger.bookOf('a').arrived(1, now, now);
    expect(() => ledger.bookOf('a').arrived(1, now, now)).toThrow(InvariantError);
    ledger.ended(1, { kind: 'done' }, now);
    expect(() => ledger.ended(1, { kind: 'done' }, now)).toThrow('a job ends exactly once, after it arrived (1)');
    expect(() => ledger.ended(2, { kind: 'done' }, now)).toThrow(InvariantError);
    expect(() => ledger.bookOf('nobody').arrived(3, now, now)).toThrow('the ledger knows the stream (nobody)');
    expect(() => ledger.bookOf('a').arrived(4, instantUs(2), now)).toThrow('not captured after');
    expect(() => createLedger([stream('a'), stream('a')])).toThrow('unique');
  });

  test('holds its bound on jobs in flight, and one past it is a broken invariant', () => {
    const ledger = createLedger([stream('a')], { inFlightMax: 3 });
    const now = instantUs(1);
    for (const job of [1, 2, 3]) ledger.bookOf('a').arrived(job, now, now);
    expect(() => ledger.bookOf('a').arrived(4, now, now)).toThrow('than the ledger allows (3)');
    ledger.ended(2, { kind: 'done' }, now);
    ledger.bookOf('a').arrived(5, now, now);
    expect(ledger.inFlight).toBe(3);
  });
});
