import { execFileSync } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import type { MqttLinkOptions } from '../../../src/mqtt/link-options.ts';
import { statusSchema } from '../../../src/mqtt/payloads.ts';
import { hasProgram } from '../../support/has-program.ts';
import { event, health, result } from '../../unit/mqtt/messages.ts';
import { brokerFolder, type Mosquitto, removeFolder, startMosquitto } from './mosquitto-broker.ts';
import { freePort, observe, openLink, startProxy, type TestLink, until } from './peers.ts';

const STATUS = 'coxswain/car7/status';
const V5 = { protocolVersion: 5 } as const;

describe.skipIf(!hasProgram('mosquitto'))('link to an external broker with MQTT 5 (needs mosquitto)', () => {
  let folder: string;
  let port: number;
  let url: string;
  let broker: Mosquitto | undefined;
  const links: TestLink[] = [];

  beforeEach(async () => {
    folder = brokerFolder();
    port = await freePort();
    url = `mqtt://127.0.0.1:${port}`;
  });

  afterEach(async () => {
    for (const { link } of links.splice(0)) await link.close(durationFromMs(200));
    await broker?.stop();
    broker = undefined;
    removeFolder(folder);
  });

  const start = async (...configuration: string[]): Promise<void> => {
    const listener = [`listener ${port} 127.0.0.1`, ...configuration];
    if (!configuration.some((line) => line.startsWith('allow_anonymous'))) listener.push('allow_anonymous true');
    broker = await startMosquitto(folder, listener, [port]);
  };
  const link = (at: string, options: Partial<MqttLinkOptions> = {}): TestLink => {
    const opened = openLink(at, options);
    links.push(opened);
    return opened;
  };
  const connected = ({ states }: TestLink): Promise<void> => until('connected', () => states.some(({ kind }) => kind === 'connected'));

  it('retains status and health, and says goodbye as offline', async () => {
    await start();
    const { link: mouth } = link(url);
    mouth.publish({ kind: 'health', payload: health() });
    mouth.publish({ kind: 'event', payload: event() });
    await until('published', () => mouth.stats().published === 3);
    const ear = await observe(url, V5);
    await until('two retained messages', () => ear.received.length === 2);
    expect(ear.received.every(({ isRetained }) => isRetained)).toBe(true);
    await mouth.close(durationFromMs(1000));
    await until('the goodbye', () => ear.texts(STATUS).length === 2);
    expect(statusSchema.parse(JSON.parse(ear.texts(STATUS)[1] ?? ''))).toMatchObject({ state: 'offline', reason: 'closing' });
    await ear.client.endAsync(true);
  });

  it('has the will published when its connection breaks as by SIGKILL', async () => {
    await start();
    const proxy = await startProxy(port);
    const ear = await observe(url, V5);
    link(proxy.url);
    await until('online', () => ear.texts(STATUS).length === 1);
    proxy.cut();
    await until('offline, then online', () => ear.texts(STATUS).length >= 3);
    const reasons = ear.texts(STATUS).map((text) => statusSchema.parse(JSON.parse(text)).reason);
    expect(reasons).toEqual(['connected', 'connection-lost', 'connected']);
    await ear.client.endAsync(true);
    await proxy.close();
  });

  it('reconnects after a restart of the broker, which has forgotten all, with status, health and the events between', async () => {
    await start();
    const opened = link(url);
    opened.link.publish({ kind: 'health', payload: health(5) });
    await until('published', () => opened.link.stats().published === 2);
    await broker?.stop();
    await until('the loss', () => opened.reasons().length > 0);
    for (let index = 0; index < 50; index += 1) opened.link.publish({ kind: 'event', payload: event(String(index)) });
    await start();
    const ear = await observe(url, V5);
    await until('connected again', () => opened.link.stats().connections === 2);
    await until('all acknowledged', () => opened.link.stats().inFlightItems + opened.link.stats().queuedItems === 0);
    const later = await observe(url, V5, 'coxswain/car7/health');
    await until('the retained health', () => later.received.length === 1);
    expect(JSON.parse(later.received[0]?.text ?? '')).toEqual(health(5));
    expect(opened.link.stats()).toMatchObject({ published: 54, dropped: { overflow: 0, superseded: 0 } });
    await ear.client.endAsync(true);
    await later.client.endAsync(true);
  });

  it('carries a burst larger than the window of the broker in order and without loss', async () => {
    await start('max_inflight_messages 3');
    const ear = await observe(url, V5, 'coxswain/car7/event/#');
    const { link: mouth } = link(url);
    for (let index = 0; index < 1000; index += 1) mouth.publish({ kind: 'event', payload: event(String(index)) });
    await until('all heard', () => ear.received.length === 1000);
    expect(ear.received.map(({ text }) => JSON.parse(text).message)).toEqual(Array.from({ length: 1000 }, (_, index) => String(index)));
    await ear.client.endAsync(true);
  });

  it('sends no packet above what the broker takes', async () => {
    await start('max_packet_size 1000');
    const { link: mouth, states } = link(url);
    mouth.publish({ kind: 'event', payload: event('x'.repeat(2000)) });
    mouth.publish({ kind: 'event', payload: event('short') });
    await until('settled', () => mouth.stats().published === 2);
    expect(mouth.stats().dropped['too-large']).toBe(1);
    expect(states.filter(({ kind }) => kind === 'connected')).toHaveLength(1);
  });

  it('logs in with a user name and password, and shows a wrong one without its secret', async () => {
    const salt = randomBytes(12);
    const hash = pbkdf2Sync('right horse', salt, 101, 64, 'sha512');
    const passwords = join(folder, 'passwords');
    writeFileSync(passwords, `car:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`);
    chmodSync(passwords, 0o644);
    await start('allow_anonymous false', `password_file ${passwords}`);
    await connected(link(url, { username: 'car', password: 'right horse' }));
    const wrong = link(url, { username: 'car', password: 'hunter2', clientId: 'other' });
    await until('a refusal', () => wrong.reasons().length > 0);
    expect(wrong.states.at(-1)).toMatchObject({ kind: 'waiting', reason: 'auth-refused', reasonCode: 0x87 });
    expect(JSON.stringify(wrong.states)).not.toContain('hunter2');
  });

  it('suspects another node when the broker, as mosquitto does, closes it for a takeover without a word', async () => {
    await start();
    const first = link(url, { clientId: 'same' });
    await connected(first);
    await connected(link(url, { clientId: 'same' }));
    await until('the takeover', () => first.reasons().length > 0);
    expect(first.states.at(-1)).toMatchObject({
      kind: 'waiting',
      reason: 'closed-by-broker',
      message: expect.stringContaining('client id "same"'),
    });
  });

  it('carries messages over a WebSocket', async () => {
    const webPort = await freePort();
    await start('allow_anonymous true', `listener ${webPort} 127.0.0.1`, 'protocol websockets');
    const ear = await observe(url, V5, 'coxswain/car7/#');
    const { link: mouth } = link(`ws://127.0.0.1:${webPort}/mqtt`);
    for (let index = 0; index < 100; index += 1) mouth.publish({ kind: 'result', payload: result('front', `label ${index}`) });
    mouth.publish({ kind: 'event', payload: event() });
    await until('all heard', () => ear.received.length === 102);
    await mouth.close(durationFromMs(1000));
    await until('the goodbye', () => ear.texts(STATUS).length === 2);
    expect(mouth.stats().dropped.closed).toBe(0);
    await ear.client.endAsync(true);
  });

  describe.skipIf(!hasProgram('openssl'))('over TLS (needs openssl)', () => {
    const certify = (name: string): { cert: string; key: string } => {
      const cert = join(folder, `${name}.crt`);
      const key = join(folder, `${name}.key`);
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
      const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      execFileSync('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', cert, '-days', '2', ...subject], { stdio: 'ignore' });
      chmodSync(key, 0o644);
      return { cert, key };
    };

    it('connects to a broker that its authority vouches for, and to no other', async () => {
      const { cert, key } = certify('broker');
      const stranger = certify('stranger');
      await start(`certfile ${cert}`, `keyfile ${key}`);
      const trusting = link(`mqtts://127.0.0.1:${port}`, { tls: { ca: readFileSync(cert, 'utf8') } });
      trusting.link.publish({ kind: 'event', payload: event() });
      await until('published', () => trusting.link.stats().published === 2);
      const wary = link(`mqtts://127.0.0.1:${port}`, { tls: { ca: readFileSync(stranger.cert, 'utf8') }, clientId: 'wary' });
      const plain = link(`mqtts://127.0.0.1:${port}`, { clientId: 'plain' });
      await until('two refusals', () => wary.reasons().length > 0 && plain.reasons().length > 0);
      expect(wary.reasons()[0]).toBe('unreachable');
      expect(plain.reasons()[0]).toBe('unreachable');
      expect(wary.link.stats().connections + plain.link.stats().connections).toBe(0);
    });
  });
});
