import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nativeLibraryPath } from '../../../src/devices/ort/native-library.ts';
import type { PastToolCall } from '../../../src/models/language/chat-message.ts';
import { createChatTemplate } from '../../../src/models/language/chat-template.ts';
import { readDecoderDirectory, readDecoderVariant, variantOf } from '../../../src/models/language/decoder-directory.ts';
import { DecoderEngine } from '../../../src/models/language/decoder-engine.ts';
import { decoderTensors } from '../../../src/models/language/decoder-graph.ts';
import { greedyChooser, type TokenChooser } from '../../../src/models/language/token-chooser.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { openOnnxRuntime } from '../../../src/native/onnx-runtime.ts';

/** The model that ships, held to what PyTorch made of it: tools/train-cockpit-lm/golden.py wrote the vectors. */

const runtime = openOnnxRuntime(nativeLibraryPath());
const root = resolve(import.meta.dirname, '../../..');
const folder = join(root, 'models', 'cockpit-lm');

interface GoldenCase {
  readonly messages: readonly { readonly role: 'system' | 'user' | 'assistant' | 'tool'; readonly content: string }[];
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
  /** float32 of the prompt's last token, base64. */
  readonly logits?: string;
}

const { cases } = JSON.parse(readFileSync(join(root, 'test/golden/language/cockpit-lm.json'), 'utf8')) as {
  readonly cases: readonly GoldenCase[];
};

const { eos_token_id: endId } = JSON.parse(readFileSync(join(folder, 'generation_config.json'), 'utf8')) as {
  readonly eos_token_id: number;
};

/** The engine keeps the token that ends an answer to itself. */
const told = (answer: readonly number[]): readonly number[] => (answer.at(-1) === endId ? answer.slice(0, -1) : answer);

const floats = (base64: string): Float32Array => {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};

function openEngine(name: string, chunkTokens: number): DecoderEngine {
  const directory = readDecoderDirectory(folder);
  const variant = variantOf(directory, name);
  const facts = readDecoderVariant(directory, variant);
  const session = runtime.open(variant.file, {
    ...decoderTensors(facts.config, facts.graph),
    threads: 1,
    settings: {},
  });
  return new DecoderEngine(session, facts, { chunkTokens, cacheBytesMax: 2 ** 26, textsMax: 40 });
}

/** The greedy answer without its end, and the logits that its first token was chosen from. `steps` at a time, yielding when asked to. */
function answerTo(engine: DecoderEngine, tokens: readonly number[], steps: number, isYieldWanted: () => boolean) {
  let first: Float32Array | undefined;
  const chooser: TokenChooser = {
    choose(logits) {
      first ??= logits.slice();
      return greedyChooser.choose(logits);
    },
  };
  const answer: number[] = [];
  const turn = engine.begin({ conversation: 'golden', tokens, tokensMax: 96, chooser });
  while (turn.finish === undefined) turn.run(steps, { isYieldWanted, onToken: ({ id }) => answer.push(id) });
  engine.forget('golden');
  return { answer, first };
}

describe('the model that ships', () => {
  it('takes at most 12 MB', () => {
    const files = [
      'config.json',
      'generation_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
      'onnx/model.onnx',
      'onnx/model_q4.onnx',
    ];
    expect(files.reduce((bytes, file) => bytes + statSync(join(folder, file)).size, 0)).toBeLessThan(12e6);
  });

  it('reads conversations as the tokens it was trained on', () => {
    const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
    const files = { tokenizer: read('tokenizer.json'), config: read('tokenizer_config.json'), generation: read('generation_config.json') };
    const template = createChatTemplate('cockpit-lm', createTokenizer('cockpit-lm', files));
    for (const { messages, prompt } of cases) {
      const asked = messages.map(({ role, content }) => {
        const calls = [...content.matchAll(/<tool_call>(.*?)<\/tool_call>/gu)].map(([, call = '']) => JSON.parse(call) as PastToolCall);
        return role === 'assistant' && calls.length > 0 ? { role, content: '', toolCalls: calls } : { role, content };
      });
      expect(template.encode({ messages: asked }).ids).toEqual(prompt);
    }
  });

  for (const chunkTokens of [16, 1024])
    it(`gives the logits and the greedy texts of PyTorch with the prompt in chunks of ${chunkTokens}`, () => {
      const engine = openEngine('fp32', chunkTokens);
      for (const { prompt, answer, logits } of cases) {
        const got = answerTo(engine, prompt, 100, () => false);
        expect(got.answer).toEqual(told(answer));
        if (logits !== undefined) {
          const expected = floats(logits);
          expect(Math.max(...expected.map((value, id) => Math.abs(value - (got.first?.[id] ?? Number.NaN))))).toBeLessThan(1e-3);
        }
      }
      engine.release();
    });

  it('gives the same texts when it is interrupted after every step', () => {
    const engine = openEngine('fp32', 16);
    for (const { prompt, answer } of cases) expect(answerTo(engine, prompt, 100, () => true).answer).toEqual(told(answer));
    engine.release();
  });

  it('gives nearly all of those texts in int4 too', () => {
    const engine = openEngine('q4', 64);
    const same = cases.filter(({ prompt, answer }) => answerTo(engine, prompt, 100, () => false).answer.join() === told(answer).join());
    engine.release();
    expect(same.length / cases.length).toBeGreaterThan(0.75);
  });
});
