import type { DurationUs } from '../core/units.ts';
import type { BrokerUrl } from './broker-url.ts';

/** Why a connection, or the attempt to make one, ended. */
export const SESSION_END_REASONS = [
  /** No TCP, TLS or WebSocket connection could be made. */
  'unreachable',
  /** No CONNACK in time. */
  'connect-timeout',
  /** The broker knows us and does not want us: bad user name or password, not authorised, banned. */
  'auth-refused',
  /** Any other refusal in a CONNACK. */
  'refused',
  /** Another client took this client id. */
  'taken-over',
  'closed-by-broker',
  /** The broker announced a packet above our inbound limit. */
  'oversized-packet',
  /** What the broker sent is not MQTT, or not what it may send to us. */
  'malformed-packet',
  'keepalive-timeout',
  /** Pings were answered but no publish was acknowledged for too long. */
  'ack-timeout',
  /** We ended it. */
  'disconnected',
] as const;
export type SessionEndReason = (typeof SESSION_END_REASONS)[number];

export interface SessionEnd {
  readonly reason: SessionEndReason;
  /** MQTT 5 reason code, or the 3.1.1 return code of a CONNACK, where the broker gave one. */
  readonly reasonCode?: number;
  /** For people; holds no secret. */
  readonly message: string;
}

/** What the broker said about itself in its CONNACK; its silence is filled with what MQTT says silence means. */
export interface BrokerLimits {
  readonly inFlightMax: number;
  readonly packetBytesMax: number;
  readonly canRetain: boolean;
  readonly qosMax: 0 | 1;
}

export interface TlsOptions {
  /** PEM. Without it the authorities that Node trusts are used; a broker that cannot be verified is always refused. */
  readonly ca?: string;
  /** PEM, for a broker that wants to know its clients. */
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

export interface SessionRequest {
  readonly url: BrokerUrl;
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly keepaliveUs: DurationUs;
  readonly will: { readonly topic: string; readonly payload: string };
  readonly inboundBytesMax: number;
  /** Messages may arrive, with QoS 0; else any is a violation. */
  readonly receives: boolean;
  /** Bytes waiting for the kernel from which on the session is not writable. */
  readonly writableBytesMax: number;
}

/** What came for a subscription. Nothing in it is trusted. */
export interface InboundMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The broker kept it from before the subscription: nobody knows how old it is. */
  readonly isRetained: boolean;
}

/** What MQTT 5 carries beside a message; 3.1.1 does not. */
export interface MessageProperties {
  /** The broker gives it to nobody after so many seconds. */
  readonly expirySeconds: number;
  readonly responseTopic: string;
  readonly correlation: string;
}

export interface SessionListener {
  connected(limits: BrokerLimits): void;
  /** Only for a request that `receives`. */
  message(message: InboundMessage): void;
  /** The session was not writable and is again. */
  writable(): void;
  /** Called once; nothing is called after it. */
  ended(end: SessionEnd): void;
}

/** One connection to a broker from the first byte to the last; the link makes a new one for each attempt. */
export interface Session {
  readonly isWritable: boolean;
  /** Only between `connected` and `ended`. QoS 1 calls `onAcknowledged` with the reason code of the PUBACK (0 or 16 are good), unless the session ends before; QoS 0 never does. */
  publish(
    message: {
      readonly topic: string;
      readonly payload: string;
      readonly qos: 0 | 1;
      readonly isRetained: boolean;
      readonly properties?: MessageProperties;
    },
    onAcknowledged: (reasonCode: number) => void,
  ): void;
  /** Only between `connected` and `ended`, and only for a request that `receives`. `onRefused` is called if the broker does not grant a topic. */
  subscribe(topics: readonly string[], onRefused: (message: string) => void): void;
  /** Says DISCONNECT, so that the broker forgets the will, and ends once the broker has closed. */
  disconnect(): void;
  /** Ends at once with this end, without DISCONNECT: the broker publishes the will. */
  destroy(end: SessionEnd): void;
}

export type OpenSession = (request: SessionRequest, listener: SessionListener) => Session;
