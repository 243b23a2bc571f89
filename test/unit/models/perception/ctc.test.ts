import { describe, expect, it } from 'vitest';
import { readCtc } from '../../../../src/models/perception/ctc.ts';

const CHARACTERS = ['a', 'b', '文', ' '];

/** One row a step: `probability` on the class, the rest shared. */
function steps(...path: readonly (readonly [number, number])[]): Float32Array {
  return Float32Array.from(
    path.flatMap(([best, probability]) => Array.from({ length: 5 }, (_, index) => (index === best ? probability : (1 - probability) / 4))),
  );
}

describe('readCtc', () => {
  it('joins repeats, keeps doubles that a blank parts, and drops blanks', () => {
    const path = [
      [0, 0.9],
      [1, 0.9],
      [1, 0.8],
      [0, 0.9],
      [1, 0.7],
      [2, 0.9],
      [3, 0.9],
    ] as const;
    expect(readCtc(steps(...path), 5, CHARACTERS).text).toBe('aab文');
  });

  it('scores by the mean of the first step of each character', () => {
    expect(readCtc(steps([1, 0.9], [1, 0.5], [0, 1], [2, 0.7]), 5, CHARACTERS).score).toBeCloseTo(0.8, 6);
  });

  it('reads the last class as the space and nothing as nothing', () => {
    expect(readCtc(steps([1, 0.9], [4, 0.9], [2, 0.9]), 5, CHARACTERS).text).toBe('a b');
    expect(readCtc(steps([0, 0.9], [0, 0.9]), 5, CHARACTERS)).toEqual({ text: '', score: 0 });
    expect(readCtc(new Float32Array(0), 5, CHARACTERS)).toEqual({ text: '', score: 0 });
  });
});
