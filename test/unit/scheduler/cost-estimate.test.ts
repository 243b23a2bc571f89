import { describe, expect, it } from 'vitest';
import { durationUs } from '../../../src/core/units.ts';
import { CostEstimate } from '../../../src/scheduler/cost-estimate.ts';

const observe = (estimate: CostEstimate, times: number, us: number): void => {
  for (let n = 0; n < times; n += 1) estimate.observe(durationUs(us));
};

describe('a cost estimate', () => {
  it('starts from its seed', () => {
    const estimate = new CostEstimate(durationUs(1_000));
    expect(estimate.typicalUs).toBe(1_000);
    expect(estimate.highUs).toBe(1_250);
  });

  it('forgets a wrong seed within a few runs, upwards and downwards', () => {
    for (const seed of [100, 100_000]) {
      const estimate = new CostEstimate(durationUs(seed));
      observe(estimate, 30, 5_000);
      expect(estimate.typicalUs).toBeGreaterThan(4_500);
      expect(estimate.typicalUs).toBeLessThan(7_000);
      expect(estimate.highUs).toBeGreaterThanOrEqual(5_000);
      expect(estimate.highUs).toBeLessThan(7_000);
    }
  });

  it('is moved by one outlier by an eighth at most, and its high quantile not at all', () => {
    const estimate = new CostEstimate(durationUs(1_000));
    observe(estimate, 20, 1_000);
    const before = estimate.typicalUs;
    observe(estimate, 1, 1_000_000);
    expect(estimate.typicalUs / before).toBeLessThanOrEqual(1.126);
    observe(estimate, 5, 1_000);
    expect(estimate.highUs).toBeLessThan(1_100);
  });

  it('follows a lasting slowdown, in the high quantile after two runs', () => {
    const estimate = new CostEstimate(durationUs(1_000));
    observe(estimate, 20, 1_000);
    observe(estimate, 2, 3_000);
    expect(estimate.highUs).toBe(3_000);
    observe(estimate, 30, 3_000);
    expect(estimate.typicalUs).toBeGreaterThan(2_800);
  });

  it('has a high quantile that all but a few of a hundred later samples stay under', () => {
    const estimate = new CostEstimate(durationUs(1_000));
    for (let n = 0; n < 64; n += 1) estimate.observe(durationUs(850 + ((n * 37) % 300)));
    const over = Array.from({ length: 100 }, (_, n) => 850 + ((n * 53) % 300)).filter((us) => us > estimate.highUs);
    expect(over.length).toBeLessThanOrEqual(4);
  });

  it('when doubted becomes lower, but only in what is typical', () => {
    const estimate = new CostEstimate(durationUs(1_000));
    estimate.doubt();
    expect(estimate.typicalUs).toBe(900);
    expect(estimate.highUs).toBe(1_250);
  });
});
