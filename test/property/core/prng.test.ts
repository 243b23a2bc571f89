import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';

describe('Prng', () => {
  it('gives the same numbers for the same seed, and a fork does not depend on what was drawn before', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat({ max: 50 }), (seed, label, drawn) => {
        const one = new Prng(seed);
        const two = new Prng(seed);
        for (let draw = 0; draw < drawn; draw += 1) one.uint32();
        expect(one.fork(label).uint32()).toBe(two.fork(label).uint32());
      }),
    );
  });

  it('stays within the bounds asked for and reaches both', () => {
    const prng = new Prng(7);
    const drawn = Array.from({ length: 2_000 }, () => prng.integer(-3, 3));
    expect(Math.min(...drawn)).toBe(-3);
    expect(Math.max(...drawn)).toBe(3);
  });

  it('is uniform: a chi-squared test over 64 cells stays below its 99.9 % quantile', () => {
    const prng = new Prng('chi');
    const cells = new Array<number>(64).fill(0);
    const draws = 64_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const cell = Math.floor(prng.ratio() * 64);
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const expected = draws / 64;
    const chiSquared = cells.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(103.4);
  });
});
