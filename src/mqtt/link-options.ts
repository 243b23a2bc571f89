import { createSecureContext } from 'node:tls';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { type DurationUs, durationUs, type InstantUs } from '../core/units.ts';
import type { RetryPolicies } from './backoff.ts';
import type { OutboxCounts } from './outbox.ts';
import type { EventPayload, HealthPayload, ResultPayload, TelemetryPayload } from './payloads.ts';
import type { InboundMessage, MessageProperties, SessionEndReason, TlsOptions } from './session.ts';

/** A message of nobody's schema but the caller's. */
export interface DirectMessage {
  /** Levels of A-Z a-z 0-9 _ - joined by "/". */
  readonly topic: string;
  readonly payload: object;
  readonly properties: MessageProperties;
}

/** What may be published; the topic follows from the payload's own group, kind or pipeline. The status is the link's own. */
export type OutboundMessage =
  | { readonly kind: 'health'; readonly payload: HealthPayload }
  | { readonly kind: 'event'; readonly payload: EventPayload }
  | { readonly kind: 'result'; readonly payload: ResultPayload }
  | { readonly kind: 'telemetry'; readonly payload: TelemetryPayload };

export interface MqttLinkOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, without credentials. */
  readonly url: string;
  /** 5 for an external broker, 4 (that is 3.1.1) for the embedded one. */
  readonly protocolVersion: 4 | 5;
  /** 1..4 topic segments joined by `/`. */
  readonly prefix: string;
  /** One topic segment. */
  readonly node: string;
  /** `coxswain-<node>` when absent; two links with one id take the connection from each other for ever. */
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: TlsOptions;
  /** Checks every payload against its schema, at some 10 to 100 us each: for tests and for finding bugs. */
  readonly validatesPayloads?: boolean;
  /** Messages may be subscribed to; without it, a broker that sends any is cut off. */
  readonly receives?: boolean;
  readonly limits?: Partial<LinkLimits>;
}

export interface LinkLimits extends RetryPolicies {
  /** Messages waiting or in flight. */
  readonly outboxItemsMax: number;
  readonly outboxBytesMax: number;
  readonly messageBytesMax: number;
  /** QoS 1 messages without their acknowledgement. */
  readonly inFlightItemsMax: number;
  /** Bytes that the kernel has not taken; above, nothing more is handed to the socket. */
  readonly writableBytesMax: number;
  /** Largest remaining length of an inbound packet. */
  readonly inboundBytesMax: number;
  /** Inbound messages a second, and at once; those above are dropped and counted. */
  readonly inboundPerSecondMax: number;
  readonly connectTimeoutUs: DurationUs;
  readonly ackTimeoutUs: DurationUs;
  readonly keepaliveUs: DurationUs;
}

const seconds = (count: number): DurationUs => durationUs(count * 1_000_000);

export const DEFAULT_LINK_LIMITS: LinkLimits = {
  outboxItemsMax: 2000,
  outboxBytesMax: 4 * 1024 * 1024,
  messageBytesMax: 256 * 1024,
  inFlightItemsMax: 32,
  writableBytesMax: 64 * 1024,
  inboundBytesMax: 64 * 1024,
  inboundPerSecondMax: 500,
  connectTimeoutUs: seconds(10),
  ackTimeoutUs: seconds(15),
  keepaliveUs: seconds(15),
  stableUs: seconds(10),
  retry: { baseUs: seconds(0.5), maxUs: seconds(30) },
  retryAuth: { baseUs: seconds(30), maxUs: seconds(300) },
  retryTakenOver: { baseUs: seconds(5), maxUs: seconds(300) },
};

/** What a link is doing. `waiting` tells why the last attempt or connection ended and when the next attempt is due. */
export type LinkState =
  | { readonly kind: 'connecting'; readonly failures: number }
  | { readonly kind: 'connected' }
  | {
      readonly kind: 'waiting';
      readonly reason: SessionEndReason;
      readonly reasonCode: number | undefined;
      /** For people; holds no secret. */
      readonly message: string;
      readonly failures: number;
      readonly retryAt: InstantUs;
    }
  | { readonly kind: 'closing' }
  | { readonly kind: 'closed' };

export interface LinkStats extends OutboxCounts {
  readonly state: LinkState['kind'];
  /** Sent by `sendNow`. */
  readonly sentNow: number;
  /** Inbound messages that came to a listener, and those above the rate or for nobody. */
  readonly received: number;
  readonly receivedDropped: number;
  readonly connections: number;
  /** Sessions and attempts that ended, by reason. */
  readonly ends: Readonly<Record<SessionEndReason, number>>;
}

export interface MqttLink {
  /** Queues a message or counts why not. Synchronous, never waits, never throws for what the network or the broker does. */
  publish(message: OutboundMessage): void;
  /**
   * Sends at once with QoS 0, or never: false, and nothing kept, when the link is not connected, its socket is full or it is closing. For what must not be
   * done later than it was meant.
   */
  sendNow(message: DirectMessage): boolean;
  /**
   * Hands on what comes on a topic, from now on and after each connect; not what was retained before, if the broker speaks MQTT 5. Only for a link that
   * `receives`. Returns the way out: nothing is handed on after it.
   */
  subscribe(topic: string, listener: (message: InboundMessage) => void): () => void;
  readonly state: LinkState;
  stats(): LinkStats;
  /** Sends what waits and the offline status within this time, then ends, in any case. A second call gives the first one's promise. */
  close(within: DurationUs): Promise<void>;
}

/** The defaults with what was set. Errors: CONFIG_INVALID. */
export function linkLimits(set: Partial<LinkLimits> | undefined): LinkLimits {
  const limits = { ...DEFAULT_LINK_LIMITS, ...set };
  const mustHold = (holds: boolean, rule: string): void => {
    if (!holds) throw new CoxswainError('CONFIG_INVALID', `the MQTT limits do not fit together: ${rule}`);
  };
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number')
      mustHold(Number.isSafeInteger(value) && value >= 1, `${name} is ${value}, it must be a whole number above 0`);
  }
  for (const { baseUs, maxUs } of [limits.retry, limits.retryAuth, limits.retryTakenOver]) {
    mustHold(baseUs >= 1 && maxUs >= baseUs, `a retry goes from ${baseUs} us to ${maxUs} us, it must grow from above 0`);
  }
  mustHold(
    limits.inFlightItemsMax < limits.outboxItemsMax,
    `inFlightItemsMax ${limits.inFlightItemsMax} must be below outboxItemsMax ${limits.outboxItemsMax}`,
  );
  mustHold(
    limits.messageBytesMax * 2 <= limits.outboxBytesMax,
    `messageBytesMax ${limits.messageBytesMax} must be at most half of outboxBytesMax ${limits.outboxBytesMax}`,
  );
  return limits;
}

/** Finds what would fail at every connect, before the first one. Errors: CONFIG_INVALID. */
export function checkCredentials({ username, password, tls }: MqttLinkOptions): void {
  if (password !== undefined && username === undefined) {
    throw new CoxswainError('CONFIG_INVALID', 'an MQTT password is set without a user name; set both or none');
  }
  try {
    createSecureContext({ ...tls });
  } catch (error) {
    throw new CoxswainError('CONFIG_INVALID', `the MQTT TLS options cannot be used: ${messageOf(error)}; give ca, cert and key as PEM`, {
      cause: error,
    });
  }
}
