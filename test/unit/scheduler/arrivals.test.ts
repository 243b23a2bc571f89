import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { Arrivals } from '../../../src/scheduler/arrivals.ts';

function placesWithin(arrivals: Arrivals, after: number, until: number): number[] {
  const places: number[] = [];
  for (let place = arrivals.next(0, after, until); place >= 0; place = arrivals.next(place + 1, after, until)) places.push(place);
  return places;
}

describe('the arrivals expected on a core', () => {
  it('are none where nothing is at home, or nothing is expected', () => {
    expect(new Arrivals(0).next(0, 0, 1_000)).toBe(-1);
    expect(new Arrivals(65).next(0, 0, 1_000)).toBe(-1);
  });

  it.each([1, 2, 63, 64, 65, 200, 1024, 1025, 3000])(
    'of %i places are those that looking at each of them finds, the last instant included',
    (count) => {
      const prng = new Prng(`arrivals ${count}`);
      const arrivals = new Arrivals(count);
      const from = new Array<number>(count).fill(Number.POSITIVE_INFINITY);
      for (let turn = 0; turn < 500; turn += 1) {
        const place = prng.integer(0, count - 1);
        from[place] = prng.chance(0.1) ? Number.POSITIVE_INFINITY : prng.integer(0, 300);
        arrivals.set(place, from[place] as number);
        const [after, until] = [prng.integer(-1, 100), prng.integer(0, 300)];
        expect(arrivals.anyBy(until)).toBe(from.some((at) => at <= until));
        expect(placesWithin(arrivals, after, until)).toEqual(from.flatMap((at, index) => (at > after && at <= until ? [index] : [])));
      }
    },
  );
});
