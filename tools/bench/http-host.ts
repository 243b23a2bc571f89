/**
 * A runtime for tools/bench/http.ts, as a process of its own: `node --import tsx http-host.ts <root> <alone | cockpit>`. `<root>`: a checkout that was built. Says where it
 * listens, and when asked how late its event loop came to its timers since it was asked last.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type * as Coxswain from '../../src/index.ts';

const [root = '.', kind = 'cockpit'] = process.argv.slice(2);
const { createCodecDirectory, createConfigFiles, createLanguageDirectory, createSystemClock, loadConfig, startRuntime } = (await import(
  pathToFileURL(`${root}/dist/index.js`).href
)) as typeof Coxswain;

/** The language model of the cockpit and nothing else. */
const ALONE = `
version: 1
node: bench
models: ./models.yaml
device: { kind: ort, cores: [{}] }
sources: { voice: { kind: words } }
pipelines:
  assistant:
    { source: voice, model: cockpit-lm, criticality: interactive, deadlineMs: 1500, freshness: { queue: 8 }, answer: { tokensMax: 96 }, assistant: {} }
mqtt: { broker: none }
http: { port: 0, provenance: driver }
`;

const file = `${root}/configs/cockpit.yaml`;
const files = createConfigFiles();
const port = 20_000 + (process.pid % 20_000);
const change = (text: string): string =>
  kind === 'alone'
    ? ALONE
    : text.replace('port: 18830', `port: ${port}`).replace('port: 18080', 'port: 0').replace('everyMs: 6000', 'everyMs: 600000');
const config = loadConfig(file, {
  env: process.env,
  codecs: createCodecDirectory(),
  languages: createLanguageDirectory(),
  files: {
    ...files,
    read: (path, bytesMax) => {
      const bytes = files.read(path, bytesMax);
      return path === file ? Buffer.from(change(Buffer.from(bytes).toString('utf8'))) : bytes;
    },
  },
});
const runtime = await startRuntime(config, { clock: createSystemClock() });
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
let used = process.cpuUsage();
process.on('message', async (message) => {
  if (message === 'stop') {
    const report = await runtime.stop('now');
    process.send?.({ kind: 'report', streams: report.streams });
    process.disconnect();
    return;
  }
  // The monitor measures whole ticks of its timer; what exceeds them is delay.
  const lateMs = (ns: number): number => Math.max(0, ns / 1e6 - 1);
  const { user, system } = process.cpuUsage(used);
  process.send?.({
    kind: 'figures',
    lateMs: { p50: lateMs(loop.percentile(50)), p99: lateMs(loop.percentile(99)), max: lateMs(loop.max) },
    cpuS: (user + system) / 1e6,
    rssMb: process.memoryUsage().rss / 2 ** 20,
  });
  loop.reset();
  used = process.cpuUsage();
});
process.send?.({ kind: 'url', url: runtime.http });
