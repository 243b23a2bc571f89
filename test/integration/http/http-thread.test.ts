import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { HttpSettings } from '../../../src/core/http-settings.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { type HttpThread, startHttpThread } from '../../../src/runtime/http/http-thread.ts';
import type { ServedListener, ServedModel, ServedRequest } from '../../../src/sinks/openai/served-model.ts';
import { chatRequest, open, readAnswer, sendRaw } from '../../support/raw-http.ts';
import { bodyFor } from './scripted-models.ts';

/** The seam between the thread that listens and the main loop that answers. */

const USAGE = { promptTokens: 1, cachedTokens: 0, answerTokens: 1, queuedMs: 0, firstTokenMs: 1, answerMs: 0 };
const SETTINGS: HttpSettings<string> = {
  ...{ host: '127.0.0.1', port: 0, token: undefined, provenance: 'passenger' },
  ...{ requestBytesMax: 100_000, connectionsMax: 64, unreadBytesMax: 262_144 },
  ...{ requestTimeoutUs: durationFromMs(10_000), stalledAfterUs: durationFromMs(10_000), keepAliveUs: durationFromMs(10_000) },
};

const clock = createSystemClock();
const troubles: string[] = [];
const losses: string[] = [];
const asked: { readonly request: ServedRequest; readonly listener: ServedListener; isCancelled: boolean }[] = [];
let thread: HttpThread | undefined;

/** Answers when the test does, or says what was wrong. */
const model: ServedModel = {
  ...{ id: 'lm', createdS: 1, contextTokens: 1_000 },
  ask(request, listener) {
    const text = request.messages[0]?.content;
    if (text === 'refuse me') throw new CoxswainError('CONVERSATION_BUSY', 'One at a time.');
    if (text === 'break') throw new TypeError('a secret path');
    const one = { request, listener, isCancelled: false };
    asked.push(one);
    return {
      cancel() {
        one.isCancelled = true;
      },
    };
  },
};

const start = async (changes: Partial<HttpSettings<string>> = {}): Promise<HttpThread> => {
  thread = await startHttpThread(
    { ...SETTINGS, ...changes },
    { clock, models: [model], onTrouble: (message) => troubles.push(message), onLost: (message) => losses.push(message) },
  );
  return thread;
};
const opened = async (changes: Partial<HttpSettings<string>> = {}): Promise<HttpThread> => {
  const started = await start(changes);
  started.open();
  return started;
};
const stop = async (): Promise<void> => {
  await thread?.close();
  thread = undefined;
};
afterEach(() => {
  for (const list of [troubles, losses, asked]) list.length = 0;
});

const POLL = { timeout: 20_000 };
const saying = (content: string, more: object = {}) => chatRequest(bodyFor('lm', { messages: [{ role: 'user', content }], ...more }));
const ask = async ({ url }: HttpThread, bytes: Buffer = saying('hi')) => readAnswer(await sendRaw(url, bytes));
const get = async ({ url }: HttpThread, path: string) =>
  readAnswer(await sendRaw(url, `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`));
const answer = (index: number, text = 'hello'): void => {
  asked[index]?.listener.onPieces([{ kind: 'text', text }], undefined);
  asked[index]?.listener.onEnd({ kind: 'answered', finish: 'stop', usage: USAGE });
};

describe('the thread that listens', () => {
  let http: HttpThread;
  beforeAll(async () => {
    http = await start();
  });
  afterAll(stop);

  it('says that nobody answers yet, until somebody does', async () => {
    expect(await get(http, '/livez')).toMatchObject({ status: 200 });
    expect(await get(http, '/readyz')).toMatchObject({ status: 503 });
    expect(await ask(http)).toMatchObject({ status: 503, body: expect.stringContaining('not_ready') });
    http.open();
    await expect.poll(async () => (await get(http, '/readyz')).status, POLL).toBe(200);
  });

  it('brings requests and takes answers and notes back, streamed and whole', async () => {
    const [whole, stream] = [ask(http), ask(http, saying('hi', { stream: true }))];
    await expect.poll(() => asked.length, POLL).toBe(2);
    expect(http.answerCount).toBe(2);
    for (const [index] of asked.entries()) {
      asked[index]?.listener.onNote({ proposal: 'heat' });
      answer(index);
    }
    for (const told of await Promise.all([whole, stream])) {
      expect(told).toMatchObject({ status: 200, body: expect.stringContaining('hello') });
      expect(told.body).toContain('{"notes":[{"proposal":"heat"}]}');
    }
    expect(http.answerCount).toBe(0);
    expect(asked[0]?.request).toMatchObject({ model: 'lm', provenance: 'passenger', messages: [{ role: 'user', content: 'hi' }] });
  });

  it('says what the one who answers refused, and no words of faults', async () => {
    expect(await ask(http, saying('refuse me'))).toMatchObject({ status: 409, body: expect.stringContaining('One at a time.') });
    const broken = await ask(http, saying('break'));
    expect(broken).toMatchObject({ status: 500, body: expect.stringContaining('internal_error') });
    expect(broken.body).not.toContain('secret');
    expect(troubles).toEqual([expect.stringContaining('a secret path')]);
  });

  it('brings nothing that is longer than a model reads by far', async () => {
    expect(await ask(http, saying('x'.repeat(20_000)))).toMatchObject({
      status: 400,
      body: expect.stringContaining('context_length_exceeded'),
    });
    expect(asked).toEqual([]);
  });

  it('tells who answers that a client has gone away', async () => {
    const socket = open(http.url);
    socket.on('error', () => undefined);
    socket.write(saying('hi', { stream: true }));
    await expect.poll(() => asked.length, POLL).toBe(1);
    socket.destroy();
    await expect.poll(() => asked[0]?.isCancelled, POLL).toBe(true);
    expect(http.answerCount).toBe(0);
    // What was on its way meanwhile is nobody's.
    answer(0);
    const next = ask(http);
    await expect.poll(() => asked.length, POLL).toBe(2);
    answer(1);
    expect(await next).toMatchObject({ status: 200 });
  });

  it('takes ten thousand pieces that come at once, each of them once', async () => {
    const told = ask(http, saying('hi', { stream: true }));
    await expect.poll(() => asked.length, POLL).toBe(1);
    for (let index = 0; index < 10_000; index += 1) asked[0]?.listener.onPieces([{ kind: 'text', text: `${index},` }], undefined);
    answer(0, 'end');
    const { body } = await told;
    const texts = [...body.matchAll(/"content":"([^"]*)"/gu)].map(([, text]) => text).join('');
    expect(texts).toBe(`${Array.from({ length: 10_000 }, (_, index) => `${index},`).join('')}end`);
  });
});

describe('a thread that cannot listen', () => {
  afterEach(stop);

  it('says why, as an error of ours', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({
      code: 'HTTP_UNAVAILABLE',
      message: expect.stringMatching(new RegExp(`port ${port}: .*EADDRINUSE.*Set http\\.host`, 'u')),
    });
    await new Promise((resolve) => other.close(resolve));
    await expect(start({ host: 'no-such-host.invalid' })).rejects.toMatchObject({ code: 'HTTP_UNAVAILABLE' });
    expect([...troubles, ...losses]).toEqual([]);
  });
});

describe('a thread that is lost', () => {
  afterEach(stop);

  it('takes what it was answering with it, is started again at the same place, and the operator is told', async () => {
    const http = await opened();
    const { url } = http;
    const cut = sendRaw(url, saying('hi', { stream: true }));
    await expect.poll(() => asked.length, POLL).toBe(1);
    // Nothing else than a fault of ours could do so; this one is put in by hand.
    asked[0]?.listener.onPieces([{ kind: 'text', text: undefined as unknown as string }], [{ token: 'x' } as never]);
    asked[0]?.listener.onPieces(undefined as never, undefined);
    await expect.poll(() => losses.length, POLL).toBe(1);
    expect(losses[0]).toMatch(/the HTTP thread was lost: .*; it is started again/u);
    expect(await cut).not.toContain('[DONE]');
    expect(asked[0]?.isCancelled).toBe(true);
    expect(http.answerCount).toBe(0);
    await expect
      .poll(
        () =>
          get(http, '/readyz').then(
            ({ status }) => status,
            () => 0,
          ),
        POLL,
      )
      .toBe(200);
    expect(http.url).toBe(url);
    const next = ask(http);
    await expect.poll(() => asked.length, POLL).toBe(2);
    answer(1);
    expect(await next).toMatchObject({ status: 200 });
  });
});

describe('a thread that stops', () => {
  afterEach(stop);

  it('lets answers under way end, and takes nothing new', async () => {
    const http = await opened();
    const last = ask(http);
    await expect.poll(() => asked.length, POLL).toBe(1);
    const drained = http.drain(durationFromMs(20_000));
    await expect.poll(async () => (await get(http, '/readyz')).status, POLL).toBe(503);
    expect(await ask(http)).toMatchObject({ status: 503, body: expect.stringContaining('stopping') });
    answer(0);
    expect(await drained).toBe(true);
    expect(await last).toMatchObject({ status: 200 });
  });

  it('breaks off what has not ended in time', async () => {
    const http = await opened();
    const [whole, stream] = [ask(http), ask(http, saying('hi', { stream: true }))];
    await expect.poll(() => asked.length, POLL).toBe(2);
    for (const { request, listener } of asked) if (request.isStream) listener.onPieces([{ kind: 'text', text: 'so far' }], undefined);
    expect(await http.drain(durationFromMs(200))).toBe(false);
    await http.close();
    expect(await whole).toMatchObject({ status: 503 });
    expect(await stream).toMatchObject({ status: 200, body: expect.stringContaining('so far') });
    expect(asked.map(({ isCancelled }) => isCancelled)).toEqual([true, true]);
    expect(losses).toEqual([]);
  });

  it('is gone when it was closed, and so is its port', async () => {
    const http = await opened();
    const { url } = http;
    await http.close();
    await expect(sendRaw(url, saying('hi'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const port = Number(new URL(url).port);
    expect((await start({ port })).url).toBe(url);
  });
});
