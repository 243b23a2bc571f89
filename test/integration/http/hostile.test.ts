import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { durationFromMs } from '../../../src/core/units.ts';
import type { OpenAiServerOptions } from '../../../src/sinks/openai/openai-server.ts';
import { chatRequest, open, readAnswer, sendRaw } from '../../support/raw-http.ts';
import { bodyFor, createScriptedServer, type ScriptedServer } from './scripted-models.ts';

/** Clients that are broken or mean harm, at the level of bytes. Whatever they do, the next one is served. */

let scripted: ScriptedServer;
const start = async (changes: Partial<OpenAiServerOptions> = {}): Promise<void> => {
  scripted = await createScriptedServer(changes);
};
beforeEach(() => start());
afterEach(async () => {
  const answer = readAnswer(await sendRaw(scripted.url, chatRequest(bodyFor('echo'))));
  expect([answer.status, answer.body.includes('hello')]).toEqual([200, true]);
  await scripted.server.close();
});

/** Starts anew with other bounds. */
const restart = async (changes: Partial<OpenAiServerOptions>): Promise<void> => {
  await scripted.server.close();
  await start(changes);
};
const ask = async (bytes: string | Buffer) => readAnswer(await sendRaw(scripted.url, bytes));
const errorOf = (body: string) => (JSON.parse(body) as { readonly error: { readonly message: string; readonly code: string } }).error;

describe('a request that is no request', () => {
  it.each<[string, string | Buffer, number, RegExp]>([
    ['noise', 'gibberish\r\n\r\n', 400, /not an HTTP request/],
    ['binary noise', Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 97) % 256)), 400, /not an HTTP request/],
    ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex'), 400, /not an HTTP request/],
    ['endless headers', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431, /headers are longer/],
    [
      'two lengths',
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!`,
      400,
      /not an HTTP request/,
    ],
    [
      'a length and chunks',
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      /not an HTTP request/,
    ],
    [
      'chunks of no length',
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      400,
      /not an HTTP request/,
    ],
  ])('is refused: %s', async (_, bytes, status, message) => {
    const answer = await ask(bytes);
    expect(answer.status).toBe(status);
    expect(errorOf(answer.body).message).toMatch(message);
  });
});

describe('a request that means nothing', () => {
  const json = bodyFor('echo');
  it.each<[string, Buffer, number, RegExp]>([
    ['as a form', chatRequest(json, { 'content-type': 'application/x-www-form-urlencoded' }), 415, /application\/json/],
    ['as text, which a page may send unasked', chatRequest(json, { 'content-type': 'text/plain' }), 415, /application\/json/],
    ['in another alphabet', chatRequest(json, { 'content-type': 'application/json; charset=utf-16' }), 415, /application\/json/],
    ['compressed', chatRequest(json, { 'content-encoding': 'gzip' }), 415, /not compressed/],
    ['without a body', chatRequest(''), 400, /no body/],
    [
      'with bytes that are no UTF-8',
      chatRequest(Buffer.concat([Buffer.from(json.slice(0, -5)), Buffer.from([0xff, 0xfe]), Buffer.from('"}]}')])),
      400,
      /not UTF-8/,
    ],
    ['cut off within', chatRequest(json.slice(0, -3)), 400, /not JSON/],
    ['deeper than anything', chatRequest('['.repeat(90_000)), 400, /nested deeper/],
    ['deep in a field that nobody reads', chatRequest(`{"x":${'['.repeat(300)}${']'.repeat(300)},${json.slice(1)}`), 400, /nested deeper/],
    ['as a list', chatRequest('[1,2,3]'), 400, /object/],
    [
      'longer than allowed',
      chatRequest(bodyFor('echo', { messages: [{ role: 'user', content: 'x'.repeat(100_000) }] })),
      413,
      /larger than 100000/,
    ],
    ['much longer than allowed', chatRequest('x'.repeat(900_000)), 413, /larger than 100000/],
    ['from a page of another name', chatRequest(json, { host: 'evil.example' }), 403, /Host/],
  ])('is refused: %s', async (_, bytes, status, message) => {
    const answer = await ask(bytes);
    expect(answer.status).toBe(status);
    expect(errorOf(answer.body).message).toMatch(message);
    expect(scripted.asked).toHaveLength(0);
  });

  it.each(['authorization', 'content-type', 'x-coxswain-provenance', 'x-coxswain-conversation', 'host'])(
    'is refused with two headers of a name: %s',
    async (name) => {
      const text = chatRequest(json, {
        authorization: 'Bearer x',
        'x-coxswain-provenance': 'mqtt',
        'x-coxswain-conversation': 'a',
      }).toString();
      const answer = await ask(text.replace('\r\n', `\r\n${name}: driver\r\n`));
      expect(answer.status).toBe(400);
      expect(answer.body).toMatch(/more than once|not an HTTP request/);
    },
  );

  it('is refused at another place, or by another method, with what is possible', async () => {
    const get = (path: string, method = 'GET') => ask(`${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`);
    expect(await get('/v1/completions')).toMatchObject({ status: 404 });
    expect(await get('/v1/../../etc/passwd')).toMatchObject({ status: 404 });
    expect(await get(`/v1/models/${'%'.repeat(50)}`)).toMatchObject({ status: 404 });
    expect(await get('/v1/chat/completions')).toMatchObject({ status: 405, headers: expect.stringContaining('allow: post') });
    expect(await get('/v1/chat/completions', 'OPTIONS')).toMatchObject({ status: 405 });
    expect(await get('/v1/models', 'DELETE')).toMatchObject({ status: 405, headers: expect.stringContaining('allow: get') });
    expect(await get('/livez', 'POST')).toMatchObject({ status: 405 });
    expect(await get('/livez')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  it('is refused where it comes before the answer to the one before it', async () => {
    const first = chatRequest(bodyFor('silent'), { connection: 'keep-alive' });
    const both = sendRaw(scripted.url, Buffer.concat([first, chatRequest(json)]));
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(1);
    scripted.speak();
    const text = await both;
    expect(text).toContain('at last');
    expect(text.match(/HTTP\/1\.1 \d+/gu)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(scripted.asked).toHaveLength(0);
  });
});

describe('a client that is slow on purpose', () => {
  it('is cut off when its headers, its body or anything at all do not come', async () => {
    await restart({ requestTimeoutUs: durationFromMs(400) });
    const all = chatRequest(bodyFor('echo')).toString();
    const cuts = ['', all.slice(0, 30), all.slice(0, all.indexOf('\r\n\r\n') + 10)];
    const answers = await Promise.all(cuts.map((text) => sendRaw(scripted.url, text)));
    for (const answer of answers) expect(readAnswer(answer)).toMatchObject({ status: 408, body: expect.stringContaining('in time') });
  });

  it('is cut off when it sends a byte now and then', async () => {
    await restart({ requestTimeoutUs: durationFromMs(600) });
    const all = chatRequest(bodyFor('echo'));
    const socket = open(scripted.url);
    let at = 0;
    let text = '';
    const drip = setInterval(() => socket.write(all.subarray(at, ++at)), 50);
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.on('close', resolve));
    clearInterval(drip);
    expect(at).toBeLessThan(all.length);
    expect(text).toContain('408');
  });

  it('keeps others out only while it may', async () => {
    await restart({ connectionsMax: 2, requestTimeoutUs: durationFromMs(500) });
    const idle = [open(scripted.url), open(scripted.url)];
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.on('connect', resolve))));
    for (const socket of idle) socket.on('error', () => undefined).resume();
    const turned = await ask(chatRequest(bodyFor('echo')));
    expect(turned).toMatchObject({ status: 429, headers: expect.stringContaining('retry-after: 1') });
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.on('close', resolve))));
  });
});

describe('a client that does not read', () => {
  it('has its answer broken off when too much of it waits, and others are served meanwhile', async () => {
    const socket = open(scripted.url);
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(chatRequest(bodyFor('endless', { stream: true })));
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(1);
    expect(await ask(chatRequest(bodyFor('echo')))).toMatchObject({ status: 200 });
    await expect.poll(() => scripted.cancelled, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(0);
    expect(scripted.troubles).toEqual([expect.stringContaining('did not read its answer (unread)')]);
    socket.destroy();
  });

  it('has it broken off when it stops reading for too long', async () => {
    await restart({ stalledAfterUs: durationFromMs(300), unreadBytesMax: 67_108_864 });
    const socket = open(scripted.url);
    socket.pause();
    socket.on('error', () => undefined);
    socket.write(chatRequest(bodyFor('endless', { stream: true })));
    await expect.poll(() => scripted.cancelled, { timeout: 10_000 }).toBe(1);
    expect(scripted.troubles).toEqual([expect.stringContaining('(stalled)')]);
    socket.destroy();
  });

  it('has it broken off when it goes away, streamed or whole', async () => {
    for (const [index, model] of ['endless', 'silent', 'silent'].entries()) {
      const socket = open(scripted.url);
      socket.on('error', () => undefined);
      socket.write(chatRequest(bodyFor(model, { stream: index < 2 })));
      await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(1);
      socket.destroy();
      await expect.poll(() => scripted.cancelled, { timeout: 10_000 }).toBe(index + 1);
      await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(0);
    }
  });
});

describe('an answer that is long in coming', () => {
  it('is kept alive by comments, and is whole in the end', async () => {
    await restart({ keepAliveUs: durationFromMs(100) });
    const text = sendRaw(scripted.url, chatRequest(bodyFor('silent', { stream: true })));
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 350));
    scripted.speak();
    const answer = readAnswer(await text);
    expect(answer.headers).toContain('text/event-stream');
    expect(answer.body.match(/: waiting/gu)?.length).toBeGreaterThanOrEqual(2);
    expect(answer.body).toContain('at last');
    expect(answer.body).toContain('data: [DONE]');
  });
});

describe('a server whose cores are not up', () => {
  it('says so, and to come again', async () => {
    let isReady = false;
    await scripted.server.close();
    scripted = await createScriptedServer({}, () => isReady);
    const ready = () => ask('GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
    expect(await ready()).toMatchObject({ status: 503 });
    const answer = await ask(chatRequest(bodyFor('echo')));
    expect(answer).toMatchObject({ status: 503, headers: expect.stringContaining('retry-after: 1') });
    expect(errorOf(answer.body).code).toBe('not_ready');
    isReady = true;
    expect(await ready()).toMatchObject({ status: 200 });
  });
});

describe('a server that stops', () => {
  it('takes nothing new, says so, and lets the answers under way end', async () => {
    const last = ask(chatRequest(bodyFor('silent')));
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(1);
    const drained = scripted.server.drain(durationFromMs(10_000));
    const get = (path: string) => ask(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    expect(await get('/readyz')).toMatchObject({ status: 503 });
    expect(await get('/livez')).toMatchObject({ status: 200 });
    expect(await ask(chatRequest(bodyFor('echo')))).toMatchObject({ status: 503, headers: expect.stringContaining('retry-after') });
    scripted.speak();
    expect(await drained).toBe(true);
    expect(await last).toMatchObject({ status: 200, body: expect.stringContaining('at last') });
    await restart({});
  });

  it('breaks off what has not ended in time, and says so', async () => {
    const whole = ask(chatRequest(bodyFor('silent')));
    const stream = ask(chatRequest(bodyFor('endless', { stream: true })));
    await expect.poll(() => scripted.server.answerCount, { timeout: 10_000 }).toBe(2);
    expect(await scripted.server.drain(durationFromMs(100))).toBe(false);
    await restart({});
    await expect(Promise.all([whole, stream])).resolves.toMatchObject([{ status: 503 }, { status: 200 }]);
  });
});
