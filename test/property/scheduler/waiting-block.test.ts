import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitingBlock } from '../../../src/scheduler/waiting-block.ts';

describe('WaitingBlock', () => {
  it('is what an array is that items come into and leave anywhere, mostly in front', () => {
    const move = fc.record({
      isComing: fc.boolean(),
      ratio: fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    });
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 8 }), fc.array(move, { maxLength: 300 }), (first, moves) => {
        const block = new WaitingBlock(first);
        const array = [...first];
        moves.forEach(({ isComing, ratio }, item) => {
          const index = Math.floor(ratio * (isComing ? array.length : array.length - 1));
          if (isComing) {
            block.insert(index, item);
            array.splice(index, 0, item);
          } else if (array.length > 0) {
            block.remove(index);
            array.splice(index, 1);
          }
          expect([block.size, block.at(index), block.at(array.length)]).toEqual([array.length, array[index], undefined]);
        });
        expect(block.items()).toEqual(array);
        if (array.length > 0) expect(block.indexOf(array[0] as number)).toBe(0);
      }),
    );
  });
});
