import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timeline } from '../../../src/core/timeline.ts';

interface Waiting {
  readonly at: number;
  readonly order: number;
  item: string | undefined;
}

describe('Timeline', () => {
  it('gives its items by instant and then by order, with pushes, pops and cancellations mixed', () => {
    const instants = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.double({ min: 0, max: 5, noNaN: true }));
    const steps = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), at: instants }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('put off' as const), by: fc.constantFrom(1, 2, 3, 10) }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('pop' as const) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 300 }), (program) => {
        const timeline = new Timeline<string>();
        const model: Waiting[] = [];
        const pushed: { readonly cancel: () => void; readonly waiting: Waiting }[] = [];
        let now = 0;
        for (const [index, step] of program.entries()) {
          if (step.kind === 'pop') {
            const first = model.shift();
            now = Math.max(now, first?.at ?? 0);
            expect(timeline.pop()).toBe(first?.item);
          } else if (step.kind === 'cancel') {
            const one = pushed[step.pick % Math.max(1, pushed.length)];
            one?.cancel();
            if (one !== undefined) one.waiting.item = undefined;
          } else {
            // Neither ascending nor descending, and never the same.
            const order = (index * 7919) % 300;
            const waiting: Waiting = { at: step.kind === 'push' ? step.at : now + step.by, order, item: `item ${order}` };
            const { cancel } = bound(timeline.pushCancellable(waiting.at, order, `item ${order}`));
            pushed.push({ cancel, waiting });
            model.push(waiting);
            model.sort((a, b) => a.at - b.at || a.order - b.order);
          }
          expect(timeline.size).toBe(model.length);
          expect(timeline.firstAt).toBe(model[0]?.at ?? Number.POSITIVE_INFINITY);
          expect(timeline.first).toBe(model[0]?.item);
        }
      }),
    );
  });

  it('keeps thousands in order that are put off by the same spans', () => {
    const timeline = new Timeline<number>();
    for (let order = 0; order < 5_000; order += 1) timeline.push(order % 3 === 0 ? order : order + 100 * (order % 3), order, order);
    const seen: number[] = [];
    for (let at = timeline.firstAt; timeline.size > 0; at = timeline.firstAt) {
      seen.push(at);
      timeline.pop();
    }
    expect(seen).toHaveLength(5_000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

const bound = (timer: { cancel(): void }) => ({ cancel: () => timer.cancel() });
