/**
 * What the runtime costs beside a bare loop of onnxruntime-node: `npx tsx tools/bench/overhead.ts [--rounds 6] [--seconds 3] [--json]`.
 *
 * Throughput: a bare loop in a child process and the engine on one core (scheduler, dispatcher, ledger, finite check and all) take turns on the same model and
 * input, both at niceness 0, in one run. Latency: both cores saturated at niceness 19; from submit to start and from end to told, and how late the event loop of
 * this process comes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ModelSpec } from '../../src/core/model.ts';
import { createSaturatedEngine, sampleModel } from './saturated-engine.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npx tsx tools/bench/overhead.ts [--rounds 6] [--seconds 3] [--json]');
  process.exit(0);
}
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

const median = (numbers: readonly number[]): number => quantile(numbers, 0.5);
function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

interface BareLoop {
  slice(seconds: number): Promise<{ readonly runs: number; readonly seconds: number }>;
  close(): void;
}

async function createBareLoop(model: ModelSpec): Promise<BareLoop> {
  const entry = fileURLToPath(new URL('./bare-loop.ts', import.meta.url));
  const description = JSON.stringify({ file: model.file, inputs: model.inputs.map(({ name, shape }) => ({ name, shape })) });
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', entry, description], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env,
  });
  const answer = <T>(): Promise<T> => new Promise((resolve) => child.once('message', (message) => resolve(message as T)));
  await answer();
  return {
    slice(span) {
      child.send({ seconds: span });
      return answer();
    },
    close: () => child.disconnect(),
  };
}

async function compareThroughput(id: string) {
  const model = sampleModel(id);
  const bare = await createBareLoop(model);
  const ours = await createSaturatedEngine({ model, cores: [0], niceness: 0, isPinned: false });
  await bare.slice(1);
  await ours.slice(1);
  const pairs: { readonly bare: number; readonly ours: number }[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rate = async (loop: { slice: BareLoop['slice'] }): Promise<number> => {
      const { runs, seconds: took } = await loop.slice(seconds);
      return runs / took;
    };
    // Who goes first changes every round, so that a machine that slows down or warms up favours neither.
    const first = round % 2 === 0 ? { bare: await rate(bare), ours: await rate(ours) } : undefined;
    pairs.push(first ?? { ours: await rate(ours), bare: await rate(bare) });
  }
  bare.close();
  await ours.close();
  return {
    model: id,
    barePerSecond: median(pairs.map((pair) => pair.bare)),
    oursPerSecond: median(pairs.map((pair) => pair.ours)),
    ratio: median(pairs.map((pair) => pair.ours / pair.bare)),
    ratioMin: Math.min(...pairs.map((pair) => pair.ours / pair.bare)),
    ratioMax: Math.max(...pairs.map((pair) => pair.ours / pair.bare)),
  };
}

async function measureLatency(id: string, isPinned: boolean) {
  const toStartUs: number[] = [];
  const toToldUs: number[] = [];
  const ours = await createSaturatedEngine({
    model: sampleModel(id),
    cores: [0, 1],
    niceness: 19,
    isPinned,
    onSegment({ submittedAt, startedAt, endedAt, toldAt }) {
      toStartUs.push(startedAt - submittedAt);
      toToldUs.push(toldAt - endedAt);
    },
  });
  await ours.slice(2);
  toStartUs.length = 0;
  toToldUs.length = 0;
  const loop = monitorEventLoopDelay({ resolution: 2 });
  loop.enable();
  await ours.slice(rounds * seconds);
  loop.disable();
  const health = ours.engine.device.cores.map((core) => ours.engine.device.health(core));
  await ours.close();
  const both = toStartUs.map((us, index) => us + (toToldUs[index] ?? 0));
  const row = (numbers: readonly number[]) => ({ p50: quantile(numbers, 0.5), p99: quantile(numbers, 0.99), max: Math.max(...numbers) });
  // The monitor measures whole ticks of its 2 ms timer; what exceeds them is delay.
  const delayMs = (ns: number): number => Math.max(0, ns / 1e6 - 2);
  return {
    model: id,
    isPinned,
    segments: both.length,
    submitToStartUs: row(toStartUs),
    endToToldUs: row(toToldUs),
    bothUs: row(both),
    eventLoopDelayMs: { p50: delayMs(loop.percentile(50)), p99: delayMs(loop.percentile(99)), max: delayMs(loop.max) },
    corePssBytes: health.map(({ pssBytes }) => pssBytes ?? null),
  };
}

const result = {
  throughput: [await compareThroughput('nanodet'), await compareThroughput('blazeface')],
  latency: [
    await measureLatency('nanodet', true),
    await measureLatency('nanodet', false),
    await measureLatency('blazeface', true),
    await measureLatency('blazeface', false),
  ],
};
if (values.json) console.log(JSON.stringify(result, null, 2));
else {
  console.table(result.throughput);
  for (const { model, isPinned, segments, submitToStartUs, endToToldUs, bothUs, eventLoopDelayMs } of result.latency) {
    console.log(`${model}, both cores busy${isPinned ? ', each on its own CPU' : ''}, ${segments} segments:`);
    console.table({
      'submit to start, us': submitToStartUs,
      'end to told, us': endToToldUs,
      'both, us': bothUs,
      'event loop late, ms': eventLoopDelayMs,
    });
  }
}
process.exit(0);
