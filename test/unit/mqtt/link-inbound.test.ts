import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { type DurationUs, durationUs } from '../../../src/core/units.ts';
import { createMqttLink } from '../../../src/mqtt/link.ts';
import type { LinkLimits } from '../../../src/mqtt/link-options.ts';
import { fakeBroker, GENEROUS } from './fake-session.ts';
import { event } from './messages.ts';

const s = (seconds: number): DurationUs => durationUs(seconds * 1_000_000);

function setUp(limits: Partial<LinkLimits> = {}, receives = true) {
  const clock = new SimClock();
  const broker = fakeBroker();
  const warnings: string[] = [];
  const link = createMqttLink(
    { url: 'mqtt://broker', protocolVersion: 5, prefix: 'coxswain', node: 'car7', validatesPayloads: true, limits, receives },
    { clock, prng: new Prng(1), onState: () => undefined, openSession: broker.openSession, onWarning: (text) => warnings.push(text) },
  );
  return { clock, broker, link, warnings };
}

describe('a link that receives', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const command = {
    topic: 'car/action/heat',
    payload: { level: 2 },
    properties: { expirySeconds: 2, responseTopic: 'car/answer', correlation: 'p1' },
  };

  function setUpReceiver(limits: Partial<LinkLimits> = {}) {
    const all = setUp(limits);
    const heard: string[] = [];
    const leave = all.link.subscribe('car/state', ({ payload, isRetained }) =>
      heard.push(`${new TextDecoder().decode(payload)}${isRetained ? ' (old)' : ''}`),
    );
    all.clock.runFor(durationUs(0));
    const session = all.broker.last();
    session.listener.connected(GENEROUS);
    all.clock.runFor(durationUs(0));
    return { ...all, heard, leave, session };
  }

  it('subscribes at each connect, and at once to what is asked for later', () => {
    const { clock, broker, link, session } = setUpReceiver();
    expect(session.request.receives).toBe(true);
    expect(session.subscribed).toEqual(['car/state']);
    link.subscribe('car/answer', () => undefined);
    expect(session.subscribed).toEqual(['car/state', 'car/answer']);
    session.destroy({ reason: 'closed-by-broker', message: '' });
    clock.runFor(s(1));
    broker.last().listener.connected(GENEROUS);
    expect(broker.last().subscribed).toEqual(['car/state', 'car/answer']);
  });

  it('hands on what comes for a listener and drops what comes for nobody', () => {
    const { link, heard, leave, session } = setUpReceiver();
    session.listener.message({ topic: 'car/state', payload: bytes('a'), isRetained: false });
    session.listener.message({ topic: 'car/state', payload: bytes('b'), isRetained: true });
    session.listener.message({ topic: 'car/other', payload: bytes('c'), isRetained: false });
    expect(heard).toEqual(['a', 'b (old)']);
    leave();
    session.listener.message({ topic: 'car/state', payload: bytes('d'), isRetained: false });
    expect(heard).toHaveLength(2);
    expect(link.stats()).toMatchObject({ received: 2, receivedDropped: 2 });
  });

  it('drops what is above its rate', () => {
    const { clock, link, heard, session } = setUpReceiver({ inboundPerSecondMax: 3 });
    for (let index = 0; index < 10; index += 1)
      session.listener.message({ topic: 'car/state', payload: bytes(`${index}`), isRetained: false });
    expect(heard).toEqual(['0', '1', '2']);
    clock.runFor(s(1));
    session.listener.message({ topic: 'car/state', payload: bytes('later'), isRetained: false });
    expect(heard.at(-1)).toBe('later');
    expect(link.stats()).toMatchObject({ received: 4, receivedDropped: 7 });
  });

  it('tells when the broker does not grant a topic', () => {
    const { session, warnings } = setUpReceiver();
    session.refuseSubscription('not authorized');
    expect(warnings).toEqual(['the broker does not grant car/state: not authorized']);
  });

  it('subscribes to nothing when it does not receive, nor to a wildcard', () => {
    expect(() => setUp({}, false).link.subscribe('car/state', () => undefined)).toThrow('only a link that receives subscribes');
    expect(() => setUpReceiver().link.subscribe('car/#', () => undefined)).toThrow('a subscription is to one topic');
  });

  it('sends at once with its properties, past what waits', () => {
    const { link, session } = setUpReceiver();
    session.sent.splice(0);
    link.publish({ kind: 'event', payload: event() });
    expect(link.sendNow(command)).toBe(true);
    expect(session.sent).toMatchObject([
      { topic: 'car/action/heat', payload: '{"level":2}', qos: 0, isRetained: false, properties: command.properties },
    ]);
    expect(link.stats().sentNow).toBe(1);
  });

  it('sends never what it cannot send at once', () => {
    const { clock, link, session, broker } = setUpReceiver({ messageBytesMax: 4_096 });
    session.isWritable = false;
    expect(link.sendNow(command)).toBe(false);
    session.isWritable = true;
    expect(link.sendNow({ ...command, topic: 'car/#' })).toBe(false);
    expect(link.sendNow({ ...command, payload: { text: 'x'.repeat(4_096) } })).toBe(false);
    session.destroy({ reason: 'closed-by-broker', message: '' });
    expect(link.sendNow(command)).toBe(false);
    clock.runFor(s(1));
    broker.last().listener.connected(GENEROUS);
    clock.runFor(s(1));
    void link.close(s(1));
    expect(link.sendNow(command)).toBe(false);
    expect(broker.sessions.flatMap(({ sent }) => sent).filter(({ topic }) => topic.startsWith('car/'))).toEqual([]);
  });
});
