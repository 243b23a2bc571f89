import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationUs } from '../../../src/core/units.ts';
import { createDurationHistogram, latencyMsOf, stepUsOf } from '../../../src/telemetry/histogram.ts';

describe('duration histogram', () => {
  test('keeps every percentile within 0.1 % above the true one, and never under it', () => {
    const values = fc.array(fc.oneof(fc.nat(5000), fc.nat(5_000_000), fc.nat(3_000_000_000)), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1), (samples, ratio) => {
        const histogram = createDurationHistogram();
        for (const sample of samples) histogram.record(durationUs(sample));
        const sorted = [...samples].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(ratio * sorted.length - 1e-9) - 1)] ?? Number.NaN;
        const told = histogram.percentileUs(ratio) ?? Number.NaN;
        expect(told).toBeGreaterThanOrEqual(exact);
        expect(told).toBeLessThanOrEqual(exact * 1.001 + 1);
        expect(histogram.maxUs()).toBe(sorted.at(-1));
      }),
      { numRuns: 100 },
    );
  });

  test('records 0 as 0 and knows nothing before its first sample', () => {
    const histogram = createDurationHistogram();
    expect(stepUsOf(histogram)).toEqual({ p50: null, p99: null, max: null });
    histogram.record(durationUs(0));
    expect(stepUsOf(histogram)).toEqual({ p50: 0, p99: 0, max: 0 });
    expect(latencyMsOf(histogram)).toEqual({ samples: 1, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  });

  test('keeps the exact maximum of a duration beyond its range', () => {
    const histogram = createDurationHistogram();
    histogram.record(durationUs(7_200_000_000));
    expect(histogram.maxUs()).toBe(7_200_000_000);
    expect(histogram.percentileUs(0.5)).toBeGreaterThanOrEqual(3_600_000_000);
  });

  test.each([-1, Number.NaN])('refuses %s', (value) => {
    expect(() => createDurationHistogram().record(durationUs(value))).toThrow('not negative');
  });
});
