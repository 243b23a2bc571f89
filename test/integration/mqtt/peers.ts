import { connect, createServer, type Server, type Socket } from 'node:net';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { Prng } from '../../../src/core/prng.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createMqttLink } from '../../../src/mqtt/link.ts';
import type { LinkLimits, LinkState, MqttLink, MqttLinkOptions } from '../../../src/mqtt/link-options.ts';

/** Resolves once `holds` does; fails with `what` after some seconds. */
export async function until(what: string, holds: () => boolean, withinMs = 10_000): Promise<void> {
  const giveUpAt = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > giveUpAt) throw new Error(`waited ${withinMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Received {
  readonly topic: string;
  readonly text: string;
  readonly isRetained: boolean;
}

/** A second MQTT client that writes down all it hears. */
export interface Observer {
  readonly client: MqttClient;
  readonly received: Received[];
  texts(topic: string): string[];
}

export async function observe(url: string, options: IClientOptions = {}, filter = '#'): Promise<Observer> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options });
  const received: Received[] = [];
  client.on('error', () => undefined);
  client.on('message', (topic, payload, packet) => {
    received.push({ topic, text: payload.toString(), isRetained: packet.retain });
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return { client, received, texts: (topic) => received.filter((each) => each.topic === topic).map(({ text }) => text) };
}

/** Short enough for a test, in the proportions of the real ones. */
export const QUICK: Partial<LinkLimits> = {
  connectTimeoutUs: durationFromMs(500),
  ackTimeoutUs: durationFromMs(700),
  keepaliveUs: durationFromMs(1000),
  retry: { baseUs: durationFromMs(50), maxUs: durationFromMs(200) },
};

export interface TestLink {
  readonly link: MqttLink;
  readonly states: LinkState[];
  /** The reasons why sessions ended so far. */
  reasons(): string[];
}

export function openLink(url: string, options: Partial<MqttLinkOptions> = {}): TestLink {
  const states: LinkState[] = [];
  const link = createMqttLink(
    { url, protocolVersion: 5, prefix: 'coxswain', node: 'car7', limits: QUICK, validatesPayloads: true, ...options },
    { clock: createSystemClock(), prng: new Prng(1), onState: (state) => states.push(state) },
  );
  return { link, states, reasons: () => states.flatMap((state) => (state.kind === 'waiting' ? [state.reason] : [])) };
}

export interface FakeBroker {
  readonly url: string;
  readonly port: number;
  readonly sockets: readonly Socket[];
  close(): Promise<void>;
}

/** A TCP server that does as the test says with each connection. */
export async function startFakeBroker(onConnection: (socket: Socket) => void, port = 0): Promise<FakeBroker> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const boundPort = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `mqtt://127.0.0.1:${boundPort}`,
    port: boundPort,
    sockets,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A way to a broker that can be cut as by a SIGKILL of the client: a reset instead of a DISCONNECT. */
export async function startProxy(port: number): Promise<FakeBroker & { cut(): void }> {
  const proxy = await startFakeBroker((socket) => {
    const onward = connect(port, '127.0.0.1');
    onward.on('error', () => socket.destroy());
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.resetAndDestroy());
    socket.pipe(onward).pipe(socket);
  });
  return {
    ...proxy,
    cut() {
      for (const socket of proxy.sockets) socket.resetAndDestroy();
    },
  };
}

export async function freePort(): Promise<number> {
  const { port, close } = await startFakeBroker(() => undefined);
  await close();
  return port;
}
