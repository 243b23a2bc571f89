import { expect, it } from 'vitest';
import { isFiniteEverywhere } from '../../../src/core/finite.ts';

it('takes zeros of both signs, the largest and the smallest values for finite', () => {
  expect(isFiniteEverywhere(Float32Array.of(0, -0, 3.4028234663852886e38, -3.4028234663852886e38, 1.401298464324817e-45))).toBe(true);
  expect(isFiniteEverywhere(new Float32Array(0))).toBe(true);
});

it('finds one bad value wherever it is, at every length', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (let length = 1; length <= 13; length += 1) {
      for (let index = 0; index < length; index += 1) {
        const values = new Float32Array(length).fill(-1.5);
        expect(isFiniteEverywhere(values)).toBe(true);
        values[index] = bad;
        expect([bad, length, index, isFiniteEverywhere(values)]).toEqual([bad, length, index, false]);
      }
    }
  }
});

it('is not fooled by two infinities that cancel out', () => {
  expect(isFiniteEverywhere(Float32Array.of(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0, 0))).toBe(false);
});
