import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Turn } from '../../../src/core/job.ts';
import type { ModelSpec } from '../../../src/core/model.ts';
import type { Segment, SegmentEnd } from '../../../src/core/segment.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import type { SpokenToken, TurnSummary, TurnTask } from '../../../src/core/turn-task.ts';
import { addUs, durationUs } from '../../../src/core/units.ts';
import { MAILBOX_BYTES } from '../../../src/devices/ort/mailbox.ts';
import { decoderSpec } from '../../../src/models/language/decoder-spec.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { randomWeights } from '../../../tools/decoder/decoder-weights.ts';
import { createOrtRig, type OrtRig, region } from '../../support/ort-rig.ts';
import { referenceLogits } from '../../support/reference-decoder.ts';
import { tinyDecoderConfig, writeTinyDecoder } from '../../support/tiny-decoder.ts';
import { writeTinyModels } from '../../support/tiny-onnx.ts';
import { byteLevelFiles } from '../../support/tokenizer-fixture.ts';

const CHUNK = 8;
const TEXT_BYTES = 4096;

const config = tinyDecoderConfig();
const weights = new Map<string, Float32Array>();
const read = (name: string, shape: readonly number[]): Float32Array => {
  const values = weights.get(name) ?? randomWeights(7, config).read(name, shape);
  weights.set(name, values);
  return values;
};

/** The greedy answer of the decoder in float64, up to what ends it. */
function golden(tokens: readonly number[], count: number): number[] {
  const text = [...tokens];
  while (text.length < tokens.length + count) {
    const last = referenceLogits(config, read, text).at(-1) ?? new Float64Array();
    const next = last.indexOf(Math.max(...last));
    if (next === 2) break;
    text.push(next);
  }
  return text.slice(tokens.length);
}

const prompt = (seed: number, length = 20): number[] => Array.from({ length }, (_, index) => 3 + ((index * (11 + seed) + 5 * seed) % 200));

interface Talk {
  readonly segment: Segment;
  readonly tokens: number[];
  readonly summaries: TurnSummary[];
  readonly ends: SegmentEnd[];
}

let rig: OrtRig;
let model: ModelSpec;
beforeEach(async () => {
  rig = createOrtRig({ cores: [{ id: 0 }, { id: 1 }] });
  const folder = writeTinyDecoder(join(rig.dir, 'tiny'));
  model = decoderSpec({ id: 'tiny', folder, variant: 'fp32', chunkTokens: CHUNK, cacheBytesMax: 2 ** 24, textsMax: 8 }).spec;
  await rig.start();
});
afterEach(() => rig.close());

const clock = createSystemClock();

/** The job's number says where its text lies. */
function talk(job: number, text: readonly number[], tokensMax: number, rest: Partial<TurnTask> & { readonly cached?: number } = {}): Talk {
  const tokens: number[] = [];
  const summaries: TurnSummary[] = [];
  const { cached = 0, ...task } = rest;
  new Int32Array(rig.arena, job * TEXT_BYTES, text.length).set(text);
  const turn: Turn = { promptTokens: text.length - cached, tokensMax };
  const segment: Segment = {
    ...{ job, from: 0, steps: Math.ceil(turn.promptTokens / CHUNK) + tokensMax - 1, model: 'tiny', inputs: [], outputs: [], turn },
    killAt: addUs(clock.now(), durationUs(20_000_000)),
    task: {
      ...{
        conversation: `c${job}`,
        text: region(job * TEXT_BYTES, 4 * text.length),
        stopIds: [],
        sharedTokens: 0,
        overflow: 'refuse',
        pinned: [],
      },
      onStart: () => undefined,
      onTokens: (made) => tokens.push(...made.map(({ id }) => id)),
      onSummary: (summary) => summaries.push(summary),
      ...task,
    },
  };
  return { segment, tokens, summaries, ends: [] };
}

function run({ segment, ends }: Talk, change: Partial<Segment> = {}, core = 0): Promise<SegmentEnd> {
  return new Promise((resolve) =>
    rig.device.run(core, { ...segment, ...change }, (end) => {
      ends.push(end);
      resolve(end);
    }),
  );
}

describe('a turn on a core', () => {
  it('is answered as the reference answers it, in one segment or in many, beside another model', async () => {
    const { count } = writeTinyModels(rig.dir);
    expect([await rig.load(model), await rig.load(count)]).toEqual([undefined, undefined]);
    const whole = talk(1, prompt(1), 6);
    expect(await run(whole)).toMatchObject({ kind: 'done', progress: { steps: 3 + 5, isLast: true } });
    const answer = golden(prompt(1), 6);
    expect(whole.tokens).toEqual(answer);
    const cache = { cacheBytes: expect.any(Number), texts: 1, evictions: 0 };
    expect(whole.summaries).toEqual([{ finish: 'length', cachedTokens: 0, promptTokens: 20, droppedTokens: 0, writtenTokens: 6, cache }]);
    const cut = talk(2, prompt(5), 6);
    for (const [from, steps] of [
      [0, 1],
      [1, 2],
      [3, 3],
      [6, 2],
    ] as const) {
      expect(await run(cut, { from, steps })).toMatchObject({ progress: { steps, isLast: from === 6 } });
      new BigInt64Array(rig.arena)[0] = 3n;
      expect((await rig.run('count', [region(0, 8)], [region(64, 4)])).kind).toBe('done');
    }
    expect(cut.tokens).toEqual(golden(prompt(5), 6));
  });

  it('tells its tokens before its end, and goes on from its cache in the next turn', async () => {
    await rig.load(model);
    const first = talk(1, prompt(2), 4);
    await run(first);
    const text = [...prompt(2), ...first.tokens, 50, 51];
    const second = talk(2, text, 4, { conversation: 'c1', cached: 23 });
    expect(await run(second)).toMatchObject({ progress: { steps: 4, isLast: true } });
    expect(second.tokens).toEqual(golden(text, 4));
    expect(second.summaries[0]).toMatchObject({ cachedTokens: 23, promptTokens: 3 });
  });

  it('interleaves four conversations without mixing them', async () => {
    await rig.load(model);
    const talks = [1, 2, 3, 4].map((job) => talk(job, prompt(job, 7 + job), 5));
    for (let from = 0; talks.some(({ summaries }) => summaries.length === 0); from += 1)
      for (const one of talks) if (one.summaries.length === 0) await run(one, { from, steps: 1 });
    expect(talks.map(({ tokens }) => tokens)).toEqual([1, 2, 3, 4].map((job) => golden(prompt(job, 7 + job), 5)));
  });

  it('leaves off after the step it is at when asked to, and goes on later', async () => {
    await rig.load(model);
    // On a busy machine the core may be through before this process gets to ask; then it is asked in the next turn.
    let one = talk(0, prompt(1), 24);
    let steps = 26;
    for (let job = 1; job <= 20 && steps === 26; job += 1) {
      one = talk(job, prompt(1), 24);
      const end = run(one);
      rig.device.yield(0);
      const left = await end;
      if (left.kind !== 'done' || left.progress === undefined) throw new Error('it ends as done');
      steps = left.progress.steps;
      expect(left.progress.isLast).toBe(steps === 26);
    }
    expect(steps).toBeLessThan(26);
    await run(one, { from: steps, steps: 26 - steps });
    expect(one.tokens).toEqual(golden(prompt(1), 24));
  });

  it('frees a conversation whose job ended early, told or not', async () => {
    await rig.load(model);
    const first = talk(1, prompt(1), 10, { conversation: 'same' });
    await run(first, { steps: 2 });
    const again = talk(2, prompt(1), 3, { conversation: 'same' });
    await run(again);
    expect(again.tokens).toEqual(golden(prompt(1), 3));
    await run(talk(3, prompt(3), 10), { steps: 2 });
    rig.device.forget?.(3);
    expect(await run(talk(4, prompt(4), 1))).toMatchObject({ kind: 'done' });
    expect(await run(talk(3, prompt(3), 10), { from: 2, steps: 1 })).toMatchObject({ kind: 'failed', reason: 'device-error' });
  });

  it('fails when the cache is gone that its steps were counted with, rather than being cut short', async () => {
    await rig.load(model);
    const end = await run(talk(1, prompt(1, 40), 6, { cached: 32 }));
    expect(end).toMatchObject({ kind: 'failed', reason: 'device-error', message: expect.stringContaining('cached') });
    expect(await run(talk(2, prompt(1, 40), 6))).toMatchObject({ kind: 'done' });
  });

  it('is lost with its core, and is answered the same when it begins anew', async () => {
    await rig.load(model);
    const one = talk(1, prompt(1), 6);
    await run(one, { steps: 5 });
    process.kill(rig.pid(), 'SIGKILL');
    await rig.until(() => rig.losses.length === 1);
    await rig.start();
    await rig.load(model);
    const again = talk(1, prompt(1), 6);
    await run(again);
    expect(again.tokens).toEqual(golden(prompt(1), 6));
  });

  it('fails alone for a text that cannot be, and the core goes on', async () => {
    await rig.load(model);
    const bad: readonly (readonly [Talk, string])[] = [
      [talk(1, [5, 999], 1), '999'],
      [talk(2, prompt(1, 96), 1), 'at most 96'],
      [talk(3, prompt(1), 1, { text: region(2 ** 30, 16) }), 'arena'],
      [talk(4, prompt(1), 1, { text: region(2, 16) }), 'arena'],
    ];
    for (const [one, words] of bad)
      expect(await run(one)).toMatchObject({ kind: 'failed', reason: 'device-error', message: expect.stringContaining(words) });
    const long = talk(5, prompt(1), 1, { conversation: 'x'.repeat(MAILBOX_BYTES) });
    expect(await run(long)).toMatchObject({ kind: 'failed', reason: 'prepare-error', message: expect.stringContaining('too long') });
    expect(await run(talk(6, prompt(1), 1))).toMatchObject({ kind: 'done' });
    expect(await run(talk(7, prompt(1), 1), { model: 'unheard-of' })).toMatchObject({ kind: 'failed', reason: 'model-unavailable' });
  });

  it('fails alone when its model gives logits that are not finite, also in half precision', async () => {
    for (const type of ['fp32', 'fp16'] as const) {
      const folder = writeTinyDecoder(join(rig.dir, type), { types: [type], isExternal: true });
      const file = join(folder, 'onnx', type === 'fp32' ? 'model.onnx_data' : 'model_fp16.onnx_data');
      const data = readFileSync(file);
      // The last tensor is the output head: every product with it is NaN.
      data.fill(0xff, data.length - 64);
      writeFileSync(file, data);
      const { spec } = decoderSpec({ id: 'tiny', folder, variant: type, chunkTokens: CHUNK, cacheBytesMax: 2 ** 24, textsMax: 8 });
      expect(await rig.load(spec)).toBe(undefined);
      for (const job of [1, 2]) expect(await run(talk(job, prompt(job), 3))).toMatchObject({ kind: 'failed', reason: 'non-finite' });
    }
    await rig.load(model);
    expect(await run(talk(3, prompt(3), 3))).toMatchObject({ kind: 'done' });
  });

  it('is refused for want of memory while others are under way, and taken when one has ended', async () => {
    const { language } = model;
    if (language === undefined) throw new Error('it is a language model');
    await rig.load({ ...model, language: { ...language, textsMax: 1 } });
    const first = talk(1, prompt(1), 5);
    await run(first, { steps: 2 });
    expect(await run(talk(2, prompt(2), 5))).toMatchObject({ kind: 'failed', reason: 'no-memory' });
    await run(first, { from: 2, steps: 10 });
    expect(await run(talk(2, prompt(2), 5))).toMatchObject({ kind: 'done' });
  });
});

describe('a turn with a tokenizer beside its model', () => {
  const files = byteLevelFiles();
  const { vocabulary } = createTokenizer('fixture', files);

  /** The model's random wishes are as good as any: what holds it is what is looked at. */
  async function loadSpeaker(vocabularySize = vocabulary.size): Promise<string | undefined> {
    const folder = writeTinyDecoder(join(rig.dir, 'speaker'), { changes: { vocab_size: vocabularySize, max_position_embeddings: 512 } });
    writeFileSync(join(folder, 'tokenizer.json'), files.tokenizer);
    writeFileSync(join(folder, 'tokenizer_config.json'), files.config);
    const { spec } = decoderSpec({ id: 'tiny', folder, variant: 'fp32', chunkTokens: CHUNK, cacheBytesMax: 2 ** 26, textsMax: 8 });
    return (await rig.load(spec))?.code;
  }

  async function speak(job: number, choosing: Readonly<Record<string, unknown>>, tokensMax: number) {
    const told: SpokenToken[] = [];
    const one = talk(job, prompt(1), tokensMax, { choosing, onTokens: (tokens) => told.push(...tokens) });
    const end = await run(one);
    const text = Buffer.concat(told.map(({ id }) => vocabulary.bytesOf(id))).toString('utf8');
    return { end, told, text, summary: one.summaries[0] };
  }

  it('is valid by its schema, whatever the model would rather say', async () => {
    expect(await loadSpeaker()).toBe(undefined);
    const schema = {
      type: 'object',
      properties: { seat: { enum: ['driver', 'left'] }, level: { type: 'integer', minimum: 0, maximum: 3 } },
      required: ['seat', 'level'],
      additionalProperties: false,
    };
    const { text, summary } = await speak(1, { sampling: { temperature: 1, seed: 5 }, constraint: { kind: 'json', schema } }, 60);
    expect(JSON.parse(text)).toMatchObject({ seat: expect.stringMatching(/^(driver|left)$/), level: expect.any(Number) });
    expect(summary?.finish).toBe('stop');
  });

  it('is held to a schema of a hundred thousand characters, and refused as a request where what it asks for cannot cross', async () => {
    await loadSpeaker();
    const words = Array.from({ length: 900 }, (_, index) => `${index} ${'ä'.repeat(120)}`);
    const named = { type: 'object', properties: { a: { enum: ['x'] } }, required: ['a'], description: words.join('') };
    const { end, text } = await speak(1, { sampling: { temperature: 0 }, constraint: { kind: 'json', schema: named } }, 60);
    expect([end.kind, text]).toEqual(['done', '{"a":"x"}']);
    const endless = { enum: ['x'], description: 'x'.repeat(3_000_000) };
    expect((await speak(2, { constraint: { kind: 'json', schema: endless } }, 60)).end).toMatchObject({
      ...{ kind: 'failed', reason: 'prepare-error' },
      message: expect.stringContaining('too long'),
    });
  });

  it('is the same for the same seed, another for another, and tells probabilities when asked', async () => {
    await loadSpeaker();
    const ids = async (job: number, seed: number): Promise<string> =>
      (await speak(job, { sampling: { temperature: 5, seed } }, 20)).told.map(({ id }) => id).join();
    const first = await ids(1, 1);
    expect(await ids(2, 1)).toBe(first);
    expect(await ids(3, 2)).not.toBe(first);
    const { told } = await speak(4, { sampling: { temperature: 0, logprobs: 2 } }, 3);
    expect(told[0]).toMatchObject({ logprob: expect.any(Number), top: [{ id: told[0]?.id }, {}] });
  });

  it('fails alone for options that cannot be, and for a schema that is refused', async () => {
    await loadSpeaker();
    expect((await speak(1, { sampling: { temperature: -1 } }, 5)).end).toMatchObject({ kind: 'failed', reason: 'prepare-error' });
    expect((await speak(2, { constraint: { kind: 'json', schema: { type: 'spoon' } } }, 5)).end).toMatchObject({ kind: 'failed' });
    expect((await speak(3, {}, 5)).end.kind).toBe('done');
  });

  it('is refused where the tokenizer is another model’s, and where there is none', async () => {
    expect(await loadSpeaker(100)).toBe('MODEL_CONTRACT');
    await rig.load(model);
    expect((await speak(1, { sampling: {} }, 5)).end).toMatchObject({ kind: 'failed', message: expect.stringContaining('no tokenizer') });
  });
});

describe('a language model', () => {
  const codeOf = async (changed: ModelSpec): Promise<string | undefined> => (await rig.load(changed))?.code;

  it('with weights beside is opened on two cores that share them, and gives the same text', async () => {
    const folder = writeTinyDecoder(join(rig.dir, 'beside'), { isExternal: true });
    const beside = decoderSpec({
      id: 'tiny',
      folder,
      variant: 'fp32',
      chunkTokens: CHUNK,
      cacheBytesMax: 2 ** 24,
      textsMax: 8,
      sharesWeights: true,
    }).spec;
    await rig.start(1);
    expect([await rig.load(beside, 0), await rig.load(beside, 1)]).toEqual([undefined, undefined]);
    const talks = [talk(1, prompt(1), 5), talk(2, prompt(1), 5)];
    await Promise.all(talks.map((one, core) => run(one, {}, core)));
    expect(talks.map(({ tokens }) => tokens)).toEqual([golden(prompt(1), 5), golden(prompt(1), 5)]);
  });

  it('is refused when any of its files is not what its manifest says, or is not named there', async () => {
    const folder = writeTinyDecoder(join(rig.dir, 'beside'), { isExternal: true });
    const beside = decoderSpec({ id: 'tiny', folder, variant: 'fp32', chunkTokens: CHUNK, cacheBytesMax: 2 ** 24, textsMax: 8 }).spec;
    const { language } = beside;
    if (language === undefined) throw new Error('it is a language model');
    expect(await codeOf({ ...beside, sha256: '0'.repeat(64) })).toBe('MODEL_HASH_MISMATCH');
    expect(await codeOf({ ...beside, language: { ...language, data: [] } })).toBe('MODEL_UNLOADABLE');
    const [data] = language.data;
    if (data === undefined) throw new Error('it has weights beside');
    expect(await codeOf({ ...beside, language: { ...language, data: [{ ...data, sha256: '0'.repeat(64) }] } })).toBe('MODEL_HASH_MISMATCH');
    writeFileSync(language.config.file, '{}');
    expect(await codeOf(beside)).toBe('MODEL_HASH_MISMATCH');
    expect(await codeOf(model)).toBe(undefined);
  });
});
