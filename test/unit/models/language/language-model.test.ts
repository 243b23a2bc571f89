import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import { createLanguageModel } from '../../../../src/models/language/language-model.ts';
import type { LanguageModelShape } from '../../../../src/models/language/model-shape.ts';

const shape = (
  layers: number,
  hidden: number,
  intermediate: number,
  heads: number,
  kvHeads: number,
  headSize: number,
  vocabulary: number,
  tiedEmbedding: boolean,
): LanguageModelShape => ({ layers, hidden, intermediate, heads, kvHeads, headSize, vocabulary, tiedEmbedding, bits: 16, kvBits: 16 });

const llama8b = shape(32, 4096, 14336, 32, 8, 128, 128256, false);
const smol135m = shape(30, 576, 1536, 9, 3, 64, 49152, true);
const qwenMoe = { ...shape(48, 2048, 768, 32, 4, 128, 151936, false), experts: { count: 128, active: 8 } };

/**
 * Parameters in millions, rounded as in the calibration table `model_facts_llm.csv`, whose source is the models' public configurations, from memory;
 * SmolLM2-135M more exactly.
 */
const published: [name: string, shape: LanguageModelShape, millions: number][] = [
  ['Qwen2.5-0.5B', shape(24, 896, 4864, 14, 2, 64, 151936, true), 494],
  ['Qwen2.5-1.5B', shape(28, 1536, 8960, 12, 2, 128, 151936, true), 1544],
  ['Qwen2.5-3B', shape(36, 2048, 11008, 16, 2, 128, 151936, true), 3090],
  ['Qwen2.5-7B', shape(28, 3584, 18944, 28, 4, 128, 152064, false), 7620],
  ['Qwen3-0.6B', shape(28, 1024, 3072, 16, 8, 128, 151936, true), 596],
  ['Qwen3-4B', shape(36, 2560, 9728, 32, 8, 128, 151936, true), 4020],
  ['Qwen3-8B', shape(36, 4096, 12288, 32, 8, 128, 151936, false), 8190],
  ['Qwen3-30B-A3B', qwenMoe, 30_500],
  ['TinyLlama-1.1B', shape(22, 2048, 5632, 32, 4, 64, 32000, false), 1100],
  ['Llama-2-7B', shape(32, 4096, 11008, 32, 32, 128, 32000, false), 6740],
  ['Llama-2-13B', shape(40, 5120, 13824, 40, 40, 128, 32000, false), 13_020],
  ['Llama-3-8B', llama8b, 8030],
  ['Llama-3.2-1B', shape(16, 2048, 8192, 32, 8, 64, 128256, true), 1236],
  ['Llama-3.2-3B', shape(28, 3072, 8192, 24, 8, 128, 128256, true), 3210],
  ['Gemma-2-2B', shape(26, 2304, 9216, 8, 4, 256, 256000, true), 2610],
  ['Gemma-2-9B', shape(42, 3584, 14336, 16, 8, 256, 256000, true), 9240],
  ['Phi-3-mini', shape(32, 3072, 8192, 32, 32, 96, 32064, false), 3820],
  ['Mistral-7B-v0.3', shape(32, 4096, 14336, 32, 8, 128, 32768, false), 7250],
  ['SmolLM2-135M', smol135m, 134.5],
  ['SmolLM2-1.7B', shape(24, 2048, 8192, 32, 32, 64, 49152, true), 1710],
  ['GPT-J-6B', { ...shape(28, 4096, 16384, 16, 16, 256, 50400, false), feedForward: 'plain' }, 6050],
];

const total = (layers: readonly LayerCost[], field: 'macs' | 'weightBytes' | 'stateBytes'): number =>
  layers.reduce((sum, layer) => sum + (layer[field] ?? 0), 0);

describe('a language model from its shape', () => {
  it.each(published)('%s has the parameters of its card within 0.5 %%', (_, description, millions) => {
    const { parameters } = createLanguageModel(description);
    expect(Math.abs(parameters / (millions * 1e6) - 1)).toBeLessThan(0.005);
  });

  it('uses 3.3 of 30.5 billion parameters for a token of Qwen3-30B-A3B', () => {
    expect(createLanguageModel(qwenMoe).activeParameters / 1e9).toBeCloseTo(3.35, 1);
  });

  it('reads about 4.5 GB for a token of an 8B model at 4.5 bits: 16.6 ms at 273 GB/s', () => {
    const model = createLanguageModel({ ...llama8b, bits: 4.5, kvBits: 8 });
    expect(model.weightBytes / 1e9).toBeCloseTo(4.52, 2);
    expect((model.weightBytes / 273e9) * 1e3).toBeCloseTo(16.55, 1);
    // The embedding is looked up, not read: 6 % of the weights of this model.
    const read = total(model.decodeLayers(1, 0), 'weightBytes');
    expect(read / model.weightBytes).toBeCloseTo(1 - (128256 * 4096) / 8.03e9, 3);
  });

  it('keeps 131 072 bytes for each token of Llama-3-8B at fp16, and reads them all for the next', () => {
    const model = createLanguageModel(llama8b);
    expect(model.kvBytesPerToken).toBe(131_072);
    expect(total(model.decodeLayers(1, 2048), 'stateBytes')).toBe(2049 * 131_072);
    expect(total(model.decodeLayers(3, 2048), 'stateBytes')).toBe(3 * 2049 * 131_072);
  });

  it('multiplies each weight once for a token, and each score once more', () => {
    const model = createLanguageModel(smol135m);
    const norms = 30 * 2 * 576 + 576;
    expect(total(model.decodeLayers(1, 0), 'macs')).toBe(model.parameters - norms + 2 * 30 * 9 * 64);
  });

  it('reads weights once for a batch and for a chunk, and multiplies for each token', () => {
    const model = createLanguageModel(smol135m);
    const row = 576 * 2;
    expect(total(model.decodeLayers(8, 64), 'weightBytes')).toBe(total(model.decodeLayers(1, 64), 'weightBytes') + 7 * row);
    expect(total(model.decodeLayers(8, 64), 'macs')).toBe(8 * total(model.decodeLayers(1, 64), 'macs'));
    const head = 49152 * 576;
    const [one, chunk] = [total(model.prefillLayers(1, 0), 'macs'), total(model.prefillLayers(128, 0), 'macs')];
    const scores = (tokens: number): number => 2 * 30 * 9 * tokens * tokens * 64;
    expect(chunk - head - scores(128)).toBe(128 * (one - head - scores(1)));
  });

  it('a prefill chunk of one token is a decode step', () => {
    const model = createLanguageModel(llama8b);
    const named = (layers: readonly LayerCost[]) => layers.map(({ operator: _, ...layer }) => layer);
    expect(named(model.prefillLayers(1, 500))).toEqual(named(model.decodeLayers(1, 500)));
  });

  it('says every product as m, n, k and groups', () => {
    for (const layer of createLanguageModel(llama8b).prefillLayers(256, 100))
      expect(layer.m * layer.n * layer.k * layer.groups).toBe(layer.macs);
  });

  it('reads 8 of 128 experts for one token and nearly all for a long chunk', () => {
    const model = createLanguageModel(qwenMoe);
    const expert = 48 * 3 * 2048 * 768 * 2;
    const experts = (layers: readonly LayerCost[]): number =>
      layers.filter((layer) => layer.name.includes('feed-forward')).reduce((sum, layer) => sum + layer.weightBytes, 0) / expert;
    expect(experts(model.decodeLayers(1, 0))).toBeCloseTo(8, 6);
    expect(experts(model.decodeLayers(2, 0))).toBeCloseTo(15.5, 6);
    expect(experts(model.prefillLayers(512, 0))).toBeCloseTo(128, 6);
  });

  it('keeps the head at its own bits and multiplies each format in its type', () => {
    const model = createLanguageModel({ ...llama8b, bits: 4.5, headBits: 6.5, kvBits: 8 });
    const types = Object.fromEntries(model.decodeLayers(1, 10).map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({ qkv: 'int4', attention: 'int8', head: 'int8' });
    expect(model.weightBytes).toBe(((model.parameters - 2 * 128256 * 4096) * 4.5 + 2 * 128256 * 4096 * 6.5) / 8);
  });

  it.each([
    [{ heads: 0 }, 'heads is 0'],
    [{ layers: 1.5 }, 'layers is 1.5'],
    [{ hidden: Number.NaN }, 'hidden is NaN'],
    [{ vocabulary: 1e12 }, 'vocabulary is 1000000000000'],
    [{ kvHeads: 5 }, 'not a multiple of kvHeads 5'],
    [{ bits: 0 }, 'bits is 0'],
    [{ kvBits: 64 }, 'kvBits is 64'],
    [{ experts: { count: 4, active: 5 } }, 'experts.active 5 exceeds'],
  ])('refuses %o', (wrong, words) => {
    expect(() => createLanguageModel({ ...llama8b, ...wrong })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining(words) }),
    );
  });

  it('refuses a chunk without tokens, a batch without sequences and a past before the start', () => {
    const model = createLanguageModel(smol135m);
    for (const call of [() => model.prefillLayers(0, 0), () => model.decodeLayers(0, 0), () => model.decodeLayers(1, -1)])
      expect(call).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
