import type { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import { startEmbeddedBroker } from '../../../src/mqtt/embedded-broker.ts';
import type { MqttLinkOptions } from '../../../src/mqtt/link-options.ts';
import { event, health, result, telemetry } from '../../unit/mqtt/messages.ts';
import { type FakeBroker, freePort, observe, openLink, QUICK, startFakeBroker, type TestLink, until } from './peers.ts';

/** MQTT 5: no session, success, no properties. */
const CONNACK = Buffer.from([0x20, 3, 0, 0, 0]);
const connackRefusing = (reasonCode: number): Buffer => Buffer.from([0x20, 3, 0, reasonCode, 0]);
const OVERSIZED = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]);

const onFirstBytes = (socket: Socket, answer: () => void): void => {
  socket.once('data', answer);
};

describe('a link whose broker is absent, slow or wrong', () => {
  const links: TestLink[] = [];
  const brokers: FakeBroker[] = [];

  afterEach(async () => {
    for (const { link } of links.splice(0)) await link.close(durationFromMs(50));
    for (const broker of brokers.splice(0)) await broker.close();
  });

  const link = (url: string, options: Partial<MqttLinkOptions> = {}): TestLink => {
    const opened = openLink(url, options);
    links.push(opened);
    return opened;
  };
  const broker = async (onConnection: (socket: Socket) => void): Promise<FakeBroker> => {
    const started = await startFakeBroker(onConnection);
    brokers.push(started);
    return started;
  };

  it('delivers what waited once an absent broker appears', async () => {
    const port = await freePort();
    const { link: mouth, reasons } = link(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
    mouth.publish({ kind: 'health', payload: health(1) });
    mouth.publish({ kind: 'health', payload: health(2) });
    mouth.publish({ kind: 'event', payload: event('early') });
    await until('two failed attempts', () => reasons().length >= 2);
    expect(new Set(reasons())).toEqual(new Set(['unreachable']));
    expect(mouth.stats()).toMatchObject({ queuedItems: 2, dropped: { superseded: 1 } });
    const embedded = await startEmbeddedBroker({ host: '127.0.0.1', port });
    const ear = await observe(embedded.url);
    await until('published', () => mouth.stats().published === 3);
    await until('heard', () => ear.received.length >= 3);
    expect(ear.texts('coxswain/car7/health').map((text) => JSON.parse(text).rssBytes)).toEqual([2]);
    await mouth.close(durationFromMs(500));
    await ear.client.endAsync(true);
    await embedded.close();
  });

  it('gives up on a broker that accepts and never answers', async () => {
    const silent = await broker((socket) => socket.resume());
    const { reasons, link: mouth } = link(silent.url);
    for (let index = 0; index < 5000; index += 1) mouth.publish({ kind: 'telemetry', payload: telemetry('cores', index) });
    await until('two attempts', () => reasons().length >= 2);
    expect(new Set(reasons())).toEqual(new Set(['connect-timeout']));
    expect(mouth.stats()).toMatchObject({ published: 0, queuedItems: 2000, dropped: { overflow: 3000 } });
    await until('its sockets are gone', () => silent.sockets.slice(0, 2).every((socket) => socket.destroyed));
  });

  it('ends in time although the broker never answers', async () => {
    const silent = await broker((socket) => socket.resume());
    const { link: mouth, states } = link(silent.url);
    mouth.publish({ kind: 'event', payload: event() });
    await until('a connection', () => silent.sockets.length === 1);
    const startedAt = Date.now();
    await mouth.close(durationFromMs(100));
    expect(Date.now() - startedAt).toBeLessThan(400);
    expect(states.at(-1)).toEqual({ kind: 'closed' });
    expect(mouth.stats().dropped.closed).toBe(1);
  });

  it('knows a broker that speaks something else', async () => {
    const http = await broker((socket) => onFirstBytes(socket, () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const { reasons } = link(http.url);
    await until('an end', () => reasons().length > 0);
    expect(reasons()[0]).toBe('malformed-packet');
  });

  it('ends a connection whose broker turns to garbage later', async () => {
    const broken = await broker((socket) =>
      onFirstBytes(socket, () => {
        socket.write(CONNACK);
        onFirstBytes(socket, () => socket.write(Buffer.from([0x40, 0x80, 0x80, 0x80, 0x80, 0x01])));
      }),
    );
    const { reasons, states } = link(broken.url);
    await until('an end', () => reasons().length > 0);
    expect(reasons()[0]).toBe('malformed-packet');
    expect(states.map(({ kind }) => kind).slice(0, 3)).toEqual(['connecting', 'connected', 'waiting']);
  });

  it.each([
    ['a CONNACK with reserved flags', Buffer.from([0x20, 3, 2, 0, 0])],
    ['a CONNACK with a broken property', Buffer.from([0x20, 5, 0, 0, 2, 0xff, 0xff])],
    ['two CONNACKs', Buffer.concat([CONNACK, CONNACK])],
  ])('ends a connection after %s', async (_what, answer) => {
    const broken = await broker((socket) => onFirstBytes(socket, () => socket.write(answer)));
    const { reasons } = link(broken.url);
    await until('an end', () => reasons().length > 0);
    expect(['malformed-packet', 'closed-by-broker']).toContain(reasons()[0]);
  });

  it('ends the connection at the announcement of an oversized packet, and buffers none of it', async () => {
    const flood = Buffer.alloc(16 * 1024 * 1024);
    const oversized = await broker((socket) =>
      onFirstBytes(socket, () => {
        // Publish is not even a type that may arrive; the PUBACK shows the length guard itself.
        socket.write(Buffer.concat([CONNACK, Buffer.from([0x40, 0xff, 0xff, 0xff, 0x7f])]));
        socket.write(flood);
      }),
    );
    const rssBefore = process.memoryUsage().rss;
    const { reasons, states } = link(oversized.url);
    await until('five ends', () => reasons().length >= 5);
    expect(reasons()[0]).toBe('oversized-packet');
    expect(states.find((state) => state.kind === 'waiting')).toMatchObject({ message: expect.stringContaining('announced') });
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(64 * 1024 * 1024);
  });

  it('ends the connection of a broker that floods it with messages it never asked for', async () => {
    const flooding = await broker((socket) => onFirstBytes(socket, () => socket.write(Buffer.concat([CONNACK, OVERSIZED]))));
    const { reasons } = link(flooding.url);
    await until('an end', () => reasons().length > 0);
    expect(reasons()[0]).toBe('malformed-packet');
  });

  it('connects to a broker whose answer comes byte by byte', async () => {
    const dripping = await broker((socket) => {
      socket.setNoDelay(true);
      onFirstBytes(socket, () => {
        for (const [index, byte] of CONNACK.entries()) setTimeout(() => socket.write(Buffer.of(byte)), index * 10);
      });
    });
    const { states } = link(dripping.url);
    await until('connected', () => states.some(({ kind }) => kind === 'connected'));
  });

  it.each([
    [0x86, 'auth-refused'],
    [0x87, 'auth-refused'],
    [0x88, 'refused'],
  ])('shows the reason code %i of a refusal', async (reasonCode, reason) => {
    const refusing = await broker((socket) => onFirstBytes(socket, () => socket.write(connackRefusing(reasonCode))));
    const { states } = link(refusing.url, { username: 'car', password: 'hunter2' });
    await until('an end', () => states.some(({ kind }) => kind === 'waiting'));
    expect(states.find(({ kind }) => kind === 'waiting')).toMatchObject({ reason, reasonCode });
    expect(JSON.stringify(states)).not.toContain('hunter2');
  });

  it('hands a broker that stops reading no more than its bound, sheds the rest, and leaves it by keepalive', async () => {
    const stuck = await broker((socket) =>
      onFirstBytes(socket, () => {
        socket.write(CONNACK);
        socket.pause();
      }),
    );
    const limits = { ...QUICK, ackTimeoutUs: durationFromMs(60_000) };
    const { link: mouth, states, reasons } = link(stuck.url, { limits, validatesPayloads: false });
    await until('connected', () => states.some(({ kind }) => kind === 'connected'));
    const payload = result('front', 'x'.repeat(100_000));
    for (let round = 0; round < 100; round += 1) {
      for (let index = 0; index < 6; index += 1) mouth.publish({ kind: 'result', payload });
      await new Promise((resolve) => setTimeout(resolve, 2));
      expect(mouth.stats().queuedBytes).toBeLessThanOrEqual(4 * 1024 * 1024);
    }
    // Of the 60 MB offered, the two socket buffers of the kernel hold some megabytes (tcp_wmem, tcp_rmem) and the process its bounds; the rest is shed.
    expect(mouth.stats().published).toBeLessThan(300);
    expect(mouth.stats().dropped.overflow).toBeGreaterThan(200);
    await until('an end', () => reasons().length > 0);
    expect(reasons()[0]).toBe('keepalive-timeout');
  });

  it('leaves a broker that answers pings and acknowledges nothing, and loses no event', async () => {
    const deaf = await broker((socket) => {
      onFirstBytes(socket, () => {
        socket.write(CONNACK);
        socket.on('data', (chunk) => {
          if (chunk.includes(Buffer.from([0xc0, 0x00]))) socket.write(Buffer.from([0xd0, 0x00]));
        });
      });
    });
    const { link: mouth, reasons } = link(deaf.url);
    for (let index = 0; index < 100; index += 1) mouth.publish({ kind: 'event', payload: event(String(index)) });
    await until('two ends', () => reasons().length >= 2);
    expect(new Set(reasons())).toEqual(new Set(['ack-timeout']));
    const { queuedItems, inFlightItems, dropped } = mouth.stats();
    // The hundred events, and the status that each connection begins with.
    expect(queuedItems + inFlightItems).toBeGreaterThanOrEqual(100);
    expect(dropped.overflow).toBe(0);
  });

  it('shows a takeover as a duplicate client id and backs away from it', async () => {
    const jealous = await broker((socket) =>
      onFirstBytes(socket, () => {
        socket.write(CONNACK);
        onFirstBytes(socket, () => socket.end(Buffer.from([0xe0, 2, 0x8e, 0])));
      }),
    );
    const { states } = link(jealous.url);
    await until('an end', () => states.some(({ kind }) => kind === 'waiting'));
    const waiting = states.find((state) => state.kind === 'waiting');
    expect(waiting).toMatchObject({ reason: 'taken-over', reasonCode: 0x8e, message: expect.stringContaining('duplicate client id') });
  });

  it('survives a broker that resets every connection', async () => {
    const resetting = await broker((socket) => onFirstBytes(socket, () => socket.resetAndDestroy()));
    const { reasons } = link(resetting.url);
    await until('three ends', () => reasons().length >= 3);
    expect(new Set(reasons())).toEqual(new Set(['unreachable']));
  });
});
