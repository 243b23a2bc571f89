import { assert } from '../core/assert.ts';
import { after, type Clock, type Timer } from '../core/clock.ts';
import type { Prng } from '../core/prng.ts';
import { addUs, type DurationUs, durationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import { RetryPlan } from './backoff.ts';
import { brokerUrlText, parseBrokerUrl } from './broker-url.ts';
import { assertPayload, encodeItem, encodeMessage } from './encode.ts';
import {
  checkCredentials,
  type DirectMessage,
  type LinkLimits,
  type LinkState,
  type LinkStats,
  linkLimits,
  type MqttLink,
  type MqttLinkOptions,
  type OutboundMessage,
} from './link-options.ts';
import { openMqttSession } from './mqtt-session.ts';
import { Outbox, type OutboxItem } from './outbox.ts';
import type { StatusPayload } from './payloads.ts';
import {
  type BrokerLimits,
  type InboundMessage,
  type OpenSession,
  SESSION_END_REASONS,
  type Session,
  type SessionEnd,
  type SessionEndReason,
  type SessionRequest,
} from './session.ts';
import { Subscriptions } from './subscriptions.ts';
import { createTopics, isTopic, type Topics } from './topics.ts';

export interface MqttLinkDeps {
  readonly clock: Clock;
  readonly prng: Prng;
  /** Called after each change, never inside `publish`. */
  readonly onState: (state: LinkState) => void;
  /** How a connection is opened; mqtt.js when absent. */
  readonly openSession?: OpenSession;
  /** The broker does not grant a subscription. */
  readonly onWarning?: (message: string) => void;
}

/**
 * The one MQTT link of a node. It starts connecting by itself, at once, and goes on until closed.
 *
 *     connecting ─▶ connected ─▶ waiting ─▶ connecting ...      close() from anywhere: closing ─▶ closed
 *         └────────────────────────▲
 *
 * `publish` encodes and queues; a pump on the clock hands a few messages at a time to the socket while it takes them, so that neither a burst nor
 * a reconnect with a full outbox holds the event loop.
 * Errors: CONFIG_INVALID.
 */
export function createMqttLink(options: MqttLinkOptions, deps: MqttLinkDeps): MqttLink {
  return new Link(options, deps);
}

/** Messages handed over in one turn: some 16 x 15 us, a quarter of a millisecond of the event loop. */
const PUMP_ITEMS_MAX = 16;

/** What a PUBLISH adds to topic and payload at most: fixed header 5, topic length 2, packet id 2, property length 1. */
const PUBLISH_OVERHEAD_BYTES = 10;

/** As above, and the properties: expiry 5, response topic and correlation 3 each, their texts at most twice as long as a topic of ours. */
const DIRECT_OVERHEAD_BYTES = PUBLISH_OVERHEAD_BYTES + 1024;

/** When closing, this part of the time is for what waits, the rest for the last words. */
const CLOSE_FLUSH_RATIO = 0.75;

/** PUBACK 0x10: stored, but nobody listens; not a failure (MQTT 5.0, table 3-4). */
const NO_MATCHING_SUBSCRIBERS = 0x10;

interface Closing {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly timers: Timer[];
  /** The offline status, once it was sent. */
  goodbye: OutboxItem | undefined;
}

class Link implements MqttLink {
  readonly #options: MqttLinkOptions;
  readonly #clock: Clock;
  readonly #onState: (state: LinkState) => void;
  readonly #openSession: OpenSession;
  readonly #limits: LinkLimits;
  readonly #topics: Topics;
  readonly #request: Omit<SessionRequest, 'will'>;
  readonly #outbox: Outbox;
  readonly #onWarning: (message: string) => void;
  readonly #subscriptions: Subscriptions;
  #sentNow = 0;
  readonly #retry: RetryPlan;
  /** The last health, sent again after each connect: a restarted broker may have forgotten what it retained. */
  #lastHealth: OutboxItem | undefined;
  #state: LinkState = { kind: 'connecting', failures: 0 };
  #session: Session | undefined;
  #brokerLimits: BrokerLimits | undefined;
  #connectedAt: InstantUs | undefined;
  #connections = 0;
  readonly #ends = Object.fromEntries(SESSION_END_REASONS.map((reason) => [reason, 0])) as Record<SessionEndReason, number>;
  #pumpTimer: Timer | undefined;
  /** Connect timeout while connecting, retry while waiting. */
  #phaseTimer: Timer | undefined;
  #ackTimer: Timer | undefined;
  #ackProgressAt: InstantUs;
  #closing: Closing | undefined;

  constructor(options: MqttLinkOptions, deps: MqttLinkDeps) {
    const limits = linkLimits(options.limits);
    checkCredentials(options);
    this.#options = options;
    this.#clock = deps.clock;
    this.#retry = new RetryPlan(limits, deps.prng);
    this.#onState = deps.onState;
    this.#openSession = deps.openSession ?? openMqttSession;
    this.#limits = limits;
    this.#onWarning = deps.onWarning ?? (() => undefined);
    this.#subscriptions = new Subscriptions({ perSecondMax: limits.inboundPerSecondMax }, deps.clock);
    this.#topics = createTopics(options.prefix, options.node);
    this.#request = {
      url: parseBrokerUrl(options.url),
      protocolVersion: options.protocolVersion,
      clientId: options.clientId ?? `coxswain-${options.node}`,
      username: options.username,
      password: options.password,
      tls: options.tls,
      keepaliveUs: limits.keepaliveUs,
      inboundBytesMax: limits.inboundBytesMax,
      receives: options.receives === true,
      writableBytesMax: limits.writableBytesMax,
    };
    this.#outbox = new Outbox({
      itemsMax: limits.outboxItemsMax,
      bytesMax: limits.outboxBytesMax,
      messageBytesMax: limits.messageBytesMax,
      inFlightItemsMax: limits.inFlightItemsMax,
    });
    this.#ackProgressAt = this.#clock.now();
    this.#phaseTimer = this.#clock.at(this.#clock.now(), () => this.#connect());
  }

  get state(): LinkState {
    return this.#state;
  }

  stats(): LinkStats {
    return {
      ...this.#outbox.counts(),
      state: this.#state.kind,
      connections: this.#connections,
      ends: { ...this.#ends },
      sentNow: this.#sentNow,
      ...this.#subscriptions.counts(),
    };
  }

  publish(message: OutboundMessage): void {
    if (this.#closing !== undefined) return this.#outbox.reject('closed');
    if (this.#options.validatesPayloads === true) assertPayload(message);
    const item = encodeMessage(this.#topics, message);
    if (typeof item === 'string') return this.#outbox.reject(item);
    if (message.kind === 'health') this.#lastHealth = item;
    this.#outbox.offer(item);
    if (this.#state.kind === 'connected') this.#schedulePump();
  }

  sendNow({ topic, payload, properties }: DirectMessage): boolean {
    const session = this.#session;
    const limits = this.#brokerLimits;
    if (this.#state.kind !== 'connected' || session?.isWritable !== true || limits === undefined) return false;
    const item = encodeItem('event', topic, payload);
    if (item === undefined || !isTopic(topic)) return false;
    if (item.bytes + DIRECT_OVERHEAD_BYTES > Math.min(limits.packetBytesMax, this.#limits.messageBytesMax)) return false;
    session.publish({ topic, payload: item.payload, qos: 0, isRetained: false, properties }, () => undefined);
    this.#sentNow += 1;
    return true;
  }

  subscribe(topic: string, listener: (message: InboundMessage) => void): () => void {
    assert(this.#request.receives, 'only a link that receives subscribes', topic);
    const leave = this.#subscriptions.add(topic, listener);
    if (this.#state.kind === 'connected') this.#askFor([topic]);
    return leave;
  }

  close(within: DurationUs): Promise<void> {
    if (this.#closing !== undefined) return this.#closing.promise;
    let resolve: () => void = () => undefined;
    const promise = new Promise<void>((resolved) => {
      resolve = resolved;
    });
    this.#closing = { promise, resolve, timers: [], goodbye: undefined };
    // Between two attempts nothing can be flushed, and the broker has published the will already.
    if (this.#session === undefined) {
      this.#finishClosing();
      return promise;
    }
    const flushUs = durationUs(Math.floor(within * CLOSE_FLUSH_RATIO));
    this.#closing.timers.push(
      after(this.#clock, flushUs, () => this.#sayGoodbye()),
      after(this.#clock, within, () => this.#finishClosing()),
    );
    this.#setState({ kind: 'closing' });
    this.#schedulePump();
    return promise;
  }

  #connect(): void {
    this.#setState({ kind: 'connecting', failures: this.#retry.failures });
    this.#brokerLimits = undefined;
    const will = { topic: this.#topics.status, payload: JSON.stringify(this.#status('offline', 'connection-lost')) };
    const session: Session = this.#openSession(
      { ...this.#request, will },
      {
        connected: (limits) => this.#onConnected(limits),
        writable: () => this.#schedulePump(),
        message: (message) => this.#subscriptions.receive(message),
        ended: (end) => this.#onEnded(end),
      },
    );
    this.#session = session;
    this.#phaseTimer = after(this.#clock, this.#limits.connectTimeoutUs, () =>
      session.destroy({
        reason: 'connect-timeout',
        message: `${brokerUrlText(this.#request.url)} did not answer within ${this.#limits.connectTimeoutUs / 1000} ms`,
      }),
    );
  }

  #onConnected(limits: BrokerLimits): void {
    this.#phaseTimer?.cancel();
    this.#connections += 1;
    this.#brokerLimits = limits;
    this.#connectedAt = this.#clock.now();
    this.#outbox.limitInFlight(limits.inFlightMax);
    if (this.#closing === undefined) {
      this.#offerStatus('online', 'connected');
      if (this.#lastHealth !== undefined && !this.#outbox.hasState(this.#lastHealth.topic)) this.#outbox.offer(this.#lastHealth);
      this.#askFor(this.#subscriptions.topics);
      this.#setState({ kind: 'connected' });
    }
    this.#schedulePump();
  }

  #askFor(topics: readonly string[]): void {
    if (topics.length === 0) return;
    this.#session?.subscribe(topics, (message) => this.#onWarning(`the broker does not grant ${topics.join(', ')}: ${message}`));
  }

  #onEnded(end: SessionEnd): void {
    this.#session = undefined;
    this.#phaseTimer?.cancel();
    this.#pumpTimer?.cancel();
    this.#pumpTimer = undefined;
    this.#ackTimer?.cancel();
    this.#ackTimer = undefined;
    this.#ends[end.reason] += 1;
    this.#outbox.giveBackAll();
    if (this.#closing !== undefined) return this.#finishClosing();
    const connectedUs = this.#connectedAt === undefined ? durationUs(0) : elapsedUs(this.#connectedAt, this.#clock.now());
    this.#connectedAt = undefined;
    const delayUs = this.#retry.nextDelayUs(end.reason, connectedUs);
    const retryAt = addUs(this.#clock.now(), delayUs);
    this.#phaseTimer = this.#clock.at(retryAt, () => this.#connect());
    const { reason, reasonCode, message } = end;
    this.#setState({ kind: 'waiting', reason, reasonCode, message, failures: this.#retry.failures, retryAt });
  }

  #schedulePump(): void {
    if (this.#pumpTimer !== undefined || this.#brokerLimits === undefined || this.#session === undefined) return;
    this.#pumpTimer = this.#clock.at(this.#clock.now(), () => {
      this.#pumpTimer = undefined;
      this.#pump();
    });
  }

  /** Stops at an empty outbox, a full window or a full socket; offers, acknowledgements and `writable` start it again. */
  #pump(): void {
    let sent = 0;
    while (this.#session?.isWritable === true) {
      if (sent === PUMP_ITEMS_MAX) {
        this.#schedulePump();
        break;
      }
      const item = this.#outbox.take();
      if (item === undefined) break;
      this.#send(item);
      sent += 1;
    }
    if (this.#closing !== undefined && this.#outbox.queuedItems === 0 && this.#outbox.inFlightItems === 0) this.#sayGoodbye();
  }

  #send(item: OutboxItem): void {
    const session = this.#session;
    const limits = this.#brokerLimits;
    assert(session !== undefined && limits !== undefined, 'messages are sent over a connected session');
    if (item.bytes + PUBLISH_OVERHEAD_BYTES > limits.packetBytesMax) return this.#outbox.settle(item, 'too-large');
    // What must arrive is acknowledged; what is stale soon is not worth a round trip.
    const qos = (item.class === 'state' || item.class === 'event') && limits.qosMax === 1 ? 1 : 0;
    const { topic, payload } = item;
    const isRetained = item.isRetained && limits.canRetain;
    if (qos === 0) {
      this.#outbox.settle(item, 'published');
    } else {
      this.#armAckTimer();
    }
    session.publish({ topic, payload, qos, isRetained }, (reasonCode) => {
      // An acknowledgement of an earlier session: its items wait again already.
      if (session !== this.#session) return;
      this.#ackProgressAt = this.#clock.now();
      this.#outbox.settle(item, reasonCode === 0 || reasonCode === NO_MATCHING_SUBSCRIBERS ? 'published' : 'refused');
      if (item === this.#closing?.goodbye) this.#leave(session);
      else this.#schedulePump();
    });
  }

  #armAckTimer(): void {
    // The first in flight after a pause starts a new wait, also when the timer of an earlier one still runs.
    if (this.#outbox.inFlightItems === 1) this.#ackProgressAt = this.#clock.now();
    this.#ackTimer ??= after(this.#clock, this.#limits.ackTimeoutUs, () => this.#checkAcks());
  }

  #checkAcks(): void {
    this.#ackTimer = undefined;
    if (this.#outbox.inFlightItems === 0) return;
    const dueAt = addUs(this.#ackProgressAt, this.#limits.ackTimeoutUs);
    if (this.#clock.now() < dueAt) {
      this.#ackTimer = this.#clock.at(dueAt, () => this.#checkAcks());
      return;
    }
    const waitedMs = this.#limits.ackTimeoutUs / 1000;
    this.#session?.destroy({ reason: 'ack-timeout', message: `the broker acknowledged no publish within ${waitedMs} ms` });
  }

  /** The offline status goes out past the window and past what waits; its acknowledgement is the end. */
  #sayGoodbye(): void {
    const closing = this.#closing;
    if (closing === undefined || closing.goodbye !== undefined || this.#brokerLimits === undefined || this.#session === undefined) return;
    this.#outbox.discard('closed', false);
    this.#offerStatus('offline', 'closing');
    closing.goodbye = this.#outbox.take(true);
    if (closing.goodbye !== undefined) this.#send(closing.goodbye);
    // A broker without QoS 1 acknowledges nothing: DISCONNECT follows the status on the same socket.
    if (this.#brokerLimits.qosMax === 0) this.#leave(this.#session);
  }

  /** DISCONNECT makes the broker forget the will, which the offline status stands for now. With publishes still unanswered we just go; the will says the same. */
  #leave(session: Session): void {
    if (this.#outbox.inFlightItems === 0) session.disconnect();
    else this.#finishClosing();
  }

  #finishClosing(): void {
    const closing = this.#closing;
    if (closing === undefined || this.#state.kind === 'closed') return;
    const session = this.#session;
    this.#state = { kind: 'closed' };
    this.#session = undefined;
    for (const timer of [this.#phaseTimer, this.#pumpTimer, this.#ackTimer, ...closing.timers]) timer?.cancel();
    session?.destroy({ reason: 'disconnected', message: 'closed' });
    this.#outbox.discard('closed', true);
    this.#onState(this.#state);
    closing.resolve();
  }

  #offerStatus(state: StatusPayload['state'], reason: StatusPayload['reason']): void {
    const item = encodeItem('state', this.#topics.status, this.#status(state, reason));
    assert(item !== undefined, 'a status can be encoded');
    this.#outbox.offer(item);
  }

  #status(state: StatusPayload['state'], reason: StatusPayload['reason']): StatusPayload {
    return { state, node: this.#options.node, reason, wallMs: Math.max(0, Math.round(this.#clock.wallMs())) };
  }

  #setState(state: LinkState): void {
    this.#state = state;
    this.#onState(state);
  }
}
