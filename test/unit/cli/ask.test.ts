import { describe, expect, it } from 'vitest';
import { type AskOptions, ask } from '../../../src/cli/commands/ask.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import { fakeTerminal } from './cli-fixtures.ts';

const OPTIONS: AskOptions = {
  ...{ text: 'what do you see', url: 'http://127.0.0.1:9', config: 'cockpit.yaml', model: 'assistant' },
  ...{ conversation: 'console', token: undefined, isJson: false },
};

const event = (data: unknown): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const said = (content: string): string => event({ choices: [{ delta: { content } }] });
const note = (outcome: object): string =>
  event({ choices: [], coxswain: { notes: [{ proposal: { name: 'open_door', arguments: { door: 'driver' } }, outcome }] } });

interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

/** A server that answers with these parts of a body, cut anywhere. */
function rig(
  parts: readonly string[],
  response: { status?: number; headers?: Record<string, string> } = {},
  http: object | undefined = undefined,
) {
  const [out, err] = [fakeTerminal(false), fakeTerminal(false)];
  const asked: Asked[] = [];
  let signal: (name: string) => void = () => undefined;
  const deps = {
    ...{ out, err },
    onSignal: (listener: (name: string) => void) => {
      signal = listener;
      return () => undefined;
    },
    loadConfig: () => ({ http }) as unknown as RuntimeConfig,
    fetch: async (url: unknown, init: RequestInit = {}) => {
      asked.push({ url: String(url), init });
      const bytes = parts.map((part) => new TextEncoder().encode(part));
      return new Response(
        new ReadableStream({
          pull: (body) => {
            const next = bytes.shift();
            if (next === undefined) body.close();
            else body.enqueue(next);
          },
        }),
        response,
      );
    },
  };
  const run = (change: Partial<AskOptions> = {}) => ask({ ...OPTIONS, ...change }, deps as Parameters<typeof ask>[1]);
  return { run, out, err, asked, deps, signal: (name: string) => signal(name) };
}

describe('ask', () => {
  it('prints the answer as it comes, however the stream is cut, and then what became of its calls', async () => {
    const whole = `: still there\n\n${said('I see ')}${said('2 人')}${note({ kind: 'rejected', reason: 'condition', detail: 'speedKmh is 80' })}${event('[DONE]')}`;
    const bytes = [...whole].map((_, index) => whole.slice(index, index + 1));
    const { run, out, asked } = rig(bytes);
    expect(await run()).toBe(0);
    expect(out.text).toBe('I see 2 人\n[open_door {"door":"driver"}: rejected (condition: speedKmh is 80)]\n');
    expect(asked[0]?.url).toBe('http://127.0.0.1:9/v1/chat/completions');
    expect(JSON.parse(String(asked[0]?.init.body))).toEqual({
      ...{ model: 'assistant', messages: [{ role: 'user', content: 'what do you see' }], stream: true },
      coxswain: { conversation: 'console' },
    });
  });

  it('finds the server and its token in the configuration', async () => {
    const http = { host: '::1', port: 18080, token: { reveal: () => 'secret' } };
    const { run, asked } = rig([said('ok')], {}, http);
    expect(await run({ url: undefined, conversation: '' })).toBe(0);
    expect(asked[0]?.url).toBe('http://[::1]:18080/v1/chat/completions');
    expect(asked[0]?.init.headers).toMatchObject({ authorization: 'Bearer secret' });
    expect(JSON.parse(String(asked[0]?.init.body))).not.toHaveProperty('coxswain');
  });

  it('refuses an address that is none, and a configuration that says none', async () => {
    await expect(rig([]).run({ url: 'localhost' })).rejects.toThrow(UsageError);
    await expect(rig([]).run({ url: undefined })).rejects.toThrow('--url');
    await expect(rig([], {}, { host: '127.0.0.1', port: 0 }).run({ url: undefined })).rejects.toThrow(UsageError);
  });

  it('says why the server refused, and when to ask again; 1', async () => {
    const body = JSON.stringify({ error: { message: 'Four others are waiting.' } });
    const { run, err } = rig([body], { status: 429, headers: { 'retry-after': '3' } });
    expect(await run()).toBe(1);
    expect(err.text).toBe('coxswain: Four others are waiting. Ask again in 3 s.\n');
    const other = rig(['<html>'], { status: 502 });
    expect(await other.run()).toBe(1);
    expect(other.err.text).toContain('status 502');
  });

  it('says what broke off in the middle of an answer, and lets nothing steer the terminal', async () => {
    const { run, out, err } = rig([said('a\u001b[2Jb'), event({ error: { message: 'the core was lost' } })]);
    expect(await run()).toBe(1);
    expect(out.text).not.toContain('\u001b');
    expect(err.text).toContain('the core was lost');
  });

  it('says that nobody listens; Ctrl-C ends it well', async () => {
    const { deps, err } = rig([]);
    const refused = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }));
    expect(await ask(OPTIONS, { ...deps, fetch: refused } as Parameters<typeof ask>[1])).toBe(1);
    expect(err.text).toMatch(/nobody answers at http:\/\/127\.0\.0\.1:9 .*ECONNREFUSED.*npm start/);
    let interrupt = (): void => undefined;
    const asking = ask(OPTIONS, {
      ...deps,
      onSignal: (listener: (name: string) => void) => {
        interrupt = () => listener('SIGINT');
        return () => undefined;
      },
      fetch: (_url: unknown, { signal }: RequestInit) =>
        new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted')))),
    } as Parameters<typeof ask>[1]);
    await Promise.resolve();
    interrupt();
    expect(await asking).toBe(0);
  });

  it('prints the whole answer as JSON when asked to', async () => {
    const { run, out, asked } = rig(['{"id":"x"}\n']);
    expect(await run({ isJson: true })).toBe(0);
    expect(out.text).toBe('{"id":"x"}\n');
    expect(JSON.parse(String(asked[0]?.init.body))).toMatchObject({ stream: false });
  });
});
