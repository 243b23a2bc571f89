import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdMap } from '../../../src/core/id-map.ts';

const key = fc.oneof(
  fc.nat(40),
  fc.nat(40).map((n) => n * 4_096),
  fc.maxSafeNat(),
);
const call = fc.tuple(fc.constantFrom('add', 'add', 'remove'), key);

describe('IdMap', () => {
  it('holds what a Map would, whatever is added and removed', () => {
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const map = new IdMap<string>();
        const model = new Map<number, string>();
        for (const [index, [kind, id]] of calls.entries()) {
          const value = `value ${index}`;
          if (kind === 'remove') {
            expect(map.remove(id)).toBe(model.get(id));
            model.delete(id);
          } else {
            expect(map.add(id, value)).toBe(!model.has(id));
            if (!model.has(id)) model.set(id, value);
          }
          expect(map.size).toBe(model.size);
        }
        for (const [id, value] of model) expect(map.get(id)).toBe(value);
        expect(map.get(41)).toBe(model.get(41));
        expect(map.values().sort()).toEqual([...model.values()].sort());
      }),
    );
  });

  it('keeps ten thousand apart and forgets them', () => {
    const map = new IdMap<number>();
    for (let id = 0; id < 10_000; id += 1) map.add(id * 64, id);
    for (let id = 0; id < 10_000; id += 1) expect(map.remove(id * 64)).toBe(id);
    expect(map.size).toBe(0);
    expect(map.values()).toEqual([]);
  });
});
