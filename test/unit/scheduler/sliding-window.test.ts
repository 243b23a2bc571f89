import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SlidingWindow } from '../../../src/scheduler/sliding-window.ts';

describe('a sliding window', () => {
  it('agrees with sorting the last samples, duplicates included, for thousands of samples', () => {
    const prng = new Prng('window');
    const window = new SlidingWindow(15);
    const all: number[] = [];
    for (let n = 0; n < 5_000; n += 1) {
      const sample = prng.integer(0, 20);
      window.push(sample);
      all.push(sample);
      const sorted = all.slice(-15).sort((a, b) => a - b);
      expect(window.count).toBe(sorted.length);
      expect(window.largest(0)).toBe(sorted.at(-1));
      expect(window.largest(sorted.length - 1)).toBe(sorted[0]);
      expect(window.median()).toBe(sorted[(sorted.length - 1) >> 1]);
    }
  });

  it('tells half the distance between the quartiles as its spread, whatever the outliers', () => {
    const window = new SlidingWindow(9);
    for (const sample of [10, 20, 30, 40, 50, 60, 70, -1_000, 1_000]) window.push(sample);
    expect(window.quartileDeviation()).toBe(20);
  });

  it('refuses to tell what it has not seen', () => {
    const window = new SlidingWindow(3);
    expect(() => window.median()).toThrow(/has a sample/);
    window.push(1);
    expect(() => window.largest(1)).toThrow(/that many/);
  });
});
