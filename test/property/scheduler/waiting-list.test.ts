import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingList } from '../../../src/scheduler/waiting-list.ts';

const program = fc.array(fc.record({ key: fc.integer({ min: 0, max: 2_000 }), leaves: fc.boolean() }), { maxLength: 2_000, size: 'max' });

describe('WaitingList', () => {
  it('stands in order whatever comes and leaves, also with more than fit into one block', () => {
    fc.assert(
      fc.property(program, (calls) => {
        const list = new WaitingList<number>((a, b) => a < b, false);
        const model = new Set<number>();
        for (const { key, leaves } of calls) {
          if (model.has(key)) {
            // Mostly it grows.
            if (!leaves && key % 3 > 0) continue;
            list.remove(key);
            model.delete(key);
          } else {
            list.insert(key);
            model.add(key);
          }
          expect(list.size).toBe(model.size);
        }
        const sorted = [...model].sort((a, b) => a - b);
        expect(Array.from({ length: list.size }, (_, index) => list.at(index))).toEqual(sorted);
        expect(sorted.map((key) => list.placeOf(key))).toEqual(sorted.map((_, index) => index));
        expect(list.at(list.size)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('refuses to let go of what it does not hold', () => {
    const list = new WaitingList<number>((a, b) => a < b, false);
    for (let key = 0; key < 1_000; key += 2) list.insert(key);
    expect(() => list.remove(501)).toThrow('the list holds the job that is asked for');
  });

  it('stands in the order of the last sort where the order changes', () => {
    let isReversed = false;
    const list = new WaitingList<number>((a, b) => (isReversed ? a > b : a < b), true);
    for (const key of [3, 1, 2]) list.insert(key);
    list.sort();
    expect([list.at(0), list.at(1), list.at(2)]).toEqual([1, 2, 3]);
    isReversed = true;
    list.remove(2);
    list.sort();
    expect([list.at(0), list.at(1), list.size]).toEqual([3, 1, 2]);
  });
});
