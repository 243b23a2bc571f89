import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MESSAGE_CLASSES, type MessageClass, Outbox, type OutboxItem } from '../../../src/mqtt/outbox.ts';

type Step =
  | { readonly kind: 'offer'; readonly class: MessageClass; readonly topic: number; readonly bytes: number }
  | { readonly kind: 'take' }
  | { readonly kind: 'settle'; readonly pick: number; readonly isRefused: boolean }
  | { readonly kind: 'give-back' }
  | { readonly kind: 'limit'; readonly itemsMax: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      class: fc.constantFrom(...MESSAGE_CLASSES),
      topic: fc.integer({ min: 0, max: 3 }),
      bytes: fc.integer({ min: 1, max: 70 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'take' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('settle' as const), pick: fc.nat(), isRefused: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'give-back' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit' as const), itemsMax: fc.integer({ min: 0, max: 10 }) }) },
);

const limits = fc
  .record({
    itemsMax: fc.integer({ min: 2, max: 12 }),
    bytesMax: fc.integer({ min: 2, max: 300 }),
    inFlight: fc.nat(),
    message: fc.nat(),
  })
  .map(({ itemsMax, bytesMax, inFlight, message }) => ({
    itemsMax,
    bytesMax,
    inFlightItemsMax: 1 + (inFlight % (itemsMax - 1)),
    messageBytesMax: 1 + (message % Math.floor(bytesMax / 2)),
  }));

/** Plays the steps, calling `check` after each with everything a checker may want. */
function play(
  options: ConstructorParameters<typeof Outbox>[0],
  steps: readonly Step[],
  check: (box: Outbox, flying: readonly OutboxItem[], step: Step, item: OutboxItem | undefined) => void,
): Outbox {
  const box = new Outbox(options);
  let flying: OutboxItem[] = [];
  let serial = 0;
  for (const next of steps) {
    let touched: OutboxItem | undefined;
    switch (next.kind) {
      case 'offer':
        serial += 1;
        touched = {
          class: next.class,
          topic: `${next.class}/${next.topic}`,
          payload: String(serial),
          bytes: next.bytes,
          isRetained: false,
        };
        box.offer(touched);
        break;
      case 'take':
        touched = box.take();
        if (touched !== undefined) flying.push(touched);
        break;
      case 'settle':
        touched = flying[next.pick % flying.length];
        if (touched === undefined) break;
        flying = flying.filter((item) => item !== touched);
        box.settle(touched, next.isRefused ? 'refused' : 'published');
        break;
      case 'give-back':
        box.giveBackAll();
        flying = [];
        break;
      case 'limit':
        box.limitInFlight(next.itemsMax);
        break;
    }
    check(box, flying, next, touched);
  }
  return box;
}

const steps = fc.array(step, { maxLength: 200 });

describe('outbox laws', () => {
  it('never holds more items or bytes than its bounds, whatever happens', () => {
    fc.assert(
      fc.property(limits, steps, (options, history) => {
        play(options, history, (box) => {
          const counts = box.counts();
          expect(counts.queuedItems + counts.inFlightItems).toBeLessThanOrEqual(options.itemsMax);
          expect(counts.queuedBytes + counts.inFlightBytes).toBeLessThanOrEqual(options.bytesMax);
          expect(counts.inFlightItems).toBeLessThanOrEqual(options.inFlightItemsMax);
          expect(counts.queuedItems).toBeGreaterThanOrEqual(0);
          expect(counts.queuedBytes).toBeGreaterThanOrEqual(counts.queuedItems);
        });
      }),
      { numRuns: 400 },
    );
  });

  it('accounts for every offer: published + dropped + queued + in flight', () => {
    fc.assert(
      fc.property(limits, steps, (options, history) => {
        play(options, history, (box, flying) => {
          const counts = box.counts();
          const dropped = Object.values(counts.dropped).reduce((sum, value) => sum + value, 0);
          expect(counts.published + dropped + counts.queuedItems + counts.inFlightItems).toBe(counts.offered);
          expect(counts.inFlightItems).toBe(flying.length);
          expect(counts.inFlightBytes).toBe(flying.reduce((sum, { bytes }) => sum + bytes, 0));
        });
      }),
      { numRuns: 400 },
    );
  });

  it('always accepts a state that is not too large, and sends only the newest of its topic', () => {
    fc.assert(
      fc.property(limits, steps, (options, history) => {
        const newest = new Map<string, string>();
        play(options, history, (box, _flying, { kind }, item) => {
          if (item?.class !== 'state') return;
          if (kind === 'offer' && item.bytes <= options.messageBytesMax) {
            expect(box.hasState(item.topic)).toBe(true);
            newest.set(item.topic, item.payload);
          }
          // A state may come back from a lost flight, but never older than one that was sent or offered after it.
          if (kind === 'take') expect(item.payload).toBe(newest.get(item.topic));
        });
      }),
      { numRuns: 400 },
    );
  });

  it('sends each class but state in the order of offers, however often flights are lost', () => {
    fc.assert(
      fc.property(limits, steps, (options, history) => {
        const highest = new Map<MessageClass, number>();
        let hasLost = false;
        play(options, history, (_box, _flying, { kind }, item) => {
          if (kind === 'give-back') hasLost = true;
          if (kind !== 'take' || item === undefined || item.class === 'state' || hasLost) return;
          expect(Number(item.payload)).toBeGreaterThan(highest.get(item.class) ?? 0);
          highest.set(item.class, Number(item.payload));
        });
        const box = play(options, history, () => undefined);
        box.giveBackAll();
        box.limitInFlight(1);
        const order = new Map<MessageClass, number>();
        for (let item = box.take(); item !== undefined; item = box.take()) {
          if (item.class !== 'state') {
            expect(Number(item.payload)).toBeGreaterThan(order.get(item.class) ?? 0);
            order.set(item.class, Number(item.payload));
          }
          box.settle(item, 'published');
        }
        expect(box.counts().queuedItems).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});
