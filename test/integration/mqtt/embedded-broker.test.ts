import { connect as connectTcp } from 'node:net';
import { connect, connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../../src/mqtt/embedded-broker.ts';
import { eventSchema, healthSchema, resultSchema, statusSchema, telemetrySchema } from '../../../src/mqtt/payloads.ts';
import { event, health, result, telemetry } from '../../unit/mqtt/messages.ts';
import { type Observer, observe, openLink, startProxy, type TestLink, until } from './peers.ts';

const STATUS = 'coxswain/car7/status';

describe('embedded broker', () => {
  let broker: EmbeddedBroker;
  const links: TestLink[] = [];
  const observers: Observer[] = [];

  beforeEach(async () => {
    broker = await startEmbeddedBroker({ host: '127.0.0.1', connectionsMax: 4, packetBytesMax: 100_000, retainedTopicsMax: 5 });
  });

  afterEach(async () => {
    for (const { link } of links.splice(0)) await link.close(durationFromMs(200));
    for (const { client } of observers.splice(0)) await client.endAsync(true);
    await broker.close();
  });

  const link = (url = broker.url): TestLink => {
    const opened = openLink(url, { protocolVersion: 4 });
    links.push(opened);
    return opened;
  };
  const observer = async (): Promise<Observer> => {
    const opened = await observe(broker.url);
    observers.push(opened);
    return opened;
  };

  it('carries every kind of message from the link to another client', async () => {
    const ear = await observer();
    const { link: mouth } = link();
    mouth.publish({ kind: 'health', payload: health() });
    mouth.publish({ kind: 'event', payload: event('Straße 日本 😀') });
    mouth.publish({ kind: 'result', payload: result() });
    mouth.publish({ kind: 'telemetry', payload: telemetry() });
    await until('five messages', () => ear.received.length === 5);
    const parsed = Object.fromEntries(ear.received.map(({ topic, text }) => [topic, JSON.parse(text) as unknown]));
    expect(statusSchema.parse(parsed[STATUS])).toMatchObject({ state: 'online' });
    expect(healthSchema.parse(parsed['coxswain/car7/health'])).toEqual(health());
    expect(eventSchema.parse(parsed['coxswain/car7/event/core-lost'])).toEqual(event('Straße 日本 😀'));
    expect(resultSchema.parse(parsed['coxswain/car7/result/front'])).toEqual(result());
    expect(telemetrySchema.parse(parsed['coxswain/car7/telemetry/cores'])).toEqual(telemetry());
    await until('all acknowledged', () => mouth.stats().published === 5);
  });

  it('gives status and health to a client that comes later', async () => {
    const { link: mouth } = link();
    mouth.publish({ kind: 'health', payload: health() });
    mouth.publish({ kind: 'event', payload: event() });
    await until('all acknowledged', () => mouth.stats().published === 3);
    const ear = await observer();
    await until('two retained messages', () => ear.received.length === 2);
    expect(ear.received.map(({ topic, isRetained }) => [topic, isRetained]).sort()).toEqual([
      ['coxswain/car7/health', true],
      [STATUS, true],
    ]);
  });

  it('publishes the will when the connection breaks as by SIGKILL, and the link comes back online', async () => {
    const proxy = await startProxy(broker.port);
    const ear = await observer();
    const { states } = link(proxy.url);
    await until('online', () => ear.texts(STATUS).length === 1);
    proxy.cut();
    await until('offline, then online', () => ear.texts(STATUS).length === 3);
    const parsed = ear.texts(STATUS).map((text) => statusSchema.parse(JSON.parse(text)));
    expect(parsed.map(({ state, reason }) => [state, reason])).toEqual([
      ['online', 'connected'],
      ['offline', 'connection-lost'],
      ['online', 'connected'],
    ]);
    expect(states.map(({ kind }) => kind)).toContain('waiting');
    await proxy.close();
  });

  it('hears the offline status of a link that closes, and no will after it', async () => {
    const ear = await observer();
    const { link: mouth } = link();
    await until('online', () => ear.texts(STATUS).length === 1);
    for (let index = 0; index < 200; index += 1) mouth.publish({ kind: 'event', payload: event(String(index)) });
    await mouth.close(durationFromMs(3000));
    await until('the events and both statuses', () => ear.received.length === 202);
    expect(ear.texts('coxswain/car7/event/core-lost').map((text) => eventSchema.parse(JSON.parse(text)).message)).toEqual(
      Array.from({ length: 200 }, (_, index) => String(index)),
    );
    expect(statusSchema.parse(JSON.parse(ear.texts(STATUS)[1] ?? ''))).toMatchObject({ state: 'offline', reason: 'closing' });
    await until('the connection is gone', () => broker.connections === 1);
    expect(ear.received).toHaveLength(202);
    expect(mouth.stats()).toMatchObject({ published: 202, dropped: { closed: 0 } });
  });

  it('takes as many connections as its bound, and turns one more away', async () => {
    const clients = [];
    for (let index = 0; index < 4; index += 1) clients.push(await connectAsync(broker.url, { reconnectPeriod: 0 }));
    await expect(connectAsync(broker.url, { reconnectPeriod: 0 }, false)).rejects.toThrow();
    expect(broker.connections).toBe(4);
    for (const client of clients) await client.endAsync(true);
  });

  it('takes a packet at its bound and closes the connection of one past it, and goes on with the others', async () => {
    const ear = await observer();
    const client = await connectAsync(broker.url, { reconnectPeriod: 0 });
    client.on('error', () => undefined);
    // The remaining length of a QoS 0 publish on topic "big" is the payload and 5 bytes.
    await client.publishAsync('big', Buffer.alloc(100_000 - 5));
    await until('the large message', () => ear.received.length === 1);
    let isClosed = false;
    client.on('close', () => {
      isClosed = true;
    });
    client.publish('big', Buffer.alloc(100_000 - 4));
    await until('the connection is closed', () => isClosed);
    await ear.client.publishAsync('still', 'here');
    await until('the others go on', () => ear.texts('still').length === 1);
    expect(ear.texts('big')).toHaveLength(1);
  });

  it('survives a client that speaks no MQTT', async () => {
    const socket = connectTcp(broker.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('it is thrown out', () => socket.destroyed || socket.readableEnded || !socket.readable);
    const ear = await observer();
    expect(ear.client.connected).toBe(true);
  });

  it('stores nothing for a client that leaves, even if asked to', async () => {
    const options = { reconnectPeriod: 0, clean: false, clientId: 'viewer' };
    const first = await connectAsync(broker.url, options);
    await first.subscribeAsync('coxswain/#', { qos: 1 });
    await first.endAsync();
    const { link: mouth } = link();
    mouth.publish({ kind: 'event', payload: event() });
    await until('published', () => mouth.stats().published === 2);
    const second = connect(broker.url, options);
    const hasSession = await new Promise((resolve) => second.once('connect', ({ sessionPresent }) => resolve(sessionPresent)));
    expect(hasSession).toBe(false);
    await second.endAsync(true);
  });

  it('retains messages of as many topics as its bound, and closes on one more', async () => {
    const client = await connectAsync(broker.url, { reconnectPeriod: 0 });
    client.on('error', () => undefined);
    let isClosed = false;
    client.on('close', () => {
      isClosed = true;
    });
    for (let index = 0; index < 5; index += 1) await client.publishAsync(`t/${index}`, 'x', { qos: 1, retain: true });
    await client.publishAsync('t/0', 'y', { qos: 1, retain: true });
    await client.publishAsync('t/0', '', { qos: 1, retain: true });
    await client.publishAsync('t/5', 'x', { qos: 1, retain: true });
    expect(isClosed).toBe(false);
    client.publish('t/6', 'x', { qos: 1, retain: true });
    await until('the connection is closed', () => isClosed);
  });

  it('says which port it cannot have', async () => {
    const second = startEmbeddedBroker({ host: '127.0.0.1', port: broker.port });
    await expect(second).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${broker.port}`),
    });
  });

  it('refuses MQTT 5 with a reason that the link shows', async () => {
    const opened = openLink(broker.url, { protocolVersion: 5 });
    links.push(opened);
    await until('an end', () => opened.reasons().length > 0);
    expect(opened.reasons()[0]).toBe('refused');
  });
});
