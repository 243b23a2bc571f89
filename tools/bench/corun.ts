/**
 * NanoDet at 8 frames a second and Silero VAD every 32 ms beside a language model that writes without pause, on the same two cores:
 *
 *   npx tsx tools/bench/corun.ts [--seconds 20] [--model FOLDER:VARIANT] [--prompt 256] [--tokens 64] [--json]
 *
 * `alone`: vision and VAD without the language model, and the language model without them. `coxswain`: the engine as it is, chunks and bursts, cores held for what is expected.
 * `fixed-priority`: the same engine by fixed priorities, whole prompts and long bursts, nothing interrupted. `unmanaged`: each its own process, the operating system's
 * scheduler. NanoDet has core 0, VAD and the language model share core 1. Latency is from the instant when the input is there to the result. Default model: the shape of
 * SmolLM2-135M with random weights, int4 (see tools/bench/language.ts, which makes it).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ModelSpec } from '../../src/core/model.ts';
import { tensorBytes } from '../../src/core/model.ts';
import type { Stream } from '../../src/core/stream.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationFromMs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { ConversationDesk } from '../../src/pipeline/conversation-desk.ts';
import { createEngine } from '../../src/runtime/engine.ts';
import { createTensorArena } from '../../src/runtime/frame-memory.ts';
import { PLAN_DEFAULTS, type SchedulerPlan } from '../../src/scheduler/scheduler.ts';
import { readHost } from '../../src/telemetry/host.ts';
import { createTelemetry } from '../../src/telemetry/telemetry.ts';
import { sampleModel } from './saturated-engine.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    model: { type: 'string', default: '.cache/models/smollm2-135m-random:q4' },
    prompt: { type: 'string', default: '256' },
    tokens: { type: 'string', default: '64' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log('npx tsx tools/bench/corun.ts [--seconds 20] [--model FOLDER:VARIANT] [--prompt 256] [--tokens 64] [--json]');
  process.exit(0);
}
const seconds = Number(values.seconds);
const promptTokens = Number(values.prompt);
const answerTokens = Number(values.tokens);
const [folder = '', variant = 'q4'] = values.model.split(':');

const CAMERA_MS = 125;
const VAD_MS = 32;
/** A chunk rarely takes longer than so many times its mean. */
const CHUNK_MARGIN = 1.5;
const clock = createSystemClock();
const camera = sampleModel('nanodet');
const vad = sampleModel('silero-vad');

interface Figures {
  readonly cameraMs: readonly number[];
  readonly vadMs: readonly number[];
  /** Of both, those that were not done in time. */
  readonly misses: number;
  readonly tokensPerSecond: number;
  readonly promptPerSecond: number;
}

interface Manner {
  readonly hasVision: boolean;
  readonly hasTalk: boolean;
  readonly chunkTokens: number;
  readonly burstTokens: number;
  readonly plan: Partial<SchedulerPlan>;
  readonly guess: Pick<Figures, 'tokensPerSecond' | 'promptPerSecond'>;
}

const streamOf = (id: string, model: string, criticality: Stream['criticality'], periodMs: number, isStateful: boolean): Stream => ({
  ...{ id, model, criticality, periodUs: durationFromMs(periodMs), deadlineUs: durationFromMs(periodMs === 0 ? 60_000 : periodMs) },
  ...{ freshness: { kind: 'queue', jobsMax: 4 }, isStateful },
});

async function runEngine(manner: Manner): Promise<Figures> {
  const { chunkTokens, burstTokens } = manner;
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant, chunkTokens, cacheBytesMax: 2 ** 30, textsMax: 4 });
  const streams = [
    streamOf('camera', camera.id, 'safety', CAMERA_MS, false),
    streamOf('vad', vad.id, 'safety', VAD_MS, true),
    streamOf('talk', spec.id, 'background', 0, false),
  ];
  const memory = createTensorArena(64 * 1024 * 1024);
  const telemetry = createTelemetry(
    { streams, cores: [0, 1], sources: [], config: { node: 'bench', file: 'bench', sha256: '0'.repeat(64) } },
    { clock, host: readHost(), mqtt: () => ({ state: 'off', url: null, published: 0, dropped: {} }) },
  );
  // What is thought to take longer than a gap is never tried, so never learnt: the first guess has to be near.
  const chunkUs = durationUs(Math.ceil((1e6 * chunkTokens) / manner.guess.promptPerSecond));
  const steps = { kind: 'tokens', chunkTokens, chunkUs, burstTokens, switchUs: durationUs(0) } as const;
  const engine = createEngine(
    {
      plan: {
        ...PLAN_DEFAULTS,
        cores: [0, 1],
        streams,
        // Nobody hangs here, and whole prompts take their time.
        timeouts: { floorUs: durationFromMs(10_000), factor: 4, ceilingUs: durationFromMs(30_000) },
        models: [
          { model: camera.id, cores: [0], costUs: camera.costUs },
          { model: vad.id, cores: [1], costUs: vad.costUs },
          { model: spec.id, cores: [1], costUs: durationUs(Math.ceil(1e6 / manner.guess.tokensPerSecond)), steps },
        ],
        ...manner.plan,
      },
      models: new Map([camera, vad, spec].map((model) => [model.id, model])),
      cores: [
        { core: 0, models: [camera] },
        { core: 1, models: [vad, spec] },
      ],
      restart: { lossesMax: 3, withinUs: durationFromMs(60_000), backoffUs: durationFromMs(100), probeAfterUs: durationFromMs(10_000) },
    },
    {
      clock,
      arena: memory.arena,
      clear: (region) => memory.bytes(region).fill(0),
      telemetry,
      createDevice: (listener) =>
        createOrtDevice(
          {
            cores: [0, 1].map((id) => ({ id, cpu: id })),
            arena: { fd: memory.shared.fd, byteLength: memory.shared.buffer.byteLength },
            ...{
              threadsPerCore: 1,
              startTimeoutUs: durationFromMs(60_000),
              loadTimeoutUs: durationFromMs(120_000),
              optimizedDir: undefined,
            },
          },
          { clock, listener },
        ),
    },
  );
  await engine.start();
  const desk = new ConversationDesk(
    { stream: streams[2] as Stream, contextTokens: facts.config.contextTokens, vocabulary: facts.config.vocabulary, textsMax: 4 },
    {
      clock,
      desk: engine.desk,
      memory: {
        allocate: (bytes) => memory.allocate(bytes),
        release: (region) => memory.release(region),
        write: ({ offsetBytes }, ids) => new Int32Array(memory.shared.buffer, offsetBytes, ids.length).set(ids),
      },
    },
  );

  let isOver = false;
  let misses = 0;
  const tokens = { written: 0, writtenMs: 0, read: 0, readMs: 0, turns: 0 };
  const talk = async (): Promise<void> => {
    while (!isOver) {
      tokens.turns += 1;
      const prompt = Array.from(
        { length: promptTokens },
        (_, index) => 3 + ((index * 7919 + 104_729 * tokens.turns) % (facts.config.vocabulary - 3)),
      );
      let at = performance.now();
      let isFirst = true;
      await new Promise<void>((resolve) => {
        desk.speak(
          { conversation: `turn ${tokens.turns}`, tokens: prompt, tokensMax: answerTokens },
          {
            onTokens(made) {
              const now = performance.now();
              if (isFirst) {
                tokens.read += promptTokens;
                tokens.readMs += now - at;
              } else {
                tokens.written += made.length;
                tokens.writtenMs += now - at;
              }
              isFirst = false;
              at = now;
            },
            onEnd: (outcome) => {
              if (outcome.kind !== 'done' && outcome.kind !== 'late') console.error(`a turn ended as ${JSON.stringify(outcome)}`);
              resolve();
            },
          },
        );
      });
    }
  };
  const watch = (model: ModelSpec, stream: string, periodMs: number): Promise<number[]> => {
    const latenciesMs: number[] = [];
    const inputs = model.inputs.map((input) => memory.allocate(tensorBytes(input)) ?? { offsetBytes: 0, byteLength: 0 });
    for (const region of inputs) new Float32Array(memory.shared.buffer, region.offsetBytes, region.byteLength / 4).fill(0.25);
    const startsAt = clock.now() + 100_000;
    return new Promise((resolve) => {
      let ended = 0;
      const total = Math.floor((seconds * 1000) / periodMs);
      const frame = (count: number): void => {
        const capturedAt = addUs(clock.now(), durationUs(0));
        const id = engine.desk.open(stream, capturedAt);
        engine.desk.submit({
          job: { id, stream, model: model.id, capturedAt, deadlineAt: addUs(capturedAt, durationFromMs(periodMs)) },
          inputs,
          decode: (_outputs, onEnd) => onEnd([]),
          settle(outcome) {
            if (outcome.kind === 'done' || outcome.kind === 'late') latenciesMs.push((clock.now() - capturedAt) / 1000);
            if (outcome.kind !== 'done') misses += 1;
            ended += 1;
            if (ended === total) resolve(latenciesMs);
          },
        });
        if (count + 1 < total)
          setTimeout(() => frame(count + 1), Math.max(0, (startsAt + (count + 1) * periodMs * 1000 - clock.now()) / 1000));
      };
      setTimeout(() => frame(0), 100);
    });
  };

  const talking = manner.hasTalk ? talk() : Promise.resolve();
  // The first seconds teach costs; they are not counted.
  if (manner.hasVision) await Promise.all([watch(camera, 'camera', CAMERA_MS), watch(vad, 'vad', VAD_MS)].map((frames) => frames));
  else await new Promise((resolve) => setTimeout(resolve, 3000));
  misses = 0;
  Object.assign(tokens, { written: 0, writtenMs: 0, read: 0, readMs: 0 });
  const [cameraMs = [], vadMs = []] = manner.hasVision
    ? await Promise.all([watch(camera, 'camera', CAMERA_MS), watch(vad, 'vad', VAD_MS)])
    : [await new Promise<number[]>((resolve) => setTimeout(() => resolve([]), seconds * 1000)), []];
  isOver = true;
  const figures = {
    cameraMs,
    vadMs,
    misses,
    tokensPerSecond: tokens.writtenMs === 0 ? 0 : (1000 * tokens.written) / tokens.writtenMs,
    promptPerSecond: tokens.readMs === 0 ? 0 : (1000 * tokens.read) / tokens.readMs,
  };
  await talking;
  await engine.dispose();
  telemetry.stop();
  memory.close();
  return figures;
}

interface Child {
  ask<T>(message: unknown): Promise<T>;
  close(): void;
}

async function createChild(file: string, description: unknown): Promise<Child> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL(file, import.meta.url)), JSON.stringify(description)],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    },
  );
  const answer = <T>(): Promise<T> => new Promise((take) => child.once('message', (message) => take(message as T)));
  await answer();
  return {
    ask(message) {
      child.send(message as object);
      return answer();
    },
    close: () => child.disconnect(),
  };
}

async function runUnmanaged(): Promise<Figures> {
  const { spec, facts } = decoderSpec({ id: 'lm', folder, variant, chunkTokens: 128, cacheBytesMax: 0, textsMax: 1 });
  const { layers, kvHeads, headSize, vocabulary } = facts.config;
  const inputsOf = ({ inputs, states, constants }: ModelSpec) => [...inputs, ...states.map(({ input }) => input), ...constants];
  const [cameraChild, vadChild, talkChild] = await Promise.all([
    createChild('./bare-periodic.ts', { file: camera.file, periodMs: CAMERA_MS, inputs: inputsOf(camera) }),
    createChild('./bare-periodic.ts', { file: vad.file, periodMs: VAD_MS, inputs: inputsOf(vad) }),
    createChild('./bare-decode.ts', { file: spec.file, layers, kvHeads, headSize, vocabulary }),
  ]);
  let isOver = false;
  let turns = 0;
  const written: number[] = [];
  const read: number[] = [];
  const talk = async (): Promise<void> => {
    while (!isOver) {
      turns += 1;
      const prompt = Array.from({ length: promptTokens }, (_, index) => 3 + ((index * 7919 + 104_729 * turns) % (vocabulary - 3)));
      const { firstMs, gapsMs } = await talkChild.ask<{ readonly firstMs: number; readonly gapsMs: readonly number[] }>({
        prompt,
        tokens: answerTokens,
      });
      read.push(firstMs);
      written.push(...gapsMs);
    }
  };
  const talking = talk();
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const [cameraMs, vadMs] = await Promise.all(
    [cameraChild, vadChild].map(async (child) => (await child.ask<{ readonly latenciesMs: readonly number[] }>({ seconds })).latenciesMs),
  );
  isOver = true;
  await talking;
  for (const child of [cameraChild, vadChild, talkChild]) child.close();
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, value) => total + value, 0);
  const lateOf = (latenciesMs: readonly number[], periodMs: number): number => latenciesMs.filter((latency) => latency > periodMs).length;
  return {
    cameraMs: cameraMs ?? [],
    vadMs: vadMs ?? [],
    misses: lateOf(cameraMs ?? [], CAMERA_MS) + lateOf(vadMs ?? [], VAD_MS),
    tokensPerSecond: (1000 * written.length) / sum(written),
    promptPerSecond: (1000 * promptTokens * read.length) / sum(read),
  };
}

function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

const interruptible = { burstTokens: 4, plan: { preemption: { kind: 'between-steps' } } } as const;
const whole = { chunkTokens: 512, burstTokens: 64, plan: { policy: 'fixed-priority' } } as const;
const talkAlone = await runEngine({
  ...interruptible,
  chunkTokens: 8,
  hasVision: false,
  hasTalk: true,
  guess: { tokensPerSecond: 80, promptPerSecond: 400 },
});
/** The longest chunk that surely ends between two windows of sound, as the planner would have it: the core is then held for what is expected. */
const chunkTokens = [16, 8, 4, 2].find((count) => (count * 1000 * CHUNK_MARGIN) / talkAlone.promptPerSecond < VAD_MS - 2) ?? 1;
const managed = { ...interruptible, chunkTokens, guess: talkAlone };
const results: Record<string, Figures> = {
  'vision alone': await runEngine({ ...managed, hasVision: true, hasTalk: false }),
  'talk alone': talkAlone,
  coxswain: await runEngine({ ...managed, hasVision: true, hasTalk: true }),
  'fixed-priority': await runEngine({ ...whole, hasVision: true, hasTalk: true, guess: talkAlone }),
  unmanaged: await runUnmanaged(),
};
const alone = results['vision alone'];
const rows = Object.fromEntries(
  Object.entries(results).map(([name, { cameraMs, vadMs, misses, tokensPerSecond, promptPerSecond }]) => [
    name,
    {
      'camera p50 ms': Number(quantile(cameraMs, 0.5).toFixed(1)),
      'camera p99': Number(quantile(cameraMs, 0.99).toFixed(1)),
      'of alone': Number((quantile(cameraMs, 0.99) / quantile(alone?.cameraMs ?? [], 0.99)).toFixed(2)),
      'VAD p50 ms': Number(quantile(vadMs, 0.5).toFixed(2)),
      'VAD p99': Number(quantile(vadMs, 0.99).toFixed(2)),
      'of alone ': Number((quantile(vadMs, 0.99) / quantile(alone?.vadMs ?? [], 0.99)).toFixed(2)),
      misses,
      'tokens/s': Number(tokensPerSecond.toFixed(1)),
      'of alone  ': Number((tokensPerSecond / talkAlone.tokensPerSecond).toFixed(2)),
      'prompt/s': Number(promptPerSecond.toFixed(0)),
    },
  ]),
);
if (values.json) console.log(JSON.stringify(rows, undefined, 2));
else {
  console.log(
    `${basename(resolve(folder))} ${variant}, chunks of ${chunkTokens}, prompts of ${promptTokens}, answers of ${answerTokens}, ${seconds} s each`,
  );
  console.table(rows);
}
