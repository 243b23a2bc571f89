import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { type DurationUs, durationUs } from '../../../src/core/units.ts';
import { createMqttLink } from '../../../src/mqtt/link.ts';
import type { LinkLimits, LinkState, MqttLink, MqttLinkOptions } from '../../../src/mqtt/link-options.ts';
import { statusSchema } from '../../../src/mqtt/payloads.ts';
import type { BrokerLimits } from '../../../src/mqtt/session.ts';
import { type FakeSession, fakeBroker, GENEROUS } from './fake-session.ts';
import { event, health, result, telemetry } from './messages.ts';

const s = (seconds: number): DurationUs => durationUs(seconds * 1_000_000);

function setUp(limits: Partial<LinkLimits> = {}, options: Partial<MqttLinkOptions> = {}) {
  const clock = new SimClock();
  const broker = fakeBroker();
  const states: LinkState[] = [];
  const link = createMqttLink(
    { url: 'mqtt://broker', protocolVersion: 5, prefix: 'coxswain', node: 'car7', validatesPayloads: true, limits, ...options },
    { clock, prng: new Prng(1), onState: (state) => states.push(state), openSession: broker.openSession },
  );
  const connect = (brokerLimits: BrokerLimits = GENEROUS): FakeSession => {
    clock.runFor(s(301));
    const session = broker.last();
    session.listener.connected(brokerLimits);
    clock.runFor(durationUs(0));
    return session;
  };
  return { clock, broker, states, link, connect };
}

/** As `setUp`, connected within its first instant, so that the connect timeout does not come first. */
function setUpConnected(limits: Partial<LinkLimits> = {}, brokerLimits: BrokerLimits = GENEROUS) {
  const all = setUp(limits);
  all.clock.runFor(durationUs(0));
  const session = all.broker.last();
  session.listener.connected(brokerLimits);
  all.clock.runFor(durationUs(0));
  return { ...all, session };
}

const droppedTotal = (link: MqttLink): number => Object.values(link.stats().dropped).reduce((sum, value) => sum + value, 0);

function expectBalanced(link: MqttLink): void {
  const { offered, published, queuedItems, inFlightItems } = link.stats();
  expect(published + droppedTotal(link) + queuedItems + inFlightItems).toBe(offered);
}

describe('a connecting link', () => {
  it('connects by itself, with an offline will on the status topic', () => {
    const { broker, session, states } = setUpConnected();
    expect(broker.sessions).toHaveLength(1);
    expect(session.request.will.topic).toBe('coxswain/car7/status');
    expect(session.request.will.payload.startsWith('{"state":"offline"')).toBe(true);
    expect(statusSchema.parse(JSON.parse(session.request.will.payload))).toMatchObject({ reason: 'connection-lost' });
    expect(session.request.clientId).toBe('coxswain-car7');
    expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'connected']);
  });

  it('publishes a retained online status first', () => {
    const { session } = setUpConnected();
    expect(session.sent).toMatchObject([{ topic: 'coxswain/car7/status', qos: 1, isRetained: true }]);
    expect(statusSchema.parse(JSON.parse(session.sent[0]?.payload ?? ''))).toMatchObject({ state: 'online', reason: 'connected' });
  });

  it('gives up an attempt without an answer after its timeout, and tries again later each time', () => {
    const { clock, broker, states } = setUp({ connectTimeoutUs: s(2) });
    clock.runFor(s(2));
    expect(broker.last().end).toMatchObject({ reason: 'connect-timeout', message: 'mqtt://broker:1883 did not answer within 2000 ms' });
    clock.runFor(s(120));
    const waits = states.filter((state) => state.kind === 'waiting');
    expect(waits.length).toBeGreaterThan(5);
    expect(waits.map(({ failures }) => failures)).toEqual(waits.map((_, index) => index + 1));
    expect(broker.sessions.length).toBeLessThan(14);
  });

  it('refuses options that could never work', () => {
    const withOptions = (options: Partial<MqttLinkOptions>) => () => setUp({}, options);
    const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(withOptions({ url: 'http://broker' })).toThrow(invalid);
    expect(withOptions({ node: 'a/b' })).toThrow(invalid);
    expect(withOptions({ password: 'x' })).toThrow(invalid);
    expect(withOptions({ tls: { cert: 'no PEM', key: 'no PEM' } })).toThrow(invalid);
    expect(withOptions({ limits: { outboxItemsMax: 32, inFlightItemsMax: 32 } })).toThrow(invalid);
    expect(withOptions({ limits: { outboxBytesMax: 1023, messageBytesMax: 512 } })).toThrow(invalid);
    expect(withOptions({ limits: { outboxItemsMax: 0 } })).toThrow(invalid);
    expect(withOptions({ limits: { inboundBytesMax: Number.NaN } })).toThrow(invalid);
    expect(withOptions({ limits: { retry: { baseUs: s(2), maxUs: s(1) } } })).toThrow(invalid);
  });
});

describe('a connected link', () => {
  it('sends state and events with QoS 1, results and telemetry with QoS 0', () => {
    const { link, clock, session } = setUpConnected();
    session.acknowledgeAll();
    link.publish({ kind: 'telemetry', payload: telemetry() });
    link.publish({ kind: 'result', payload: result() });
    link.publish({ kind: 'event', payload: event() });
    link.publish({ kind: 'health', payload: health() });
    clock.runFor(durationUs(0));
    expect(session.sent.map(({ topic, qos, isRetained }) => [topic, qos, isRetained])).toEqual([
      ['coxswain/car7/health', 1, true],
      ['coxswain/car7/event/core-lost', 1, false],
      ['coxswain/car7/result/front', 0, false],
      ['coxswain/car7/telemetry/cores', 0, false],
    ]);
    session.acknowledgeAll();
    expect(link.stats()).toMatchObject({ offered: 5, published: 5, queuedItems: 0, inFlightItems: 0 });
  });

  it('hands nothing to its session inside publish', () => {
    const { link, session } = setUpConnected();
    session.sent.splice(0);
    for (let index = 0; index < 100; index += 1) link.publish({ kind: 'result', payload: result() });
    expect(session.sent).toEqual([]);
  });

  it('hands over a few messages a turn', () => {
    const { link, clock, session } = setUpConnected();
    session.acknowledgeAll();
    for (let index = 0; index < 100; index += 1) link.publish({ kind: 'result', payload: result() });
    clock.step();
    expect(session.sent).toHaveLength(16);
    clock.runFor(durationUs(0));
    expect(session.sent).toHaveLength(100);
  });

  it('waits while the socket is full and goes on when it is not', () => {
    const { link, clock, session } = setUpConnected({ outboxItemsMax: 50 });
    session.acknowledgeAll();
    session.isWritable = false;
    for (let index = 0; index < 60; index += 1) link.publish({ kind: 'telemetry', payload: telemetry('cores', index) });
    clock.runFor(s(1));
    expect(session.sent).toEqual([]);
    expect(link.stats()).toMatchObject({ queuedItems: 50, dropped: { overflow: 10 } });
    session.isWritable = true;
    session.listener.writable();
    clock.runFor(durationUs(0));
    expect(session.sent).toHaveLength(50);
    expectBalanced(link);
  });

  it('keeps to its window, or the narrower one of the broker', () => {
    const { link, clock, session } = setUpConnected({ inFlightItemsMax: 8 }, { ...GENEROUS, inFlightMax: 3 });
    session.acknowledgeAll();
    for (let index = 0; index < 10; index += 1) link.publish({ kind: 'event', payload: event() });
    clock.runFor(s(1));
    expect(session.sent).toHaveLength(3);
    session.acknowledgeAll();
    clock.runFor(durationUs(0));
    expect(session.sent).toHaveLength(3);
    expect(link.stats()).toMatchObject({ published: 4, queuedItems: 4, inFlightItems: 3 });
  });

  it('does what a lesser broker can: smaller packets, no retain, QoS 0', () => {
    const { link, clock, session } = setUpConnected({}, { inFlightMax: 65_535, packetBytesMax: 400, canRetain: false, qosMax: 0 });
    link.publish({ kind: 'event', payload: event('x'.repeat(300)) });
    link.publish({ kind: 'event', payload: event('short') });
    clock.runFor(durationUs(0));
    expect(session.sent.map(({ topic, qos, isRetained }) => [topic, qos, isRetained])).toEqual([
      ['coxswain/car7/status', 0, false],
      ['coxswain/car7/event/core-lost', 0, false],
    ]);
    expect(link.stats()).toMatchObject({ published: 2, dropped: { 'too-large': 1 } });
  });

  it('counts what the broker refuses, and takes "no subscriber" as stored', () => {
    const { link, clock, session } = setUpConnected();
    session.acknowledgeAll(0x10);
    link.publish({ kind: 'event', payload: event() });
    clock.runFor(durationUs(0));
    session.acknowledgeAll(0x87);
    expect(link.stats()).toMatchObject({ published: 1, dropped: { refused: 1 }, inFlightItems: 0 });
  });

  it('ends a session that acknowledges nothing, but not one that is slow', () => {
    const { link, clock, session } = setUpConnected({ ackTimeoutUs: s(10) });
    session.acknowledgeAll();
    for (let round = 0; round < 5; round += 1) {
      link.publish({ kind: 'event', payload: event() });
      clock.runFor(s(9));
      session.acknowledgeAll();
    }
    clock.runFor(s(60));
    expect(session.end).toBeUndefined();
    link.publish({ kind: 'event', payload: event() });
    clock.runFor(s(9.9));
    expect(session.end).toBeUndefined();
    clock.runFor(s(0.2));
    expect(session.end).toMatchObject({ reason: 'ack-timeout' });
    expect(link.stats()).toMatchObject({ queuedItems: 1, inFlightItems: 0 });
  });

  it('counts names that are no topic and never throws for them', () => {
    const { link } = setUp({}, { validatesPayloads: false });
    link.publish({ kind: 'result', payload: result('a/b') });
    link.publish({ kind: 'event', payload: event('x', '#') });
    expect(link.stats().dropped['invalid-topic']).toBe(2);
    expectBalanced(link);
  });

  it('finds a payload off its schema when asked to look', () => {
    const { link } = setUp();
    expect(() => link.publish({ kind: 'telemetry', payload: telemetry('cores', Number.NaN) })).toThrow('invariant broken');
  });
});

describe('a link that lost its broker', () => {
  it('queues again what was not acknowledged, and sends it with the status and the last health after the next connect', () => {
    const { link, clock, broker, session, connect } = setUpConnected();
    session.acknowledgeAll();
    link.publish({ kind: 'health', payload: health(7) });
    clock.runFor(durationUs(0));
    session.acknowledgeAll();
    link.publish({ kind: 'event', payload: event('before') });
    clock.runFor(durationUs(0));
    const [lost] = session.sent;
    session.listener.ended({ reason: 'closed-by-broker', message: 'gone' });
    link.publish({ kind: 'event', payload: event('after') });
    const next = connect();
    expect(broker.sessions.length).toBeGreaterThan(1);
    expect(next.sent.map(({ topic }) => topic)).toEqual([
      'coxswain/car7/status',
      'coxswain/car7/health',
      'coxswain/car7/event/core-lost',
      'coxswain/car7/event/core-lost',
    ]);
    expect(next.sent[2]?.payload).toContain('before');
    expect(JSON.parse(next.sent[1]?.payload ?? '')).toEqual(health(7));
    // A late answer of the dead session settles nothing.
    lost?.acknowledge(0);
    next.acknowledgeAll();
    expect(link.stats()).toMatchObject({ queuedItems: 0, inFlightItems: 0, connections: 2 });
    expectBalanced(link);
  });

  it('retries a refused login slowly and says why', () => {
    const { clock, broker, states } = setUp();
    clock.runFor(durationUs(0));
    broker.last().listener.ended({ reason: 'auth-refused', reasonCode: 0x86, message: 'Bad User Name or Password' });
    expect(states.at(-1)).toMatchObject({
      kind: 'waiting',
      reason: 'auth-refused',
      reasonCode: 0x86,
      message: 'Bad User Name or Password',
    });
    clock.runFor(s(14));
    expect(broker.sessions).toHaveLength(1);
    clock.runFor(s(17));
    expect(broker.sessions).toHaveLength(2);
  });

  it('does not fight over its client id', () => {
    const { clock, broker, states } = setUp();
    for (let round = 0; round < 8; round += 1) {
      clock.runFor(s(1));
      while (states.at(-1)?.kind === 'waiting') clock.step();
      const { listener } = broker.last();
      listener.connected(GENEROUS);
      clock.runFor(s(1));
      listener.ended({
        reason: 'taken-over',
        reasonCode: 0x8e,
        message: 'duplicate client id: another client connected with the same one',
      });
    }
    const last = states.at(-1);
    expect(last).toMatchObject({ kind: 'waiting', reason: 'taken-over', reasonCode: 0x8e, failures: 8 });
    expect(last?.kind === 'waiting' ? last.retryAt - clock.now() : 0).toBeGreaterThanOrEqual(s(150));
    expect(broker.sessions).toHaveLength(8);
  });

  it('holds no more than its bounds however long the broker is away', () => {
    const { link, clock, broker } = setUp(
      { outboxItemsMax: 100, outboxBytesMax: 20_000, messageBytesMax: 10_000 },
      { validatesPayloads: false },
    );
    for (let index = 0; index < 20_000; index += 1) {
      link.publish({ kind: 'telemetry', payload: telemetry('cores', index) });
      if (index % 10 === 0) link.publish({ kind: 'event', payload: event('y'.repeat(index % 500)) });
      if (index % 100 === 0) {
        link.publish({ kind: 'health', payload: health(index) });
        clock.runFor(s(0.1));
        if (broker.last().end === undefined && index % 1000 === 0)
          broker.last().listener.ended({ reason: 'unreachable', message: 'ECONNREFUSED' });
      }
      const { queuedItems, queuedBytes } = link.stats();
      expect(queuedItems).toBeLessThanOrEqual(100);
      expect(queuedBytes).toBeLessThanOrEqual(20_000);
    }
    expectBalanced(link);
    expect(link.stats().dropped.overflow).toBeGreaterThan(10_000);
    expect(link.stats().dropped.superseded).toBe(199);
  });
});

describe('a closing link', () => {
  const flushed = async (promise: Promise<void>): Promise<boolean> => {
    let isDone = false;
    void promise.then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    return isDone;
  };

  it('sends what waits, then the offline status, then says goodbye', async () => {
    const { link, clock, session, states } = setUpConnected();
    session.acknowledgeAll();
    for (let index = 0; index < 40; index += 1) link.publish({ kind: 'result', payload: result() });
    link.publish({ kind: 'event', payload: event() });
    const closed = link.close(s(1));
    clock.runFor(s(0.1));
    expect(session.sent).toHaveLength(41);
    session.acknowledgeAll();
    clock.runFor(s(0.1));
    expect(session.sent).toMatchObject([{ topic: 'coxswain/car7/status', isRetained: true }]);
    expect(statusSchema.parse(JSON.parse(session.sent[0]?.payload ?? ''))).toMatchObject({ state: 'offline', reason: 'closing' });
    expect(session.disconnects).toBe(0);
    session.acknowledgeAll();
    expect(session.disconnects).toBe(1);
    expect(await flushed(closed)).toBe(false);
    session.listener.ended({ reason: 'disconnected', message: 'disconnected' });
    expect(await flushed(closed)).toBe(true);
    expect(states.map(({ kind }) => kind)).toEqual(['connecting', 'connected', 'closing', 'closed']);
    expect(droppedTotal(link)).toBe(0);
    expectBalanced(link);
  });

  it('says offline past what a stuck broker leaves waiting, and ends in time without DISCONNECT, so that the will is published', async () => {
    const { link, clock, session } = setUpConnected({ inFlightItemsMax: 2 });
    session.acknowledgeAll();
    for (let index = 0; index < 10; index += 1) link.publish({ kind: 'event', payload: event() });
    const closed = link.close(s(1));
    clock.runFor(s(0.8));
    expect(session.sent.map(({ topic }) => topic)).toEqual([
      'coxswain/car7/event/core-lost',
      'coxswain/car7/event/core-lost',
      'coxswain/car7/status',
    ]);
    clock.runFor(s(0.19));
    expect(await flushed(closed)).toBe(false);
    clock.runFor(s(0.02));
    expect(await flushed(closed)).toBe(true);
    expect(session.disconnects).toBe(0);
    expect(session.end).toMatchObject({ reason: 'disconnected' });
    expect(link.stats()).toMatchObject({ queuedItems: 0, inFlightItems: 0, dropped: { closed: 11 } });
    expectBalanced(link);
  });

  it('ends at once while no broker is there', async () => {
    const { link, clock, broker } = setUp();
    clock.runFor(durationUs(0));
    link.publish({ kind: 'event', payload: event() });
    broker.last().listener.ended({ reason: 'unreachable', message: 'ECONNREFUSED' });
    expect(await flushed(link.close(s(10)))).toBe(true);
    clock.runFor(s(1000));
    expect(broker.sessions).toHaveLength(1);
    expect(link.stats()).toMatchObject({ state: 'closed', dropped: { closed: 1 } });
  });

  it('uses a connection that comes while it closes', async () => {
    const { link, clock, broker } = setUp();
    clock.runFor(durationUs(0));
    link.publish({ kind: 'event', payload: event() });
    const closed = link.close(s(1));
    clock.runFor(s(0.1));
    const session = broker.last();
    session.listener.connected(GENEROUS);
    clock.runFor(s(0.1));
    session.acknowledgeAll();
    clock.runFor(s(0.1));
    session.acknowledgeAll();
    expect(session.disconnects).toBe(1);
    session.listener.ended({ reason: 'disconnected', message: 'disconnected' });
    expect(await flushed(closed)).toBe(true);
    expect(link.stats()).toMatchObject({ published: 2 });
  });

  it('takes nothing more, answers a second close with the first, and leaves no timer behind', async () => {
    const { link, clock } = setUpConnected();
    const closed = link.close(s(1));
    expect(link.close(s(9))).toBe(closed);
    link.publish({ kind: 'event', payload: event() });
    expect(link.stats().dropped.closed).toBe(1);
    clock.runFor(s(1));
    await closed;
    expect(clock.nextAt()).toBeUndefined();
    expectBalanced(link);
  });
});
