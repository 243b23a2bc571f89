import { assert } from '../core/assert.ts';
import { Ring } from '../core/ring.ts';

/** From most to least important: sent in this order, shed in the opposite one. `state` keeps the latest per topic, the others keep the newest of all. */
export const MESSAGE_CLASSES = ['state', 'event', 'result', 'telemetry'] as const;
export type MessageClass = (typeof MESSAGE_CLASSES)[number];

const LINK_DROP_REASONS = [
  /** A newer state of the same topic took its place. */
  'superseded',
  /** The outbox was full, and this was the oldest of the least important class, or less important than all that waited. */
  'overflow',
  /** Larger than one message may be, here or at the broker. */
  'too-large',
  /** The group, kind or pipeline is no topic segment. */
  'invalid-topic',
  /** JSON could not be made of it. */
  'unencodable',
  /** The broker answered with an error. */
  'refused',
  /** The link was closing or closed. */
  'closed',
] as const;
export type LinkDropReason = (typeof LINK_DROP_REASONS)[number];

export interface OutboxItem {
  readonly class: MessageClass;
  readonly topic: string;
  readonly payload: string;
  /** UTF-8 bytes of topic and payload. V8 holds a string in at most twice as many. */
  readonly bytes: number;
  readonly isRetained: boolean;
}

export interface OutboxOptions {
  /** Bounds of queued and in-flight items together. */
  readonly itemsMax: number;
  readonly bytesMax: number;
  /** Largest single item; at most half of `bytesMax`, so that a new state always finds room. */
  readonly messageBytesMax: number;
  /** Items handed on and not yet settled; less than `itemsMax`. Their bytes are held to half of `bytesMax`. */
  readonly inFlightItemsMax: number;
}

export interface OutboxCounts {
  readonly offered: number;
  readonly published: number;
  readonly dropped: Readonly<Record<LinkDropReason, number>>;
  readonly queuedItems: number;
  readonly queuedBytes: number;
  readonly inFlightItems: number;
  readonly inFlightBytes: number;
}

interface Queue {
  readonly ring: Ring<OutboxItem>;
  bytes: number;
}

/**
 * What waits for the broker, bounded in items and bytes.
 *
 *     offer ─▶ queued ─take─▶ in flight ─settle─▶ published | refused
 *                ▲                │
 *                └───giveBack─────┘
 *
 * Law: offered = published + dropped + queued + in flight, at every moment.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #inFlightBytesMax: number;
  readonly #states = new Map<string, OutboxItem>();
  #stateBytes = 0;
  /** Classes 1.. of MESSAGE_CLASSES, in that order. */
  readonly #queues: readonly Queue[];
  readonly #inFlight = new Set<OutboxItem>();
  /** States in flight that a newer one of their topic followed: they must not come back behind it. */
  readonly #outdated = new Set<OutboxItem>();
  #inFlightBytes = 0;
  #inFlightItemsMax: number;
  #queuedItems = 0;
  #queuedBytes = 0;
  #offered = 0;
  #published = 0;
  readonly #dropped = Object.fromEntries(LINK_DROP_REASONS.map((reason) => [reason, 0])) as Record<LinkDropReason, number>;

  constructor(options: OutboxOptions) {
    assert(options.inFlightItemsMax >= 1 && options.inFlightItemsMax < options.itemsMax, 'the in-flight window is smaller than the outbox');
    assert(options.messageBytesMax >= 1 && options.messageBytesMax * 2 <= options.bytesMax, 'one message takes at most half of the outbox');
    this.#options = options;
    this.#inFlightItemsMax = options.inFlightItemsMax;
    this.#inFlightBytesMax = Math.floor(options.bytesMax / 2);
    this.#queues = MESSAGE_CLASSES.slice(1).map(() => ({ ring: new Ring<OutboxItem>(), bytes: 0 }));
  }

  get queuedItems(): number {
    return this.#queuedItems;
  }

  get inFlightItems(): number {
    return this.#inFlight.size;
  }

  /** Takes an item in, at the cost of less important or older ones, or drops it. */
  offer(item: OutboxItem): void {
    this.#offered += 1;
    if (item.bytes > this.#options.messageBytesMax) return this.#count('too-large');
    if (!this.#couldFit(item)) return this.#count('overflow');
    if (item.class === 'state') this.#removeState(item.topic, 'superseded');
    while (!this.#fits(item)) this.#shedOne();
    this.#enqueue(item, false);
  }

  /** Counts something that never became an item. */
  reject(reason: LinkDropReason): void {
    this.#offered += 1;
    this.#count(reason);
  }

  hasState(topic: string): boolean {
    return this.#states.has(topic);
  }

  /** Narrows the in-flight window to what the broker allows, within the configured one. */
  limitInFlight(itemsMax: number): void {
    this.#inFlightItemsMax = Math.max(1, Math.min(itemsMax, this.#options.inFlightItemsMax));
  }

  /**
   * The next item, now in flight; undefined when nothing waits or the window is full. One item may always fly, however large.
   * `ignoresWindow`: for the last words of a closing link.
   */
  take(ignoresWindow = false): OutboxItem | undefined {
    const item = this.#peek();
    if (item === undefined) return undefined;
    const isWindowFull =
      this.#inFlight.size > 0 &&
      (this.#inFlight.size >= this.#inFlightItemsMax || this.#inFlightBytes + item.bytes > this.#inFlightBytesMax);
    if (isWindowFull && !ignoresWindow) return undefined;
    this.#dequeue(item);
    if (item.class === 'state') {
      for (const earlier of this.#inFlight) if (earlier.class === 'state' && earlier.topic === item.topic) this.#outdated.add(earlier);
    }
    this.#inFlight.add(item);
    this.#inFlightBytes += item.bytes;
    return item;
  }

  /** Ends an item's flight for good. */
  settle(item: OutboxItem, end: 'published' | 'refused' | 'too-large'): void {
    this.#land(item);
    if (end === 'published') this.#published += 1;
    else this.#count(end);
  }

  /** The connection is gone: what was in flight waits again, before what came later; a state that has a newer one is dropped. */
  giveBackAll(): void {
    for (const item of [...this.#inFlight].reverse()) {
      const isOutdated = this.#outdated.has(item) || (item.class === 'state' && this.#states.has(item.topic));
      this.#land(item);
      if (isOutdated) this.#count('superseded');
      else this.#enqueue(item, true);
    }
  }

  /** Drops all that is queued, and what flies too when asked. */
  discard(reason: LinkDropReason, alsoInFlight: boolean): void {
    for (let item = this.#peek(); item !== undefined; item = this.#peek()) {
      this.#dequeue(item);
      this.#count(reason);
    }
    if (!alsoInFlight) return;
    for (const item of this.#inFlight) {
      this.#land(item);
      this.#count(reason);
    }
  }

  counts(): OutboxCounts {
    return {
      offered: this.#offered,
      published: this.#published,
      dropped: { ...this.#dropped },
      queuedItems: this.#queuedItems,
      queuedBytes: this.#queuedBytes,
      inFlightItems: this.#inFlight.size,
      inFlightBytes: this.#inFlightBytes,
    };
  }

  #fits(item: OutboxItem): boolean {
    return (
      this.#queuedItems + this.#inFlight.size + 1 <= this.#options.itemsMax &&
      this.#queuedBytes + this.#inFlightBytes + item.bytes <= this.#options.bytesMax
    );
  }

  /** Whether shedding everything that is not more important would make room; asked first, so that nothing is shed for an item that is dropped after all. */
  #couldFit(item: OutboxItem): boolean {
    let itemsKept = this.#inFlight.size;
    let bytesKept = this.#inFlightBytes;
    const rank = MESSAGE_CLASSES.indexOf(item.class);
    if (rank > 0) {
      itemsKept += this.#states.size;
      bytesKept += this.#stateBytes;
      for (let other = 1; other < rank; other += 1) {
        const queue = this.#queueOf(other);
        itemsKept += queue.ring.size;
        bytesKept += queue.bytes;
      }
    }
    return itemsKept + 1 <= this.#options.itemsMax && bytesKept + item.bytes <= this.#options.bytesMax;
  }

  /** The oldest of the least important class that has any; `couldFit` made sure that it is not more important than who needs the room. */
  #shedOne(): void {
    for (let rank = MESSAGE_CLASSES.length - 1; rank > 0; rank -= 1) {
      const oldest = this.#queueOf(rank).ring.peekFront();
      if (oldest !== undefined) {
        this.#dequeue(oldest);
        return this.#count('overflow');
      }
    }
    const oldest = this.#states.values().next().value;
    assert(oldest !== undefined, 'an outbox without room holds something to shed');
    this.#removeState(oldest.topic, 'overflow');
  }

  #peek(): OutboxItem | undefined {
    if (this.#states.size > 0) return this.#states.values().next().value;
    for (const { ring } of this.#queues) if (ring.size > 0) return ring.peekFront();
    return undefined;
  }

  #enqueue(item: OutboxItem, isFirst: boolean): void {
    this.#queuedItems += 1;
    this.#queuedBytes += item.bytes;
    if (item.class === 'state') {
      this.#stateBytes += item.bytes;
      this.#states.set(item.topic, item);
      return;
    }
    const queue = this.#queueOf(MESSAGE_CLASSES.indexOf(item.class));
    queue.bytes += item.bytes;
    if (isFirst) queue.ring.pushFront(item);
    else queue.ring.pushBack(item);
  }

  /** `item` is the front of its class. */
  #dequeue(item: OutboxItem): void {
    this.#queuedItems -= 1;
    this.#queuedBytes -= item.bytes;
    if (item.class === 'state') {
      this.#stateBytes -= item.bytes;
      this.#states.delete(item.topic);
      return;
    }
    const queue = this.#queueOf(MESSAGE_CLASSES.indexOf(item.class));
    queue.bytes -= item.bytes;
    queue.ring.popFront();
  }

  #removeState(topic: string, reason: LinkDropReason): void {
    const item = this.#states.get(topic);
    if (item === undefined) return;
    this.#dequeue(item);
    this.#count(reason);
  }

  #land(item: OutboxItem): void {
    assert(this.#inFlight.delete(item), 'an item is settled once, while in flight');
    this.#outdated.delete(item);
    this.#inFlightBytes -= item.bytes;
  }

  #queueOf(rank: number): Queue {
    const queue = this.#queues[rank - 1];
    assert(queue !== undefined, 'every class but state has a queue');
    return queue;
  }

  #count(reason: LinkDropReason): void {
    this.#dropped[reason] += 1;
  }
}
