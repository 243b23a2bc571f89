import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { durationUs } from '../core/units.ts';
import type { InboundMessage } from './session.ts';
import { isTopic } from './topics.ts';

type Listener = (message: InboundMessage) => void;

/** Who listens to which topic, and how much may come: the broker decides what it sends, and each message costs the event loop. */
export class Subscriptions {
  readonly #clock: Clock;
  readonly #bucket: TokenBucket;
  readonly #listeners = new Map<string, Set<Listener>>();
  #received = 0;
  #receivedDropped = 0;

  constructor({ perSecondMax }: { readonly perSecondMax: number }, clock: Clock) {
    this.#clock = clock;
    this.#bucket = new TokenBucket({ count: perSecondMax, perUs: durationUs(1_000_000) });
  }

  get topics(): readonly string[] {
    return [...this.#listeners.keys()];
  }

  add(topic: string, listener: Listener): () => void {
    assert(isTopic(topic), 'a subscription is to one topic', topic);
    const listeners = this.#listeners.get(topic) ?? new Set();
    this.#listeners.set(topic, listeners);
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  receive(message: InboundMessage): void {
    const listeners = this.#listeners.get(message.topic);
    if (listeners === undefined || listeners.size === 0 || !this.#bucket.take(this.#clock.now())) {
      this.#receivedDropped += 1;
      return;
    }
    this.#received += 1;
    for (const listener of [...listeners]) listener(message);
  }

  counts(): { readonly received: number; readonly receivedDropped: number } {
    return { received: this.#received, receivedDropped: this.#receivedDropped };
  }
}
