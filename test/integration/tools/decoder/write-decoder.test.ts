import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decoderGraph } from '../../../../tools/decoder/decoder-graph.ts';
import { randomWeights } from '../../../../tools/decoder/decoder-weights.ts';
import { dequantizeMatrix, quantizeMatrix } from '../../../../tools/decoder/quantize.ts';
import { type ReadWeight, referenceLogits } from '../../../support/reference-decoder.ts';
import { tinyDecoderConfig, writeTinyDecoder } from '../../../support/tiny-decoder.ts';

const GRAPH = { type: 'fp32', layout: 'fused', keepsLogits: false, metadata: {} } as const;

const TOKENS = Array.from({ length: 23 }, (_, index) => (index * 37 + 5) % 203);

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-decoder-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

interface Shape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
}

/** The plainest loop there is: feeds the tokens in the given chunks, the cache handed from one run to the next. Gives the logits of every token. */
async function runInChunks(
  file: string,
  shape: Shape,
  chunks: readonly (readonly number[])[],
  cacheType: 'float32' | 'float16' = 'float32',
) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  const parts = Array.from({ length: shape.layers }, (_, layer) => ['key', 'value'].map((part) => `${layer}.${part}`)).flat();
  const empty = cacheType === 'float32' ? new Float32Array() : new Uint16Array();
  let cache = new Map<string, Tensor>(parts.map((part) => [part, new Tensor(cacheType, empty, [1, shape.kvHeads, 0, shape.headSize])]));
  const rows: Float32Array[] = [];
  let past = 0;
  for (const chunk of chunks) {
    const feeds: Record<string, Tensor> = {
      input_ids: new Tensor('int64', BigInt64Array.from(chunk, BigInt), [1, chunk.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(past + chunk.length).fill(1n), [1, past + chunk.length]),
    };
    if (session.inputNames.includes('position_ids'))
      feeds.position_ids = new Tensor(
        'int64',
        BigInt64Array.from(chunk, (_, index) => BigInt(past + index)),
        [1, chunk.length],
      );
    if (session.inputNames.includes('num_logits_to_keep')) feeds.num_logits_to_keep = new Tensor('int64', BigInt64Array.of(1n), []);
    for (const part of parts) feeds[`past_key_values.${part}`] = cache.get(part) as Tensor;
    const results = await session.run(feeds);
    const logits = results.logits?.data as Float32Array;
    for (let at = 0; at < logits.length; at += shape.vocabulary) rows.push(logits.slice(at, at + shape.vocabulary));
    cache = new Map(parts.map((part) => [part, results[`present.${part}`] as Tensor]));
    past += chunk.length;
  }
  await session.release();
  return rows;
}

function differenceMax(rows: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  expect(rows.length).toBe(expected.length);
  let most = 0;
  for (const [index, row] of rows.entries())
    for (let at = 0; at < row.length; at += 1)
      most = Math.max(most, Math.abs((row[at] ?? Number.NaN) - (expected[index]?.[at] ?? Number.NaN)));
  return most;
}

const inChunksOf = (size: number): number[][] =>
  Array.from({ length: Math.ceil(TOKENS.length / size) }, (_, index) => TOKENS.slice(index * size, (index + 1) * size));

/** Weights as the file has them, made once each. */
function cachedWeights(seed: number, read = randomWeights(seed, tinyDecoderConfig()).read): ReadWeight {
  const known = new Map<string, Float32Array>();
  return (name, shape) => {
    const values = known.get(name) ?? read(name, shape);
    known.set(name, values);
    return values;
  };
}

describe('a written decoder', () => {
  const config = tinyDecoderConfig();
  const expected = referenceLogits(config, cachedWeights(7), TOKENS);

  for (const layout of ['fused', 'plain'] as const) {
    it(`gives the logits of the reference in ${layout} layout: at once, in chunks and token by token`, async () => {
      const file = join(writeTinyDecoder(join(dir, layout), { layout }), 'onnx', 'model.onnx');
      for (const size of [TOKENS.length, 8, 1]) {
        const rows = await runInChunks(file, config, inChunksOf(size));
        expect(differenceMax(rows, expected)).toBeLessThan(1e-3);
      }
    });
  }

  it('ties its head to the embedding where the configuration says so', async () => {
    const tied = tinyDecoderConfig({ tie_word_embeddings: true });
    const out = writeTinyDecoder(join(dir, 'tied'), { changes: { tie_word_embeddings: true } });
    const rows = await runInChunks(join(out, 'onnx', 'model.onnx'), tied, [TOKENS]);
    expect(differenceMax(rows, referenceLogits(tied, cachedWeights(7), TOKENS))).toBeLessThan(1e-3);
  });

  it('needs no second copy of a tied embedding when it is to be compact, and gives the same logits', async () => {
    const changes = { tie_word_embeddings: true };
    const [whole, compact] = [false, true].map((isCompact) =>
      join(writeTinyDecoder(join(dir, `compact-${isCompact}`), { changes, isCompact }), 'onnx', 'model.onnx'),
    );
    expect(statSync(whole ?? '').size - statSync(compact ?? '').size).toBeGreaterThan(3 * config.vocabulary * config.hidden);
    const tied = tinyDecoderConfig(changes);
    const rows = await runInChunks(compact ?? '', tied, inChunksOf(5));
    expect(differenceMax(rows, referenceLogits(tied, cachedWeights(7), TOKENS))).toBeLessThan(1e-3);
  });

  it('rounds an embedding of int4 to half precision when it is to be compact, and stays close', async () => {
    const [whole, compact] = [false, true].map((isCompact) =>
      join(writeTinyDecoder(join(dir, `compact-q4-${isCompact}`), { types: ['int4'], isCompact }), 'onnx', 'model_q4.onnx'),
    );
    expect(statSync(whole ?? '').size - statSync(compact ?? '').size).toBeGreaterThan(1.5 * config.vocabulary * config.hidden);
    const rows = await runInChunks(whole ?? '', config, [TOKENS]);
    // A row rounded a little otherwise may be rounded to other bytes on its way into a product.
    expect(differenceMax(await runInChunks(compact ?? '', config, [TOKENS]), rows)).toBeLessThan(0.25);
  });

  it('gives logits of the last token alone when it keeps one', async () => {
    const file = join(writeTinyDecoder(join(dir, 'kept'), { keepsLogits: true }), 'onnx', 'model.onnx');
    const rows = await runInChunks(file, config, [TOKENS.slice(0, 10), TOKENS.slice(10)]);
    expect(differenceMax(rows, [expected[9] ?? [], expected.at(-1) ?? []])).toBeLessThan(1e-3);
  });

  it('gives the same bytes of weights and the same logits with weights beside', async () => {
    const file = join(writeTinyDecoder(join(dir, 'external'), { isExternal: true }), 'onnx', 'model.onnx');
    expect(statSync(`${file}_data`).size).toBeGreaterThan(statSync(file).size);
    expect(differenceMax(await runInChunks(file, config, [TOKENS]), expected)).toBeLessThan(1e-3);
  });

  it('comes near the reference in half precision', async () => {
    const file = join(writeTinyDecoder(join(dir, 'half'), { types: ['fp16'] }), 'onnx', 'model_fp16.onnx');
    const rows = await runInChunks(file, config, inChunksOf(5), 'float16');
    expect(differenceMax(rows, expected)).toBeLessThan(0.05);
  });

  it('gives in int4 the logits of the reference on the rounded weights, but for the rounding of activations', async () => {
    const file = join(writeTinyDecoder(join(dir, 'int4'), { types: ['int4'] }), 'onnx', 'model_q4.onnx');
    const rows = await runInChunks(file, config, inChunksOf(6));
    const plain = randomWeights(7, config);
    const rounded = cachedWeights(7, (name, shape) => {
      const values = plain.read(name, shape);
      const [outputs = 1, inputs = 1] = shape;
      return shape.length === 1 || name === 'model.embed_tokens.weight'
        ? values
        : dequantizeMatrix(quantizeMatrix(values, outputs, inputs), outputs, inputs);
    });
    const exact = referenceLogits(config, rounded, TOKENS);
    const size = Math.max(...exact.flatMap((row) => [...row].map(Math.abs)));
    expect(differenceMax(rows, exact)).toBeLessThan(0.03 * size);
  });

  it('is the same from a checkpoint of safetensors as from the numbers in it', () => {
    const header: Record<string, unknown> = {};
    const parts: Uint8Array[] = [];
    let at = 0;
    const random = randomWeights(7, config);
    const kept = new Map<string, readonly number[]>();
    const noting: typeof random = {
      origin: '',
      read(name, shape) {
        kept.set(name, shape);
        return random.read(name, shape);
      },
    };
    for (const weight of decoderGraph(config, noting, GRAPH).weights) weight.bytes();
    for (const [name, shape] of kept) {
      const values = random.read(name, shape);
      header[name] = { dtype: 'F32', shape, data_offsets: [at, at + values.byteLength] };
      parts.push(new Uint8Array(values.buffer));
      at += values.byteLength;
    }
    const text = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    const file = join(dir, 'checkpoint.safetensors');
    writeFileSync(file, Buffer.concat([length, text, ...parts]));
    const weightsIn = (folder: string): Buffer => readFileSync(join(folder, 'onnx', 'model.onnx_data'));
    const stored = writeTinyDecoder(join(dir, 'stored'), { weights: file, isExternal: true });
    expect(weightsIn(stored).equals(weightsIn(writeTinyDecoder(join(dir, 'drawn'), { isExternal: true })))).toBe(true);
    expect(JSON.parse(readFileSync(join(stored, 'config.json'), 'utf8'))).not.toHaveProperty('coxswain_random_seed');
    expect(() => writeTinyDecoder(join(dir, 'wrong'), { weights: file, changes: { intermediate_size: 97 } })).toThrow(/gate_proj.*97/);
  });

  it('writes the same bytes for the same seed, others for another, and says that they are random', () => {
    const bytes = (name: string, weights: number): Buffer =>
      readFileSync(join(writeTinyDecoder(join(dir, name), { weights }), 'onnx', 'model.onnx'));
    const first = bytes('first', 7);
    expect(first.equals(bytes('second', 7))).toBe(true);
    expect(first.equals(bytes('third', 8))).toBe(false);
    expect(first.includes('random, seed 7')).toBe(true);
    expect(JSON.parse(readFileSync(join(dir, 'first', 'config.json'), 'utf8'))).toMatchObject({ coxswain_random_seed: 7 });
  });
});
