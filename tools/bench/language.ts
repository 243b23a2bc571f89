/**
 * What a turn costs on a core process beside the loops that others use, on the same files, in one run, taking turns at going first:
 *
 *   npx tsx tools/bench/language.ts [--model FOLDER:VARIANT ..] [--prompts 128,512] [--tokens 64] [--rounds 5] [--chunk 128] [--burst 8] [--transformers DIR] [--json]
 *
 * `ours` is a core process as `coxswain run` uses it, its segments handed over one by one: chunks of the prompt, then bursts, every token told to this process. `bare` is a decode
 * loop on onnxruntime-node in a process of its own, which reads the prompt at once. `transformers` is @huggingface/transformers where `--transformers` names a folder whose
 * node_modules has it; without it the command that makes such a folder is printed. All on one thread. Times are those at which tokens are there. Where ours ends an answer sooner, the
 * others' tokens beyond that are not counted.
 *
 * When its turn comes, each speaks three times, of another text each: one token, its process having slept while the others spoke (`cold`); the whole answer, which is what tokens and
 * prompts are compared by; and one token again, which is timed from the question in this process to the answer in it (`asked`). The clock of the other two runs in their own processes
 * otherwise, from when they were woken and had read the question; that of ours runs here always. Default models: the shape of SmolLM2-135M with random weights (made when it is missing), and the shipped model.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Turn } from '../../src/core/job.ts';
import type { ModelSpec } from '../../src/core/model.ts';
import type { SegmentEnd } from '../../src/core/segment.ts';
import { createSystemClock } from '../../src/core/system-clock.ts';
import { addUs, durationUs } from '../../src/core/units.ts';
import { createOrtDevice } from '../../src/devices/ort/ort-device.ts';
import type { DecoderConfig } from '../../src/models/language/decoder-config.ts';
import { decoderSpec } from '../../src/models/language/decoder-spec.ts';
import { createSharedMemory } from '../../src/native/shared-memory.ts';
import { DECODER_SHAPES } from '../decoder/decoder-shapes.ts';
import { writeDecoder } from '../decoder/write-decoder.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string', multiple: true },
    prompts: { type: 'string', default: '128,512' },
    tokens: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '5' },
    chunk: { type: 'string', default: '128' },
    burst: { type: 'string', default: '8' },
    transformers: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npx tsx tools/bench/language.ts [--model FOLDER:VARIANT ..] [--prompts 128,512] [--tokens 64] [--rounds 5] [--chunk 128] [--burst 8] [--transformers DIR] [--json]',
  );
  process.exit(0);
}
const tokens = Number(values.tokens);
const rounds = Number(values.rounds);
const chunkTokens = Number(values.chunk);
const burstTokens = Number(values.burst);
/** The library of the comparison is none of ours, so whoever wants it puts it elsewhere. Its scripts would only fetch GPU libraries. */
const TRANSFORMERS = '@huggingface/transformers@4.3.1';
const INSTALL = `npm install --prefix .cache/transformers --ignore-scripts --no-audit --no-fund ${TRANSFORMERS}`;
const packages = values.transformers;
if (packages !== undefined && !existsSync(`${packages}/node_modules/@huggingface/transformers/package.json`)) {
  console.error(
    `${packages} has no node_modules/@huggingface/transformers. To get it: ${INSTALL}; then --transformers .cache/transformers`,
  );
  process.exit(2);
}

interface Spoken {
  readonly ids: readonly number[];
  /** From the call until the first token was there, by the clock of who speaks. */
  readonly firstMs: number;
  /** From the question until the whole answer was there, by the clock of this process. */
  readonly heardMs: number;
  /** From each token to the next. */
  readonly gapsMs: readonly number[];
}

interface Speaker {
  readonly name: string;
  speak(prompt: readonly number[], tokensMax: number): Promise<Spoken>;
  close(): Promise<void>;
}

/** A process that answers `{prompt, tokens}` with what it spoke. */
async function createChild(name: string, file: string, description: unknown): Promise<Speaker> {
  const entry = fileURLToPath(new URL(file, import.meta.url));
  const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', entry, JSON.stringify(description)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env,
  });
  let settle: { readonly take: (message: unknown) => void; readonly give: (error: Error) => void } | undefined;
  child.on('message', (message) => settle?.take(message));
  child.once('exit', (code) => settle?.give(new Error(`${name} ended with ${code}`)));
  const answer = <T>(): Promise<T> =>
    new Promise((take, give) => {
      settle = { take: (message) => take(message as T), give };
    });
  await answer();
  return {
    name,
    async speak(prompt, tokensMax) {
      const askedAt = performance.now();
      child.send({ prompt, tokens: tokensMax });
      const spoken = await answer<Omit<Spoken, 'heardMs'>>();
      return { ...spoken, heardMs: performance.now() - askedAt };
    },
    close: async () => child.disconnect(),
  };
}

const clock = createSystemClock();

/** A core process, asked as the dispatcher asks it. */
async function createOurs(spec: ModelSpec): Promise<Speaker> {
  const arena = createSharedMemory(1024 * 1024);
  const words = new Int32Array(arena.buffer);
  const device = createOrtDevice(
    {
      cores: [{ id: 0 }],
      arena: { fd: arena.fd, byteLength: arena.buffer.byteLength },
      threadsPerCore: 1,
      startTimeoutUs: durationUs(60_000_000),
      loadTimeoutUs: durationUs(120_000_000),
      optimizedDir: undefined,
    },
    { clock, listener: { coreLost: (loss) => console.error(loss.message) } },
  );
  const failed = (error: Error | undefined): void => {
    if (error !== undefined) throw error;
  };
  failed(await new Promise((resolveStart) => device.start(0, resolveStart)));
  failed(await new Promise((resolveLoad) => device.load(0, spec, resolveLoad)));
  let jobs = 0;
  return {
    name: 'ours',
    async speak(prompt, tokensMax) {
      const askedAt = performance.now();
      jobs += 1;
      words.set(prompt);
      const turn: Turn = { promptTokens: prompt.length, tokensMax };
      const chunks = Math.ceil(prompt.length / chunkTokens);
      const ids: number[] = [];
      const gapsMs: number[] = [];
      let firstMs = 0;
      let at = askedAt;
      const onTokens = (made: readonly { readonly id: number }[]): void => {
        const now = performance.now();
        // Those told together came evenly, as far as a listener can tell.
        for (const { id } of made) {
          if (ids.length === 0) firstMs = now - at;
          else gapsMs.push((now - at) / made.length);
          ids.push(id);
        }
        at = now;
      };
      const task = {
        ...{ conversation: `turn ${jobs}`, text: { offsetBytes: 0, byteLength: 4 * prompt.length }, stopIds: [], sharedTokens: 0 },
        ...({ overflow: 'refuse', pinned: [], onTokens, onStart: () => undefined, onSummary: () => undefined } as const),
      };
      for (let from = 0, isLast = false; !isLast; ) {
        const steps = from < chunks ? 1 : burstTokens;
        const segment = { job: jobs, from, steps, model: spec.id, inputs: [], outputs: [], turn, task };
        const killAt = addUs(clock.now(), durationUs(120_000_000));
        const end = await new Promise<SegmentEnd>((resolveRun) => device.run(0, { ...segment, killAt }, resolveRun));
        if (end.kind === 'failed') throw new Error(end.message);
        from += end.progress?.steps ?? steps;
        isLast = end.progress?.isLast ?? true;
      }
      return { ids, firstMs, gapsMs, heardMs: performance.now() - askedAt };
    },
    async close() {
      await device.dispose();
      arena.close();
    },
  };
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, value) => sum + value, 0) / Math.max(1, numbers.length);
function quantile(numbers: readonly number[], q: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
const rate = ({ gapsMs }: Spoken): number => 1000 / mean(gapsMs);

/** Texts that end soon say little about tokens, so others are tried in their place. */
const TEXTS_PER_ROUND_MAX = 5;

/** Another text each round, so that nothing is cached of it; the same for all speakers. */
const promptOf = (length: number, round: number, { vocabulary }: DecoderConfig): number[] =>
  Array.from({ length }, (_, index) => 3 + ((index * 7919 + 104_729 * (round + 1)) % (vocabulary - 3)));

interface Slot extends Spoken {
  readonly cold: Spoken;
  readonly asked: Spoken;
}

async function speakInTurn({ speak }: Speaker, promptTokens: number, text: number, config: DecoderConfig): Promise<Slot> {
  const prompts = [0, 1, 2].map((part) => promptOf(promptTokens, 3 * text + part, config));
  const cold = await speak(prompts[0] ?? [], 1);
  const whole = await speak(prompts[1] ?? [], tokens);
  return { ...whole, cold, asked: await speak(prompts[2] ?? [], 1) };
}

async function measure(speakers: readonly Speaker[], config: DecoderConfig, promptTokens: number) {
  const spoken = new Map<string, Slot[]>(speakers.map(({ name }) => [name, []]));
  for (const speaker of speakers) await speaker.speak(promptOf(promptTokens, -1, config), tokens);
  let same = 0;
  let texts = 0;
  for (let round = 0; round < rounds && texts < TEXTS_PER_ROUND_MAX * rounds; texts += 1) {
    const order = speakers.map((_, index) => speakers[(index + round) % speakers.length] as Speaker);
    const answers = new Map<string, Slot>();
    for (const speaker of order) answers.set(speaker.name, await speakInTurn(speaker, promptTokens, texts, config));
    // Ours ends where the model ends its answer, the others go on: what is compared is what all of them wrote.
    const count = Math.min(...[...answers.values()].map(({ ids }) => ids.length));
    if (count < tokens / 2) continue;
    for (const [name, slot] of answers)
      spoken.get(name)?.push({ ...slot, ids: slot.ids.slice(0, count), gapsMs: slot.gapsMs.slice(0, count - 1) });
    if (new Set([...spoken.values()].map((turns) => turns[round]?.ids.join())).size === 1) same += 1;
    round += 1;
  }
  const ours = spoken.get('ours') ?? [];
  return speakers.map(({ name }) => {
    const turns = spoken.get(name) ?? [];
    const gaps = turns.flatMap(({ gapsMs }) => gapsMs);
    const firsts = turns.map(({ firstMs }) => firstMs);
    const ratios = (of: (turn: Slot) => number): number =>
      quantile(
        ours.map((turn, round) => of(turn) / of(turns[round] as Slot)),
        0.5,
      );
    return {
      name,
      tokensPerSecond: quantile(turns.map(rate), 0.5),
      promptPerSecond: (1000 * promptTokens) / quantile(firsts, 0.5),
      ttftMs: { mean: mean(firsts), p99: quantile(firsts, 0.99) },
      tpotMs: { mean: mean(gaps), p99: quantile(gaps, 0.99) },
      /** One token after a pause, and one from question to answer. */
      coldMs: mean(turns.map(({ cold }) => cold.firstMs)),
      askedMs: mean(turns.map(({ asked }) => asked.heardMs)),
      /** Ours against this one, medians of the rounds: above 1 ours is faster. */
      oursFaster: {
        tokens: ratios(rate),
        prompt: ratios(({ firstMs }) => 1 / firstMs),
        cold: ratios(({ cold }) => 1 / cold.firstMs),
        asked: ratios(({ asked }) => 1 / asked.heardMs),
      },
      sameTexts: `${same}/${rounds}`,
    };
  });
}

async function measureModel(folder: string, variant: string) {
  const { spec, facts } = decoderSpec({ id: 'decoder', folder, variant, chunkTokens, cacheBytesMax: 2 ** 31, textsMax: 4 });
  const { config } = facts;
  const { layers, kvHeads, headSize, vocabulary } = config;
  const speakers = [
    await createOurs(spec),
    await createChild('bare', './bare-decode.ts', { file: spec.file, layers, kvHeads, headSize, vocabulary }),
  ];
  if (packages !== undefined) {
    const path = resolve(folder);
    const description = { packages: resolve(packages), name: basename(path), root: dirname(path), dtype: variant };
    speakers.push(await createChild('transformers', './transformers-decode.ts', description));
  }
  const rows = [];
  for (const promptTokens of values.prompts.split(',').map(Number)) {
    if (promptTokens + tokens > config.contextTokens) continue;
    rows.push({ model: `${basename(resolve(folder))} ${variant}`, promptTokens, speakers: await measure(speakers, config, promptTokens) });
  }
  for (const speaker of speakers) await speaker.close();
  return rows;
}

/** The shape of SmolLM2-135M; its weights are random, so it is good for times alone. */
function defaultModels(): string[] {
  const folder = '.cache/models/smollm2-135m-random';
  if (!existsSync(`${folder}/onnx/model_q4.onnx`) || !existsSync(`${folder}/onnx/model.onnx`)) {
    const config = JSON.stringify(DECODER_SHAPES['smollm2-135m']);
    writeDecoder({ config, weights: 1, types: ['fp32', 'int4'], layout: 'fused', keepsLogits: false, out: folder });
  }
  const shipped = existsSync('models/cockpit-lm/config.json') ? ['models/cockpit-lm:fp32', 'models/cockpit-lm:q4'] : [];
  return [...shipped, `${folder}:q4`, `${folder}:fp32`];
}

const results = [];
for (const name of values.model ?? defaultModels()) {
  const [folder = '', variant = 'fp32'] = name.split(':');
  const rows = await measureModel(folder, variant);
  results.push(...rows);
  if (values.json) continue;
  for (const { model, promptTokens, speakers } of rows) {
    console.log(
      `\n${model}, prompt ${promptTokens}, answer ${tokens}, chunks of ${chunkTokens}, bursts of ${burstTokens}; same text in ${speakers[0]?.sameTexts} rounds`,
    );
    console.table(
      Object.fromEntries(
        speakers.map(({ name: speaker, tokensPerSecond, promptPerSecond, ttftMs, coldMs, askedMs, tpotMs, oursFaster }) => [
          speaker,
          {
            'tokens/s': Number(tokensPerSecond.toFixed(1)),
            'prompt/s': Number(promptPerSecond.toFixed(0)),
            'TTFT mean': Number(ttftMs.mean.toFixed(1)),
            'TTFT p99': Number(ttftMs.p99.toFixed(1)),
            cold: Number(coldMs.toFixed(1)),
            asked: Number(askedMs.toFixed(1)),
            'TPOT mean': Number(tpotMs.mean.toFixed(2)),
            'TPOT p99': Number(tpotMs.p99.toFixed(2)),
            'ours/this tokens': Number(oursFaster.tokens.toFixed(2)),
            prompt: Number(oursFaster.prompt.toFixed(2)),
            'prompt cold': Number(oursFaster.cold.toFixed(2)),
            'prompt asked': Number(oursFaster.asked.toFixed(2)),
          },
        ]),
      ),
    );
  }
}
if (values.json) console.log(JSON.stringify(results, undefined, 2));
else if (packages === undefined)
  console.log(`\nFor the comparison with ${TRANSFORMERS}: ${INSTALL}; then add --transformers .cache/transformers`);
