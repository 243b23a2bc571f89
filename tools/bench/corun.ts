/**
 * NanoDet at 8 frames a second and Silero VAD every 32 ms beside a language model that writes without pause, on the same two CPUs:
 *
 *   npx tsx tools/bench/corun.ts [--seconds 5] [--rounds 3] [--way NAME ..] [--model FOLDER:VARIANT] [--prompt 256] [--tokens 64] [--json]
 *
 * All ways are up at once and take turns, so many rounds: so many seconds of vision and VAD alone, the same beside the language model. What is compared with alone is compared with
 * alone in the same way. Latency is from the instant when the input is there to the result. Ways, the first three by default:
 *
 *   coxswain          NanoDet and VAD on cores with real-time priority, a CPU each; the language model on an idle core on VAD's CPU (see docs/decoding.md, which core for whom)
 *   fixed-priority    two cores: NanoDet on one, VAD and the language model on the other by fixed priorities, whole prompts and long bursts, nothing interrupted
 *   unmanaged         a process each, nothing pinned, the operating system's scheduler
 *   idle              as coxswain, without real-time priority: takes no permission
 *   two-cores         the cores of fixed-priority, by the default policy with chunks and short bursts: what a device that cannot be interrupted within a step has
 *   fixed-on-three    fixed priorities and whole prompts on the cores of coxswain
 *
 * Default model: the shape of SmolLM2-135M with random weights, int4 (tools/bench/language.ts makes it).
 */
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngineLoad, type Manner } from './corun-engine.ts';
import { emptyWindow, type Talk, VAD_MS, type Window } from './corun-load.ts';
import { createUnmanagedLoad } from './corun-unmanaged.ts';
import { quantile } from './quantile.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    way: { type: 'string', multiple: true, default: ['coxswain', 'fixed-priority', 'unmanaged'] },
    model: { type: 'string', default: '.cache/models/smollm2-135m-random:q4' },
    prompt: { type: 'string', default: '256' },
    tokens: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const USAGE =
  'npx tsx tools/bench/corun.ts [--seconds 5] [--rounds 3] [--way NAME ..] [--model FOLDER:VARIANT] [--prompt 256] [--tokens 64] [--json]';
const seconds = Number(values.seconds);
const [folder = '', variant = 'q4'] = values.model.split(':');
const talk: Talk = { folder, variant, promptTokens: Number(values.prompt), answerTokens: Number(values.tokens) };

/** Costs of the language model before anything is learnt; of a fast machine, or nothing would be tried beside VAD on one core. */
const guess = { tokensPerSecond: 100, promptPerSecond: 500 };
/** The longest chunk that surely ends between two windows of sound: a chunk rarely takes longer than one and a half times its mean. */
const gapTokens = [16, 8, 4, 2].find((count) => (1.5 * count * 1000) / guess.promptPerSecond < VAD_MS - 2) ?? 1;
const sliced = { plan: { preemption: { kind: 'between-steps' } }, guess } as const;
const whole = { chunkTokens: 512, burstTokens: 64, plan: { policy: 'fixed-priority' }, guess } as const;
const twoCores = {
  cores: [
    { id: 0, cpu: 0 },
    { id: 1, cpu: 1 },
  ],
  on: { camera: 0, vad: 1, talk: 1 },
};
const idleCore = { id: 2, cpu: 1, isIdle: true };
const on = { camera: 0, vad: 1, talk: 2 };
const threeCores = {
  cores: [{ id: 0, cpu: 0, realtime: 10 }, { id: 1, cpu: 1, realtime: 20 }, idleCore],
  on,
};

const MANNERS: Readonly<Record<string, Manner>> = {
  coxswain: { ...threeCores, ...sliced, chunkTokens: 64, burstTokens: 8 },
  'fixed-priority': { ...twoCores, ...whole },
  idle: { cores: [{ id: 0, cpu: 0 }, { id: 1, cpu: 1 }, idleCore], on, ...sliced, chunkTokens: 64, burstTokens: 8 },
  'two-cores': { ...twoCores, ...sliced, chunkTokens: gapTokens, burstTokens: 4 },
  'fixed-on-three': { ...threeCores, ...whole },
};

type Load = Awaited<ReturnType<typeof createEngineLoad>>;

async function createLoad(name: string): Promise<Load> {
  const manner = MANNERS[name];
  return manner === undefined ? await createUnmanagedLoad(talk) : await createEngineLoad(manner, talk);
}

interface Measured {
  readonly alone: Window;
  readonly beside: Window;
}

const TALK_ALONE_SECONDS = 2;

async function measure(names: readonly string[]) {
  const loads = new Map<string, Load>();
  for (const name of names) loads.set(name, await createLoad(name));
  // The first seconds teach costs; they are not counted.
  for (const load of loads.values()) await load.measure(emptyWindow(), { vision: true, talk: true }, 2);
  const measured = new Map<string, Measured>(names.map((name) => [name, { alone: emptyWindow(), beside: emptyWindow() }]));
  const talkAlone = emptyWindow();
  const talker = loads.get('coxswain') ?? loads.get(names[0] ?? '');
  for (let round = 0; round < Number(values.rounds); round += 1) {
    await talker?.measure(talkAlone, { vision: false, talk: true }, TALK_ALONE_SECONDS);
    for (const [name, load] of loads) {
      const { alone, beside } = measured.get(name) as Measured;
      await load.measure(alone, { vision: true, talk: false }, seconds);
      await load.measure(beside, { vision: true, talk: true }, seconds);
    }
  }
  for (const load of loads.values()) await load.close();
  return { measured, talkAlone };
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));
const tokenRate = ({ written, writtenMs }: Window): number => (1000 * written) / writtenMs;
const promptRate = ({ read, readMs }: Window): number => (1000 * read) / readMs;

function rowOf({ alone, beside }: Measured, talkAlone: Window) {
  const p99 = (of: (window: Window) => readonly number[]) => ({
    alone: quantile(of(alone), 0.99),
    beside: quantile(of(beside), 0.99),
  });
  const cameraP99 = p99(({ cameraMs }) => cameraMs);
  const vadP99 = p99(({ vadMs }) => vadMs);
  return {
    'camera p50': round(quantile(beside.cameraMs, 0.5), 1),
    p99: round(cameraP99.beside, 1),
    'p99 alone': round(cameraP99.alone, 1),
    ratio: round(cameraP99.beside / cameraP99.alone, 2),
    'VAD p50': round(quantile(beside.vadMs, 0.5), 2),
    'p50 alone': round(quantile(alone.vadMs, 0.5), 2),
    'p99 ': round(vadP99.beside, 2),
    'p99 alone ': round(vadP99.alone, 2),
    'ratio ': round(vadP99.beside / vadP99.alone, 2),
    'late, of both': `${beside.misses} of ${beside.cameraMs.length + beside.vadMs.length}`,
    'tokens/s': round(tokenRate(beside), 1),
    'of alone': round(tokenRate(beside) / tokenRate(talkAlone), 2),
    'prompt/s': round(promptRate(beside), 0),
    'of alone ': round(promptRate(beside) / promptRate(talkAlone), 2),
  };
}

const unknown = values.way.find((name) => name !== 'unmanaged' && MANNERS[name] === undefined);
if (values.help || unknown !== undefined) {
  console.log(USAGE);
  process.exit(unknown === undefined ? 0 : 2);
}
const { measured, talkAlone } = await measure(values.way);
const rows = Object.fromEntries([...measured].map(([name, each]) => [name, rowOf(each, talkAlone)]));
if (values.json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const load = `prompts of ${talk.promptTokens}, answers of ${talk.answerTokens}, ${values.rounds} x ${seconds} s each; times in ms`;
  console.log(
    `${basename(resolve(folder))} ${variant}, alone ${round(tokenRate(talkAlone), 1)} tokens/s and prompts at ${round(promptRate(talkAlone), 0)}/s; ${load}`,
  );
  console.table(rows);
}
