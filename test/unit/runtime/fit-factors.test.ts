import { describe, expect, test } from 'vitest';
import { adviceFor } from '../../../src/runtime/fit-advice.ts';
import { manifestCosts } from '../../../src/runtime/fit-costs.ts';
import { type FactorsAsked, findFactors } from '../../../src/runtime/fit-factors.ts';
import type { CoreTask } from '../../../src/scheduler/analysis/core-bound.ts';

const task = (id: string, run: number, period: number): CoreTask => ({
  ...{ id, rank: 0, run, cost: run, segment: run, last: run },
  ...{ period, deadline: period, early: 0, jitter: 0 },
});

const asked = (guaranteed: readonly CoreTask[], isFitting: boolean, core = 0): FactorsAsked => ({
  group: [core],
  load: { guaranteed, guests: [], rest: [], doesLookAhead: true },
  isFitting,
  streams: guaranteed.map(({ id }) => id),
});

/** Alone, and so many on one core that each takes much more work. */
const lone = task('lone', 5_000, 100_000);
const many = Array.from({ length: 12 }, (_, index) => task(`m${index}`, 900 + index, 20_000 + 1_003 * index));

describe('findFactors', () => {
  test('has all with the work that there is', () => {
    const { ofStream, notComputed } = findFactors([asked([lone], true), asked(many, true, 1)]);
    expect([ofStream.size, notComputed]).toEqual([13, []]);
    expect(ofStream.get('lone')).toBe(20);
  });

  test('with too little work names what is missing, and still has what takes little, whatever comes before it', () => {
    const { ofStream, notComputed } = findFactors([asked(many, true, 1), asked([lone], true)], 3_000);
    expect([...ofStream]).toEqual([['lone', 20]]);
    expect(notComputed).toEqual(['cost x of m0, m1, m2, m3, m4, m5, m6, m7 and 4 more']);
  });

  test('what the first round leaves goes to those that it was not enough for', () => {
    const [termsMax, share] = [20_000_000, 20_000_000 / many.length];
    const alone = many.filter(({ id }) => findFactors([{ ...asked(many, true), streams: [id] }], share).notComputed.length > 0);
    expect(alone.length).toBeGreaterThan(0);
    expect(findFactors([asked(many, true)], termsMax).notComputed).toEqual([]);
  });

  test('gives streams that are alike the factor that each has by itself, also beside work that is told apart from one', () => {
    const twins = ['a', 'b', 'c'].map((id) => task(id, 2_000, 40_000));
    const over = { ...task('c/over', 3_000, 1e9), partOf: 'c' };
    const group = asked(twins, true);
    const withOver = { ...group, load: { ...group.load, guests: [over] } };
    expect([...findFactors([group]).ofStream.values()]).toEqual([18, 18, 18]);
    const { ofStream } = findFactors([withOver]);
    const each = twins.map(({ id }) => findFactors([{ ...withOver, streams: [id] }]).ofStream.get(id));
    expect(['a', 'b', 'c'].map((id) => ofStream.get(id))).toEqual(each);
    expect(each).toEqual([16.5, 16.5, 16.5]);
  });

  test('looks for a factor on all costs only of what does not fit', () => {
    const heavy = asked([task('a', 60_000, 100_000), task('b', 60_000, 100_000)], false);
    const { ofAll } = findFactors([heavy, asked([lone], true, 1)]);
    expect([...ofAll]).toEqual([[heavy, 0.83]]);
    expect(findFactors([heavy], 3).notComputed).toEqual(['cost x of a, b', 'the factor on all costs of core 0']);
  });
});

test('the advice does not say that no lower cost helps where none was computed', () => {
  const costs = manifestCosts({ models: [] });
  expect(adviceFor([0], [], { factor: null, isComplete: false }, costs)).toContain('was not computed');
  expect(adviceFor([0], [], { factor: null, isComplete: true }, costs)).toContain('no lower cost helps');
});
