import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../../src/core/timeline.ts';

describe('Timeline', () => {
  it('gives its items by instant and then by order, with pushes and pops mixed', () => {
    const instants = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 5, noNaN: true }));
    fc.assert(
      fc.property(fc.array(fc.option(instants), { maxLength: 200 }), (program) => {
        const timeline = new Timeline<string>();
        const model: { readonly at: number; readonly order: number }[] = [];
        for (const [index, at] of program.entries()) {
          if (at === null) {
            const first = model.shift();
            expect(timeline.pop()).toBe(first && `item ${first.order}`);
          } else {
            // Neither ascending nor descending, and never the same.
            const order = (index * 7919) % 200;
            timeline.push(at, order, `item ${order}`);
            model.push({ at, order });
            model.sort((a, b) => a.at - b.at || a.order - b.order);
          }
          expect(timeline.size).toBe(model.length);
          expect(timeline.firstAt).toBe(model[0]?.at ?? Number.POSITIVE_INFINITY);
          expect(timeline.first).toBe(model[0] && `item ${model[0].order}`);
        }
      }),
    );
  });
});
