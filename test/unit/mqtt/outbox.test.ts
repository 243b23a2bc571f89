import { describe, expect, it } from 'vitest';
import { type MessageClass, Outbox, type OutboxItem, type OutboxOptions } from '../../../src/mqtt/outbox.ts';

const item = (name: string, messageClass: MessageClass = 'event', bytes = 10): OutboxItem => ({
  class: messageClass,
  topic: name,
  payload: name,
  bytes,
  isRetained: messageClass === 'state',
});

const outbox = (options: Partial<OutboxOptions> = {}): Outbox =>
  new Outbox({ itemsMax: 4, bytesMax: 1000, messageBytesMax: 100, inFlightItemsMax: 3, ...options });

function drain(box: Outbox): string[] {
  const names: string[] = [];
  for (let next = box.take(); next !== undefined; next = box.take()) {
    names.push(next.payload);
    box.settle(next, 'published');
  }
  return names;
}

describe('outbox', () => {
  it('holds as many items as its bound, and drops the oldest for one more', () => {
    const box = outbox();
    for (const name of ['a', 'b', 'c', 'd']) box.offer(item(name));
    expect(box.counts()).toMatchObject({ queuedItems: 4, queuedBytes: 40, dropped: { overflow: 0 } });
    box.offer(item('e'));
    expect(box.counts()).toMatchObject({ queuedItems: 4, queuedBytes: 40, dropped: { overflow: 1 } });
    expect(drain(box)).toEqual(['b', 'c', 'd', 'e']);
  });

  it('holds as many bytes as its bound, and drops the oldest for one byte more', () => {
    const box = outbox({ itemsMax: 100, bytesMax: 200 });
    box.offer(item('a', 'event', 100));
    box.offer(item('b', 'event', 99));
    box.offer(item('c', 'event', 1));
    expect(box.counts()).toMatchObject({ queuedItems: 3, queuedBytes: 200, dropped: { overflow: 0 } });
    box.offer(item('d', 'event', 1));
    expect(box.counts()).toMatchObject({ queuedItems: 3, queuedBytes: 101, dropped: { overflow: 1 } });
    expect(drain(box)).toEqual(['b', 'c', 'd']);
  });

  it('takes a message at its largest size and refuses one a byte larger', () => {
    const box = outbox();
    box.offer(item('a', 'event', 100));
    box.offer(item('b', 'event', 101));
    expect(box.counts()).toMatchObject({ queuedItems: 1, dropped: { 'too-large': 1 } });
  });

  it('keeps only the newest state of a topic', () => {
    const box = outbox();
    box.offer({ ...item('health', 'state'), payload: 'old' });
    box.offer({ ...item('health', 'state'), payload: 'new' });
    expect(box.counts()).toMatchObject({ queuedItems: 1, dropped: { superseded: 1 } });
    expect(drain(box)).toEqual(['new']);
  });

  it('keeps the state it has when the newer one is too large', () => {
    const box = outbox();
    box.offer({ ...item('health', 'state'), payload: 'old' });
    box.offer({ ...item('health', 'state', 101), payload: 'new' });
    expect(drain(box)).toEqual(['old']);
  });

  it('sends by importance, oldest first in a class', () => {
    const box = outbox({ itemsMax: 10 });
    box.offer(item('t', 'telemetry'));
    box.offer(item('r', 'result'));
    box.offer(item('e1', 'event'));
    box.offer(item('e2', 'event'));
    box.offer(item('s', 'state'));
    expect(drain(box)).toEqual(['s', 'e1', 'e2', 'r', 't']);
  });

  it('sheds telemetry first, then results, then events, and never a state for them', () => {
    const box = outbox();
    box.offer(item('s', 'state'));
    box.offer(item('t', 'telemetry'));
    box.offer(item('r', 'result'));
    box.offer(item('e1', 'event'));
    for (const name of ['e2', 'e3', 'e4']) box.offer(item(name, 'event'));
    expect(drain(box)).toEqual(['s', 'e2', 'e3', 'e4']);
  });

  it('drops a newcomer less important than all that waits, and sheds nothing for it', () => {
    const box = outbox();
    for (const name of ['a', 'b', 'c', 'd']) box.offer(item(name, 'event'));
    box.offer(item('t', 'telemetry'));
    expect(box.counts().dropped.overflow).toBe(1);
    expect(drain(box)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('sheds nothing when shedding could not make room', () => {
    const box = outbox({ itemsMax: 10, bytesMax: 200 });
    box.offer(item('e', 'event', 90));
    box.offer(item('e', 'event', 50));
    box.offer(item('t', 'telemetry', 60));
    box.offer(item('r', 'result', 100));
    expect(drain(box)).toEqual(['e', 'e', 't']);
  });

  it('always finds room for a new state, also with a full window in flight', () => {
    const box = outbox({ itemsMax: 4, bytesMax: 200, messageBytesMax: 100, inFlightItemsMax: 3 });
    for (const name of ['a', 'b', 'c']) box.offer(item(name, 'event', 50));
    box.take();
    box.take();
    expect(box.take()).toBeUndefined();
    box.offer(item('s', 'state', 100));
    expect(box.hasState('s')).toBe(true);
    expect(box.counts()).toMatchObject({ queuedBytes: 100, inFlightBytes: 100 });
  });

  it('lets no more items fly than its window, or the narrower one of the broker', () => {
    const box = outbox();
    for (const name of ['a', 'b', 'c', 'd']) box.offer(item(name));
    box.limitInFlight(2);
    const first = box.take();
    box.take();
    expect(box.take()).toBeUndefined();
    if (first !== undefined) box.settle(first, 'published');
    expect(box.take()?.payload).toBe('c');
    box.limitInFlight(65_535);
    expect(box.take()?.payload).toBe('d');
    expect(box.counts().inFlightItems).toBe(3);
  });

  it('lets half of its bytes fly, and a single item however large', () => {
    const box = outbox({ bytesMax: 200 });
    box.offer(item('a', 'event', 100));
    box.offer(item('b', 'event', 1));
    expect(box.take()?.payload).toBe('a');
    expect(box.take()).toBeUndefined();
    expect(box.take(true)?.payload).toBe('b');
  });

  it('queues what flew again, in its old order, when the connection is gone', () => {
    const box = outbox();
    for (const name of ['a', 'b', 'c', 'd']) box.offer(item(name));
    box.take();
    box.take();
    box.giveBackAll();
    expect(box.counts()).toMatchObject({ queuedItems: 4, inFlightItems: 0 });
    expect(drain(box)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('does not queue a state again when a newer one waits', () => {
    const box = outbox();
    box.offer({ ...item('health', 'state'), payload: 'old' });
    box.take();
    box.offer({ ...item('health', 'state'), payload: 'new' });
    box.giveBackAll();
    expect(box.counts().dropped.superseded).toBe(1);
    expect(drain(box)).toEqual(['new']);
  });

  it('keeps the newer of two states of a topic that flew together', () => {
    const box = outbox();
    box.offer({ ...item('health', 'state'), payload: 'old' });
    box.take();
    box.offer({ ...item('health', 'state'), payload: 'new' });
    box.take();
    box.giveBackAll();
    expect(drain(box)).toEqual(['new']);
  });

  it('does not queue a state again when a newer one was published already', () => {
    const box = outbox();
    box.offer({ ...item('health', 'state'), payload: 'old' });
    box.take();
    box.offer({ ...item('health', 'state'), payload: 'new' });
    const newer = box.take();
    if (newer !== undefined) box.settle(newer, 'published');
    box.giveBackAll();
    expect(drain(box)).toEqual([]);
    expect(box.counts()).toMatchObject({ published: 1, dropped: { superseded: 1 } });
  });

  it('cannot be built so that a state might find no room', () => {
    expect(() => outbox({ inFlightItemsMax: 4 })).toThrow('invariant broken');
    expect(() => outbox({ messageBytesMax: 501 })).toThrow('invariant broken');
  });
});
