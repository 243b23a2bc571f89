import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DueList } from '../../../src/scheduler/due-list.ts';

const PLACES = 1_500;
// Few instants, so that many places are due at once; now and then none at all.
const at = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY) },
);
const program = fc.array(fc.record({ place: fc.nat({ max: PLACES - 1 }), at, leaves: fc.boolean() }), { maxLength: 3_000, size: 'max' });

const entriesOf = (list: DueList, count: number) => Array.from({ length: count }, (_, index) => [list.dueAt(index), list.placeAt(index)]);

describe('DueList', () => {
  it('stands in order of instants, then of places, whatever comes, moves and leaves, also with more than fit into one block', () => {
    fc.assert(
      fc.property(program, (calls) => {
        const list = new DueList();
        const dueAt = new Map<number, number>();
        for (const { place, at, leaves } of calls) {
          const before = dueAt.get(place);
          if (before !== undefined) list.remove(place, before);
          dueAt.delete(place);
          // Mostly it grows.
          if (leaves && before !== undefined && place % 3 === 0) continue;
          list.insert(place, at);
          dueAt.set(place, at);
        }
        const sorted = [...dueAt].map(([place, at]) => [at, place] as const).sort(([a, i], [b, j]) => (a === b ? i - j : a - b));
        expect(entriesOf(list, sorted.length)).toEqual(sorted);
        expect([list.dueAt(sorted.length), list.placeAt(sorted.length)]).toEqual([Number.POSITIVE_INFINITY, -1]);
      }),
      { numRuns: 60 },
    );
  });

  it('can be emptied and filled again, whichever end leaves first', () => {
    for (const places of [[...Array(400).keys()], [...Array(400).keys()].reverse()]) {
      const list = new DueList();
      for (let round = 0; round < 2; round += 1) {
        for (const place of places) list.insert(place, place * 10);
        expect(entriesOf(list, 2)).toEqual([
          [0, 0],
          [10, 1],
        ]);
        for (const place of places) list.remove(place, place * 10);
        expect(list.dueAt(0)).toBe(Number.POSITIVE_INFINITY);
      }
    }
  });

  it('refuses to let go of what it does not hold', () => {
    const list = new DueList();
    list.insert(3, 10);
    expect(() => list.remove(3, 11)).toThrow('the list holds the place that is asked for');
    expect(() => list.remove(4, 10)).toThrow('the list holds the place that is asked for');
  });
});
