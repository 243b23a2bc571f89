import type {
  BrokerLimits,
  MessageProperties,
  OpenSession,
  Session,
  SessionEnd,
  SessionListener,
  SessionRequest,
} from '../../../src/mqtt/session.ts';

export const GENEROUS: BrokerLimits = { inFlightMax: 65_535, packetBytesMax: 268_435_460, canRetain: true, qosMax: 1 };

interface Sent {
  readonly topic: string;
  readonly payload: string;
  readonly qos: 0 | 1;
  readonly isRetained: boolean;
  readonly properties?: MessageProperties;
  readonly acknowledge: (reasonCode: number) => void;
}

/** A session that a test plays by hand: it answers when told, never by itself. */
export class FakeSession implements Session {
  readonly request: SessionRequest;
  readonly listener: SessionListener;
  readonly sent: Sent[] = [];
  isWritable = true;
  readonly subscribed: string[] = [];
  refuseSubscription: (message: string) => void = () => undefined;
  disconnects = 0;
  end: SessionEnd | undefined;

  constructor(request: SessionRequest, listener: SessionListener) {
    this.request = request;
    this.listener = listener;
  }

  publish(
    message: { topic: string; payload: string; qos: 0 | 1; isRetained: boolean; properties?: MessageProperties },
    onAcknowledged: (reasonCode: number) => void,
  ): void {
    this.sent.push({ ...message, acknowledge: onAcknowledged });
  }

  subscribe(topics: readonly string[], onRefused: (message: string) => void): void {
    this.subscribed.push(...topics);
    this.refuseSubscription = onRefused;
  }

  disconnect(): void {
    this.disconnects += 1;
  }

  destroy(end: SessionEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.listener.ended(end);
  }

  /** Acknowledges everything sent with QoS 1 since the last time. */
  acknowledgeAll(reasonCode = 0): void {
    for (const { qos, acknowledge } of this.sent.splice(0)) if (qos === 1) acknowledge(reasonCode);
  }
}

/** Opens fake sessions and keeps them all. */
export function fakeBroker(): { readonly sessions: FakeSession[]; readonly openSession: OpenSession; readonly last: () => FakeSession } {
  const sessions: FakeSession[] = [];
  return {
    sessions,
    openSession(request, listener) {
      const session = new FakeSession(request, listener);
      sessions.push(session);
      return session;
    },
    last() {
      const session = sessions.at(-1);
      if (session === undefined) throw new Error('no session was opened');
      return session;
    },
  };
}
