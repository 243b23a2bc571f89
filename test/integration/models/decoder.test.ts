import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeLibraryPath } from '../../../src/devices/ort/native-library.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../../../src/models/language/decoder-directory.ts';
import { DecoderEngine } from '../../../src/models/language/decoder-engine.ts';
import { decoderTensors } from '../../../src/models/language/decoder-graph.ts';
import type { DecoderTurn } from '../../../src/models/language/decoder-turn.ts';
import { keepLastLogits } from '../../../src/models/language/last-logits.ts';
import { greedyChooser, type TokenChooser } from '../../../src/models/language/token-chooser.ts';
import { openOnnxRuntime } from '../../../src/native/onnx-runtime.ts';
import { randomWeights } from '../../../tools/decoder/decoder-weights.ts';
import { referenceLogits } from '../../support/reference-decoder.ts';
import { tinyDecoderConfig, writeTinyDecoder } from '../../support/tiny-decoder.ts';

/** The engine on the real library: its text and its logits are those of a decoder in float64 without cache. */

const runtime = openOnnxRuntime(nativeLibraryPath());
const prompt = (seed: number, length = 21): number[] => Array.from({ length }, (_, index) => 3 + ((index * (11 + seed) + 5 * seed) % 200));

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-decoder-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

interface EngineOptions {
  readonly name?: string;
  readonly chunkTokens?: number;
  /** As cores open a model. */
  readonly isCut?: boolean;
}

function openEngine(folder: string, options: EngineOptions = {}): DecoderEngine {
  const directory = readDecoderDirectory(folder);
  const variant = variantOf(directory, options.name ?? 'fp32');
  const whole = { facts: readDecoderVariant(directory, variant), bytes: readFileSync(variant.file) };
  const { facts, bytes } = options.isCut === true ? keepLastLogits(whole) : whole;
  if (options.isCut === true) expect(facts.graph.keepsLogits || facts.graph.givesLastLogits).toBe(true);
  const settings = { 'session.model_external_initializers_file_folder_path': dirname(variant.file) };
  const session = runtime.open(bytes, { ...decoderTensors(facts.config, facts.graph), threads: 1, settings });
  return new DecoderEngine(session, facts, { chunkTokens: options.chunkTokens ?? 8, cacheBytesMax: 2 ** 26, textsMax: 40 });
}

/** Greedy, and remembers the logits of each choice. */
function recorder(): TokenChooser & { readonly rows: Float32Array[] } {
  const rows: Float32Array[] = [];
  return {
    rows,
    choose(logits) {
      rows.push(logits.slice());
      return greedyChooser.choose(logits);
    },
  };
}

function finish(turn: DecoderTurn, steps = 100): number[] {
  const answer: number[] = [];
  while (turn.finish === undefined) turn.run(steps, { isYieldWanted: () => false, onToken: ({ id }) => answer.push(id) });
  return answer;
}

const config = tinyDecoderConfig();
const weights = new Map<string, Float32Array>();
const read = (name: string, shape: readonly number[]): Float32Array => {
  const values = weights.get(name) ?? randomWeights(7, config).read(name, shape);
  weights.set(name, values);
  return values;
};

/** The greedy answer of the decoder in float64, and the logits that it chose from. */
function reference(tokens: readonly number[], count: number): { readonly answer: number[]; readonly rows: Float64Array[] } {
  const text = [...tokens];
  const rows: Float64Array[] = [];
  while (text.length < tokens.length + count) {
    const last = referenceLogits(config, read, text).at(-1) ?? new Float64Array();
    rows.push(last);
    text.push(last.indexOf(Math.max(...last)));
  }
  return { answer: text.slice(tokens.length), rows };
}

describe('the engine on ONNX Runtime', () => {
  const tokens = prompt(1);
  const golden = reference(tokens, 12);

  for (const layout of ['fused', 'plain'] as const)
    for (const isExternal of [false, true])
      it(`gives the logits and the text of the reference, however it is cut (${layout}, weights ${isExternal ? 'beside' : 'inside'})`, () => {
        const folder = writeTinyDecoder(join(dir, `${layout}-${isExternal}`), { layout, isExternal, keepsLogits: isExternal });
        for (const [chunkTokens, isCut] of [1, 8, 64].flatMap((count) => [[count, false] as const, [count, true] as const])) {
          const chooser = recorder();
          const engine = openEngine(folder, { chunkTokens, isCut });
          const answer = finish(engine.begin({ conversation: 'a', tokens, tokensMax: 12, chooser, stopIds: [] }), chunkTokens);
          engine.release();
          expect(answer).toEqual(golden.answer);
          for (const [index, row] of chooser.rows.entries())
            expect(Math.max(...row.map((value, id) => Math.abs(value - (golden.rows[index]?.[id] ?? Number.NaN))))).toBeLessThan(1e-3);
        }
      });

  it.each([1, 4, 16])('keeps %d conversations at once apart, over two turns each', (count) => {
    const engine = openEngine(join(dir, 'fused-false'));
    const names = Array.from({ length: count }, (_, index) => `c${index}`);
    const texts = new Map(names.map((name, index) => [name, prompt(index, 9 + index)]));
    for (const _ of [1, 2]) {
      const turns = names.map((name) => ({
        name,
        answer: [] as number[],
        turn: engine.begin({ conversation: name, tokens: texts.get(name) ?? [], tokensMax: 4, chooser: greedyChooser }),
      }));
      while (turns.some(({ turn }) => turn.finish === undefined))
        for (const { turn, answer } of turns)
          if (turn.finish === undefined) turn.run(1, { isYieldWanted: () => false, onToken: ({ id }) => answer.push(id) });
      for (const { name, answer } of turns) {
        const text = texts.get(name) ?? [];
        const alone = reference(text, 4).answer;
        expect(answer).toEqual(alone.includes(2) ? alone.slice(0, alone.indexOf(2)) : alone);
        texts.set(name, [...text, ...answer, 17, 18]);
      }
    }
    engine.release();
  });

  it('gives the same text in int4 and half precision with a cut prompt as with a whole one', () => {
    const folder = writeTinyDecoder(join(dir, 'types'), { types: ['int4', 'fp16'] });
    for (const name of ['q4', 'fp16']) {
      const answers = [3, 64].flatMap((chunkTokens) =>
        [false, true].map((isCut) =>
          finish(
            openEngine(folder, { name, chunkTokens, isCut }).begin({ conversation: 'a', tokens, tokensMax: 12, chooser: greedyChooser }),
          ),
        ),
      );
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(answers[0]?.length).toBeGreaterThan(0);
    }
  });
});

describe('the library', () => {
  const options = { inputs: ['input_ids'], outputs: ['logits'], threads: 1, settings: {} };

  it('refuses damaged bytes and missing files in words', () => {
    expect(() => runtime.open(new Uint8Array(100), options)).toThrow(/protobuf|ONNX|model/i);
    expect(() => runtime.open(new Uint8Array(), options)).toThrow();
    expect(() => runtime.open(join(dir, 'nothing.onnx'), options)).toThrow(/nothing\.onnx/);
    expect(() => openOnnxRuntime(join(dir, 'nothing.so'))).toThrow(expect.objectContaining({ code: 'NATIVE_UNAVAILABLE' }));
  });

  it('refuses names and shapes that are not the model’s, and goes on', () => {
    const file = join(dir, 'fused-false', 'onnx', 'model.onnx');
    const session = runtime.open(readFileSync(file), options);
    const ids = session.wrap(BigInt64Array.of(1n), [1, 1]);
    const logits = session.wrap(new Float32Array(203), [1, 1, 203]);
    expect(() => session.run([ids], [logits])).toThrow(/attention_mask|input/i);
    expect(() => session.wrap(new Float32Array(3), [2, 2])).toThrow(/as many elements/);
    for (const tensor of [ids, logits]) tensor.release();
    session.release();
    expect(runtime.version).toMatch(/^1\./);
  });
});
