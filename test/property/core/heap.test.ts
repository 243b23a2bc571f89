import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heap } from '../../../src/core/heap.ts';

describe('Heap', () => {
  it('gives its items in sorted order, whatever the order in, with pushes and pops mixed', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer()), { maxLength: 200 }), (program) => {
        const heap = new Heap<number>((a, b) => a < b);
        const model: number[] = [];
        for (const step of program) {
          if (step === null) expect(heap.pop()).toBe(model.shift());
          else {
            heap.push(step);
            model.push(step);
            model.sort((a, b) => a - b);
          }
          expect(heap.peek()).toBe(model[0]);
          expect(heap.size).toBe(model.length);
        }
      }),
    );
  });
});
