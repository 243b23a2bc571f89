/**
 * What clients of the HTTP server cost, and what they wait: `npx tsx tools/bench/http.ts [--root <checkout>]... [--asks 200] [--requests 10000] [--only asks|long|flood]`.
 *
 * Each `--root` is a checkout that was built (`npm run build`); several are compared in turn, one request each, so that what else the machine does falls on all of them alike.
 * asks: time to the first token of a short request to the model and to the assistant, nothing else running. long: how late the main loop comes to its timers while prompts as
 * long as the model takes come one after the other. flood: the same for `--requests` requests at once, each on a connection of its own, with the cameras of configs/cockpit.yaml.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { quantile } from './quantile.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string', multiple: true, default: [fileURLToPath(new URL('../..', import.meta.url))] },
    asks: { type: 'string', default: '200' },
    requests: { type: 'string', default: '10000' },
    only: { type: 'string' },
  },
});
const roots = values.root.map((root) => resolve(root));
const isWanted = (part: string): boolean => values.only === undefined || values.only === part;

interface Figures {
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly cpuS: number;
  readonly rssMb: number;
}

interface Host {
  readonly root: string;
  readonly url: string;
  readonly agent: Agent;
  /** Since it was asked last. */
  figures(): Promise<Figures>;
  close(): Promise<unknown>;
}

async function startHost(root: string, kind: 'alone' | 'cockpit'): Promise<Host> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('./http-host.ts', import.meta.url)), root, kind],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      cwd: root,
    },
  );
  const next = <T>(): Promise<T> => new Promise((settle) => child.once('message', (message) => settle(message as T)));
  const { url } = await next<{ readonly url: string }>();
  const ask = <T>(message: string): Promise<T> => {
    child.send(message);
    return next<T>();
  };
  const ended = new Promise((settle) => child.once('exit', settle));
  const agent = new Agent({ keepAlive: true });
  return {
    ...{ root, url, agent },
    figures: () => ask('figures'),
    async close() {
      agent.destroy();
      const report = await ask<{ readonly streams: unknown }>('stop');
      await ended;
      return report.streams;
    },
  };
}

/** Milliseconds from the first byte sent to the first token received, and to the end. */
function timeAnswer(
  { url, agent }: Host,
  body: object,
): Promise<{ readonly status: number; readonly firstMs: number; readonly wholeMs: number }> {
  return new Promise((settle, fail) => {
    const text = JSON.stringify({ stream: true, temperature: 0, ...body });
    const begun = performance.now();
    let firstMs = Number.NaN;
    const sent = request(
      `${url}/v1/chat/completions`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.on('data', () => {
          if (Number.isNaN(firstMs)) firstMs = performance.now() - begun;
        });
        answer.on('end', () => settle({ status: answer.statusCode ?? 0, firstMs, wholeMs: performance.now() - begun }));
      },
    );
    sent.on('error', fail);
    sent.end(text);
  });
}

const ms = (value: number): string => value.toFixed(2);
const user = (content: string) => [{ role: 'user', content }];

async function compareAsks(): Promise<void> {
  const hosts = await Promise.all(roots.map((root) => startHost(root, 'alone')));
  for (const model of ['cockpit-lm', 'assistant']) {
    const times = hosts.map(() => ({ first: [] as number[], whole: [] as number[] }));
    for (let round = -20; round < Number(values.asks); round += 1) {
      // Who goes first changes every round.
      for (let turn = 0; turn < hosts.length; turn += 1) {
        const index = (turn + Math.abs(round)) % hosts.length;
        const host = hosts[index];
        const kept = times[index];
        if (host === undefined || kept === undefined) continue;
        const { status, firstMs, wholeMs } = await timeAnswer(host, {
          model,
          messages: user(`what is the speed, asks number ${round}`),
          max_tokens: 8,
        });
        if (status !== 200) throw new Error(`${host.root} answered ${status}`);
        if (round < 0) continue;
        kept.first.push(firstMs);
        kept.whole.push(wholeMs);
      }
    }
    console.log(`\n${model}, ${values.asks} short requests one after the other, in turn; ms`);
    console.table(
      hosts.map(({ root }, index) => ({
        root,
        'first token p50': ms(quantile(times[index]?.first ?? [], 0.5)),
        'first token p90': ms(quantile(times[index]?.first ?? [], 0.9)),
        'whole p50': ms(quantile(times[index]?.whole ?? [], 0.5)),
      })),
    );
  }
  for (const host of hosts) await host.close();
}

const LONG: Readonly<Record<string, string>> = {
  words: 'the quick brown fox opens the left window of the car '.repeat(200).slice(0, 7_900),
  emoji: '🚗🌧️🪟'.repeat(700).slice(0, 1_500),
  'one word': 'a'.repeat(7_900),
};

async function compareLong(): Promise<void> {
  const hosts = await Promise.all(roots.map((root) => startHost(root, 'alone')));
  const rows: object[] = [];
  for (const [name, text] of Object.entries(LONG))
    for (const host of hosts) {
      for (let index = 0; index < 5; index += 1) await timeAnswer(host, { model: 'cockpit-lm', messages: user(text), max_tokens: 1 });
      await host.figures();
      for (let index = 0; index < 50; index += 1) await timeAnswer(host, { model: 'cockpit-lm', messages: user(text), max_tokens: 1 });
      const { lateMs } = await host.figures();
      rows.push({ root: host.root, text: name, 'late p50': ms(lateMs.p50), 'late p99': ms(lateMs.p99), 'late max': ms(lateMs.max) });
    }
  console.log('\n50 prompts of some 8 kB, one after the other; how late the main loop came to its timers, ms');
  console.table(rows);
  for (const host of hosts) await host.close();
}

async function compareFlood(): Promise<void> {
  const flood = fileURLToPath(new URL('../../test/support/http-flood.mjs', import.meta.url));
  const filesMax = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim().replace('unlimited', '1000000'));
  const body = JSON.stringify({ model: 'cockpit-lm', messages: user('open the window'), max_tokens: 4, temperature: 0 });
  const rows: object[] = [];
  for (const root of roots) {
    const host = await startHost(root, 'cockpit');
    for (let index = 0; index < 5; index += 1) await timeAnswer(host, { model: 'cockpit-lm', messages: user('hi'), max_tokens: 4 });
    await new Promise((settle) => setTimeout(settle, 5_000));
    await host.figures();
    await new Promise((settle) => setTimeout(settle, 8_000));
    const before = await host.figures();
    const begun = performance.now();
    const atOnce = Math.min(Number(values.requests), filesMax - 500);
    const { stdout } = await promisify(execFile)(process.execPath, [flood, new URL(host.url).port, values.requests, body, String(atOnce)]);
    const tookS = (performance.now() - begun) / 1000;
    const during = await host.figures();
    const told = JSON.parse(stdout) as { readonly statuses: object };
    rows.push({
      root,
      statuses: JSON.stringify(told.statuses),
      'took s': tookS.toFixed(1),
      'cpu s': during.cpuS.toFixed(1),
      'late p50': ms(during.lateMs.p50),
      'late p99': ms(during.lateMs.p99),
      'late max': ms(during.lateMs.max),
      'without it p99': ms(before.lateMs.p99),
      'without it max': ms(before.lateMs.max),
      'rss MB': `${before.rssMb.toFixed(0)} to ${during.rssMb.toFixed(0)}`,
    });
    await host.close();
  }
  console.log(`\n${values.requests} requests at once beside the cockpit's cameras; how late the main loop came to its timers, ms`);
  console.table(rows);
}

if (isWanted('asks')) await compareAsks();
if (isWanted('long')) await compareLong();
if (isWanted('flood')) await compareFlood();
