/**
 * What `link.publish` costs its caller, with a broker and without, and that the memory of 200 000 publishes without a broker is bounded.
 * Run: node --expose-gc --import tsx tools/bench/mqtt-publish.ts
 */
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { after } from '../../src/core/clock.ts';
import { Prng } from '../../src/core/prng.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { durationFromMs } from '../../src/core/units.ts';
import { startEmbeddedBroker } from '../../src/mqtt/embedded-broker.ts';
import { createMqttLink } from '../../src/mqtt/link.ts';
import type { MqttLink, OutboundMessage } from '../../src/mqtt/link-options.ts';

const clock = createSystemClock();

const open = (url: string): MqttLink =>
  createMqttLink({ url, protocolVersion: 4, prefix: 'coxswain', node: 'bench' }, { clock, prng: new Prng(1), onState: () => undefined });

const wait = (ms: number): Promise<void> => new Promise((resolve) => after(clock, durationFromMs(ms), resolve));

/** A result of eight boxes, some 1.1 kB, as a detector gives; every tenth message is an event, every hundredth a health. */
function message(index: number): OutboundMessage {
  const wallMs = index;
  if (index % 100 === 0) {
    const cores = [0, 1].map((id) => ({ id, state: 'ready' as const, busyRatio: 0.5, restarts: 0 }));
    const payload = {
      node: 'bench',
      wallMs,
      atUs: index,
      state: 'nominal' as const,
      problems: [],
      cores,
      streams: [],
      sources: [],
      rssBytes: index,
    };
    return { kind: 'health', payload };
  }
  if (index % 10 === 0) {
    const data = { core: 0, restarted: true };
    const payload = { node: 'bench', kind: 'core-back', wallMs, atUs: index, severity: 'info' as const, message: 'core 0 is back', data };
    return { kind: 'event', payload };
  }
  const items = Array.from({ length: 8 }, (_, box) => ({
    kind: 'object' as const,
    label: 'person',
    score: 0.5 + box / 17,
    box: { x: index / 7, y: box * 31.25, width: 64.5, height: 128.75 },
  }));
  const frame = { source: 'camera', sequence: index, model: 'nanodet', capturedAtUs: index, ageUs: 4321, isLate: false };
  return { kind: 'result', payload: { node: 'bench', pipeline: 'front', job: index, wallMs, ...frame, items } };
}

const percentile = (sorted: readonly number[], ratio: number): string =>
  ((sorted[Math.floor((sorted.length - 1) * ratio)] ?? 0) / 1000).toFixed(1);

/** Publishes `count` messages, `perTurn` in each turn of the event loop, and times each call. */
async function time(title: string, link: MqttLink, count: number, perTurn: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const nanoseconds: number[] = [];
  delay.enable();
  for (let index = 0; index < count; index += 1) {
    const next = message(index);
    const startedAt = process.hrtime.bigint();
    link.publish(next);
    nanoseconds.push(Number(process.hrtime.bigint() - startedAt));
    if (index % perTurn === perTurn - 1) await wait(1);
  }
  delay.disable();
  // The first tenth warms the compiler up.
  const sorted = nanoseconds.slice(count / 10).sort((a, b) => a - b);
  const { published, dropped } = link.stats();
  console.log(
    `${title}: publish p50 ${percentile(sorted, 0.5)} us, p99 ${percentile(sorted, 0.99)} us, p99.9 ${percentile(sorted, 0.999)} us, max ${percentile(sorted, 1)} us;`,
    `event-loop turn p99 ${(delay.percentile(99) / 1e6).toFixed(2)} ms; published ${published}, shed ${dropped.overflow}`,
  );
}

const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);

async function boundedMemory(title: string, url: string): Promise<void> {
  const link = open(url);
  await wait(100);
  const collect = (): NodeJS.MemoryUsage => {
    globalThis.gc?.();
    return process.memoryUsage();
  };
  const before = collect();
  let rssMax = before.rss;
  for (let index = 0; index < 200_000; index += 1) {
    link.publish(message(index));
    if (index % 1000 === 999) {
      rssMax = Math.max(rssMax, process.memoryUsage().rss);
      await wait(1);
    }
  }
  const later = collect();
  const { queuedItems, queuedBytes, offered, dropped } = link.stats();
  console.log(
    `${title}: 200 000 publishes, heap +${megabytes(later.heapUsed - before.heapUsed)} MB after gc, peak RSS +${megabytes(rssMax - before.rss)} MB;`,
    `offered ${offered}, queued ${queuedItems} in ${megabytes(queuedBytes)} MB, shed ${dropped.overflow}, superseded ${dropped.superseded}`,
  );
  await link.close(durationFromMs(100));
}

const broker = await startEmbeddedBroker({ host: '127.0.0.1' });
const connected = open(broker.url);
while (connected.state.kind !== 'connected') await wait(5);
await time('connected, 1 a turn', connected, 5_000, 1);
await time('connected, 4 a turn', connected, 20_000, 4);
await time('connected, bursts of 1000', connected, 50_000, 1000);
await connected.close(durationFromMs(1000));
await broker.close();

const down = open('mqtt://127.0.0.1:9');
await wait(50);
await time('broker down, 4 a turn', down, 20_000, 4);
await time('broker down, bursts of 1000', down, 50_000, 1000);
await down.close(durationFromMs(10));

await boundedMemory('broker down', 'mqtt://127.0.0.1:9');
const silent = createServer((socket) => socket.on('error', () => undefined).resume());
await new Promise<void>((resolve) => {
  silent.listen(0, '127.0.0.1', resolve);
});
const address = silent.address();
await boundedMemory('broker silent', `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 9}`);
silent.close();
