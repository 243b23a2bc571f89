import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../../../../src/models/language/decoder-directory.ts';
import { languageModelShape } from '../../../../src/models/language/decoder-facts.ts';
import { digestOf } from '../../../../src/models/language/file-digest.ts';
import { createLanguageModel } from '../../../../src/models/language/language-model.ts';
import { onnxModel, type TestGraph, type TestPort } from '../../../support/onnx-model.ts';
import { TINY_CONFIG, writeTinyDecoder } from '../../../support/tiny-decoder.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-decoder-dir-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

function errorOf(work: () => unknown): CoxswainError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was refused');
}

function loopIn(place: string): void {
  mkdirSync(place);
  symlinkSync('config.json', join(place, 'config.json'));
}

function pipeIn(place: string, name: string): void {
  mkdirSync(place, { recursive: true });
  execFileSync('mkfifo', [join(place, name)]);
}

const factsIn = (folder: string, name = 'fp32') => {
  const directory = readDecoderDirectory(folder);
  return readDecoderVariant(directory, variantOf(directory, name));
};

describe('a folder with a decoder', () => {
  it('is read with all its variants, the widest first', () => {
    writeTinyDecoder(dir, { types: ['int4', 'fp16', 'fp32'] });
    const directory = readDecoderDirectory(dir);
    expect(directory.variants.map(({ name }) => name)).toEqual(['fp32', 'fp16', 'q4']);
    expect(directory.config.isRandom).toBe(true);
    expect(factsIn(dir).graph).toEqual({
      cacheKind: 'in-place',
      cacheType: 'float32',
      logitsType: 'float32',
      takesPositions: false,
      keepsLogits: false,
      weightBits: 32,
      headBits: 32,
    });
    expect(factsIn(dir, 'fp16').graph).toMatchObject({ cacheType: 'float16', logitsType: 'float32', weightBits: 16 });
    expect(factsIn(dir, 'q4').graph).toMatchObject({ weightBits: 5, headBits: 5 });
  });

  it('knows plain graphs, whose cache is appended, and those that keep one row of logits', () => {
    writeTinyDecoder(dir, { layout: 'plain', keepsLogits: true, isExternal: true });
    expect(factsIn(dir).graph).toMatchObject({ cacheKind: 'appended', takesPositions: true, keepsLogits: true });
  });

  it.each([
    ['a file in the place of the folder', 'MODEL_MISSING', (place: string) => writeFileSync(place, '')],
    ['a link to itself as config.json', 'MODEL_UNLOADABLE', (place: string) => loopIn(place)],
    ['a pipe that nobody writes to as config.json', 'MODEL_UNLOADABLE', (place: string) => pipeIn(place, 'config.json')],
  ])('that is %s is refused at once, as %s', (_, code, make) => {
    const place = join(dir, 'model');
    make(place);
    expect(errorOf(() => readDecoderDirectory(place)).code).toBe(code);
  });

  it('with a pipe in the place of a graph is refused at once', () => {
    writeTinyDecoder(dir, {});
    rmSync(join(dir, 'onnx/model.onnx'));
    pipeIn(join(dir, 'onnx'), 'model.onnx');
    expect(errorOf(() => factsIn(dir)).message).toContain('not a regular file');
    expect(errorOf(() => digestOf(join(dir, 'onnx/model.onnx'))).message).toContain('not a regular file');
  });

  it('with a file in the place of its folder of graphs has none', () => {
    writeTinyDecoder(dir, {});
    rmSync(join(dir, 'onnx'), { recursive: true });
    writeFileSync(join(dir, 'onnx'), '');
    expect(errorOf(() => readDecoderDirectory(dir)).code).toBe('MODEL_MISSING');
  });

  it('gives the shape that costs are made from', () => {
    writeTinyDecoder(dir, { types: ['int4'] });
    const model = createLanguageModel(languageModelShape(factsIn(dir, 'q4')));
    const perLayer = 64 * 16 * (2 * 4 + 2 * 2) + 3 * 64 * 96 + 2 * 64;
    expect(model.parameters).toBe(3 * perLayer + 64 + 2 * 203 * 64);
    expect(model.kvBytesPerToken).toBe(2 * 3 * 2 * 16 * 4);
  });

  it('may have its files beside config.json', () => {
    writeTinyDecoder(dir);
    renameSync(join(dir, 'onnx', 'model.onnx'), join(dir, 'model.onnx'));
    expect(factsIn(dir).config.layers).toBe(3);
  });

  it('is refused as missing without config.json, without ONNX, without the variant asked for', () => {
    expect(errorOf(() => readDecoderDirectory(join(dir, 'nowhere'))).code).toBe('MODEL_MISSING');
    writeFileSync(join(dir, 'config.json'), JSON.stringify(TINY_CONFIG));
    expect(errorOf(() => readDecoderDirectory(dir))).toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('onnx/model*.onnx'),
    });
    writeTinyDecoder(dir);
    expect(errorOf(() => factsIn(dir, 'q8'))).toMatchObject({ code: 'MODEL_MISSING', message: expect.stringContaining('it has fp32') });
  });

  it('is refused when weights beside are missing or cut short', () => {
    writeTinyDecoder(dir, { isExternal: true });
    const data = join(dir, 'onnx', 'model.onnx_data');
    truncateSync(data, 5000);
    expect(errorOf(() => factsIn(dir)).message).toContain('model.onnx_data');
    rmSync(data);
    expect(errorOf(() => factsIn(dir)).code).toBe('MODEL_UNLOADABLE');
  });

  it('is refused when the graph is damaged or empty', () => {
    writeTinyDecoder(dir);
    truncateSync(join(dir, 'onnx', 'model.onnx'), 3000);
    expect(errorOf(() => factsIn(dir)).code).toBe('MODEL_UNLOADABLE');
    truncateSync(join(dir, 'onnx', 'model.onnx'), 0);
    expect(errorOf(() => factsIn(dir)).code).toBe('MODEL_UNLOADABLE');
  });

  it.each([
    ['layers', { num_hidden_layers: 4 }, /says 4 layers; the graph has 3/],
    ['key-value heads', { num_key_value_heads: 4 }, /4 key-value heads/],
    ['size of a head', { head_dim: 32 }, /32 numbers per head/],
    ['vocabulary', { vocab_size: 204 }, /vocabulary of 204/],
  ])('is refused when config.json and graph differ in %s', (_, changes, message) => {
    writeTinyDecoder(dir);
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...TINY_CONFIG, ...changes }));
    expect(errorOf(() => factsIn(dir))).toMatchObject({ code: 'MODEL_CONTRACT', message: expect.stringMatching(message) });
  });
});

describe('a graph of another kind', () => {
  const cache = (prefix: string, change: Partial<TestPort> = {}): TestPort[] =>
    [0, 1, 2].flatMap((layer) =>
      ['key', 'value'].map((part) => ({ name: `${prefix}.${layer}.${part}`, shape: ['b', 2, 't', 16], ...change })),
    );
  const usual = {
    inputs: [
      { name: 'input_ids', type: 'int64', shape: ['b', 's'] },
      { name: 'attention_mask', type: 'int64', shape: ['b', 't'] },
      ...cache('past_key_values'),
    ],
    outputs: [{ name: 'logits', shape: ['b', 's', 203] }, ...cache('present')],
  } satisfies TestGraph;

  const codeOf = (graph: TestGraph): string => {
    mkdirSync(join(dir, 'onnx'), { recursive: true });
    writeFileSync(join(dir, 'config.json'), JSON.stringify(TINY_CONFIG));
    // Some node has to make what the graph gives.
    const maker = { op: 'Anything', domain: 'test', inputs: ['input_ids'], outputs: (graph.outputs ?? []).map(({ name }) => name) };
    writeFileSync(join(dir, 'onnx', 'model.onnx'), onnxModel({ ...graph, nodes: [...(graph.nodes ?? []), maker] }));
    try {
      factsIn(dir);
    } catch (thrown) {
      if (thrown instanceof CoxswainError) return `${thrown.code}: ${thrown.message}`;
      throw thrown;
    }
    return 'taken';
  };

  it('is taken in the layout of Optimum', () => {
    expect(codeOf(usual)).toBe('taken');
  });

  it.each<[string, TestGraph, RegExp]>([
    ['without a cache', { ...usual, inputs: usual.inputs.slice(0, 2) }, /UNSUPPORTED.*keeps no cache/],
    ['with a cache that is not given back', { ...usual, outputs: usual.outputs.slice(0, -1) }, /UNSUPPORTED.*present\.2\.value/],
    [
      'that is merged',
      { ...usual, inputs: [...usual.inputs, { name: 'use_cache_branch', type: 'bool', shape: [1] }] },
      /UNSUPPORTED.*merged/,
    ],
    ['that takes embeddings', { ...usual, inputs: [...usual.inputs, { name: 'inputs_embeds', shape: [1] }] }, /UNSUPPORTED.*inputs_embeds/],
    [
      'with int32 ids',
      { ...usual, inputs: [{ name: 'input_ids', type: 'int32', shape: ['b', 's'] }, ...usual.inputs.slice(1)] },
      /UNSUPPORTED.*int64/,
    ],
    ['without a mask', { ...usual, inputs: usual.inputs.filter(({ name }) => name !== 'attention_mask') }, /UNSUPPORTED.*attention_mask/],
    [
      'with a quantised cache',
      { ...usual, inputs: [...usual.inputs.slice(0, 2), ...cache('past_key_values', { type: 'int8' })] },
      /UNSUPPORTED.*int8/,
    ],
    [
      'with a cache of mixed types',
      { ...usual, outputs: [...usual.outputs.slice(0, 1), ...cache('present', { type: 'float16' })] },
      /UNSUPPORTED.*float16/,
    ],
    [
      'with a flat cache',
      { ...usual, inputs: [...usual.inputs.slice(0, 2), ...cache('past_key_values', { shape: ['b', 't', 32] })] },
      /UNSUPPORTED.*3 axes/,
    ],
    [
      'with a cache of a fixed length',
      { ...usual, outputs: [...usual.outputs.slice(0, 1), ...cache('present', { shape: [1, 2, 64, 16] })] },
      /UNSUPPORTED.*64 tokens/,
    ],
    ['without logits', { ...usual, outputs: usual.outputs.slice(1) }, /UNSUPPORTED.*logits/],
    [
      'with a window',
      {
        ...usual,
        nodes: [
          {
            op: 'GroupQueryAttention',
            domain: 'com.microsoft',
            inputs: ['input_ids'],
            outputs: ['x'],
            attributes: { local_window_size: 32 },
          },
        ],
      },
      /UNSUPPORTED.*window of 32/,
    ],
  ])('is refused %s', (_, graph, message) => {
    expect(codeOf(graph)).toMatch(message);
  });
});
