import { describe, expect, it } from 'vitest';
import { createArrivals, type OpenPattern } from '../../../../src/bench/load/arrivals.ts';
import { Prng } from '../../../../src/core/prng.ts';
import { durationUs } from '../../../../src/core/units.ts';

const instants = (pattern: OpenPattern, count: number, seed = 'seed'): number[] => {
  const next = createArrivals(pattern, new Prng(seed));
  return Array.from({ length: count }, () => next()).flatMap((at) => (at === undefined ? [] : [at]));
};
const gapsOf = (at: readonly number[]): number[] => at.map((value, index) => value - (at[index - 1] ?? 0));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
};

describe('a uniform load', () => {
  it('begins at its phase and keeps its rhythm', () => {
    expect(instants({ kind: 'uniform', periodUs: 10_000, phaseUs: 2_500 }, 4)).toEqual([2_500, 12_500, 22_500, 32_500]);
  });

  it('does not drift with a period that is not whole: three hundred thousand requests at 15 Hz lie where they belong', () => {
    const at = instants({ kind: 'uniform', periodUs: 1e6 / 15, phaseUs: 0 }, 300_001);
    expect(at[3]).toBe(200_000);
    expect(at.at(-1)).toBe(Math.round(3e11 / 15));
    expect(new Set(gapsOf(at.slice(1, 100)).slice(1))).toEqual(new Set([66_666, 66_667]));
  });
});

describe('a Poisson load', () => {
  const COUNT = 200_000;
  const MEAN_US = 50_000;
  const gaps = gapsOf(instants({ kind: 'poisson', meanUs: MEAN_US }, COUNT));

  it('has exponential gaps: their mean, their variance and their distribution', () => {
    // Four standard deviations of each estimate: a good generator fails once in 16 000 seeds, and this seed is fixed.
    expect(Math.abs(mean(gaps) / MEAN_US - 1)).toBeLessThan(4 / Math.sqrt(COUNT));
    expect(Math.abs(variance(gaps) / MEAN_US ** 2 - 1)).toBeLessThan(4 * Math.sqrt(8 / COUNT));
    const sorted = [...gaps].sort((a, b) => a - b);
    const distance = sorted.reduce(
      (worst, gap, index) => Math.max(worst, Math.abs(1 - Math.exp(-gap / MEAN_US) - (index + 0.5) / COUNT)),
      0,
    );
    // Kolmogorov and Smirnov at one in a thousand.
    expect(distance).toBeLessThan(1.95 / Math.sqrt(COUNT));
  });

  it('remembers nothing: neighbouring gaps are not correlated', () => {
    const centre = mean(gaps);
    const products = gaps.slice(1).map((gap, index) => (gap - centre) * ((gaps[index] ?? 0) - centre));
    expect(Math.abs(mean(products) / variance(gaps))).toBeLessThan(4 / Math.sqrt(COUNT));
  });

  it('has as many requests in a second as chance gives: mean and variance of the counts are alike', () => {
    const counts = new Map<number, number>();
    let at = 0;
    for (const gap of gaps) {
      at += gap;
      const second = Math.floor(at / 1e6);
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    const seconds = Math.floor(at / 1e6);
    const perSecond = Array.from({ length: seconds }, (_, second) => counts.get(second) ?? 0);
    expect(Math.abs(variance(perSecond) / mean(perSecond) - 1)).toBeLessThan(4 * Math.sqrt(2 / seconds));
  });

  it('is the same for the same seed and another for another', () => {
    const pattern: OpenPattern = { kind: 'poisson', meanUs: MEAN_US };
    expect(instants(pattern, 50, 'a')).toEqual(instants(pattern, 50, 'a'));
    expect(instants(pattern, 50, 'a')).not.toEqual(instants(pattern, 50, 'b'));
  });
});

describe('a trace', () => {
  const atUs = [0, 10, 10, 700].map(durationUs);

  it('ends with its last request', () => {
    expect(instants({ kind: 'trace', atUs, repeatUs: undefined }, 10)).toEqual([0, 10, 10, 700]);
  });

  it('begins anew after its period', () => {
    expect(instants({ kind: 'trace', atUs, repeatUs: durationUs(1_000) }, 9)).toEqual([0, 10, 10, 700, 1_000, 1_010, 1_010, 1_700, 2_000]);
  });
});
