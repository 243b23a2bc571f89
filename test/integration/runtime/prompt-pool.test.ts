import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { LanguageSpec } from '../../../src/core/model.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { type ChatTemplate, createChatTemplate } from '../../../src/models/language/chat-template.ts';
import { decoderSpec } from '../../../src/models/language/decoder-spec.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { type EncodedPrompt, encodePrompt, type PromptRequest } from '../../../src/runtime/prompts/prompt-encoder.ts';
import { createPooledEncoder, createPromptPool, type PromptPool } from '../../../src/runtime/prompts/prompt-pool.ts';
import { writeTinyDecoder } from '../../support/tiny-decoder.ts';
import { byteLevelFiles } from '../../support/tokenizer-fixture.ts';

const clock = createSystemClock();
const stream: Stream = {
  ...{ id: 'talk', model: 'lm', criticality: 'interactive', periodUs: durationFromMs(0), deadlineUs: durationFromMs(1_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 4 }, isStateful: false },
};
const files = byteLevelFiles();
const template: ChatTemplate = createChatTemplate('lm', createTokenizer('lm', files));

let dir: string;
let pool: PromptPool;
const losses: string[] = [];

function specOf(name: string, config: string): LanguageSpec {
  const folder = writeTinyDecoder(join(dir, name), { changes: { max_position_embeddings: 4_096 } });
  writeFileSync(join(folder, 'tokenizer.json'), files.tokenizer);
  writeFileSync(join(folder, 'tokenizer_config.json'), config);
  const { spec } = decoderSpec({ id: 'lm', folder, variant: 'fp32', chunkTokens: 8, cacheBytesMax: 2 ** 20, textsMax: 2 });
  if (spec.language === undefined) throw new Error('a decoder is a language model');
  return spec.language;
}
const poolOf = (language: LanguageSpec): PromptPool =>
  createPromptPool({ models: [{ id: 'lm', language }] }, { clock, onWorkerLost: (message) => losses.push(message) });

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'coxswain-prompts-'));
  pool = poolOf(specOf('lm', files.config));
  await pool.ready;
});
afterAll(async () => {
  await pool.close();
  rmSync(dir, { recursive: true });
});

const encode = (request: PromptRequest): Promise<EncodedPrompt> =>
  new Promise((resolve, reject) =>
    createPooledEncoder(stream, pool, clock).encode(request, undefined, (answer) =>
      answer instanceof CoxswainError ? reject(answer) : resolve(answer),
    ),
  );
const user = (content: string) => ({ role: 'user' as const, content });

describe('the worker that makes prompts', () => {
  it('makes the same of messages as this thread does', async () => {
    const request = { messages: [{ role: 'system' as const, content: 'Be brief. 打开车窗' }, user('hi <|im_end|> 🚗')], tokensMax: 1 };
    const { ids, sharedTokens } = template.encode(request);
    expect(await encode(request)).toEqual({ ids, sharedTokens, messages: request.messages });
  });

  it('leaves out what does not fit, and says what is left', async () => {
    const past = Array.from({ length: 12 }, (_, index) => [
      user(`question ${index}`),
      { role: 'assistant' as const, content: 'x'.repeat(60) },
    ]);
    const request = { before: { situation: { state: { kind: 'vehicle' as const } }, past }, messages: [user('now')], tokensMax: 900 };
    const there = await encode(request);
    expect(there.ids.length).toBeLessThanOrEqual(900);
    expect(there.messages.at(-1)).toEqual(user('now'));
    expect(there.messages.length).toBeGreaterThan(2);
    expect(there.messages.length).toBeLessThan(26);
    expect(there).toEqual(encodePrompt(template, request));
  });

  it('says what is wrong with a prompt by its own code, and goes on', async () => {
    await expect(encode({ messages: [], tokensMax: 1 })).rejects.toMatchObject({ code: 'PROMPT_REFUSED' });
    await expect(encode({ messages: [user('x'.repeat(300_000))], tokensMax: 1 })).rejects.toMatchObject({ code: 'PROMPT_REFUSED' });
    const before = { situation: { state: { kind: 'vehicle' as const } }, past: [] };
    await expect(encode({ before, messages: [user('x'.repeat(5_000))], tokensMax: 100 })).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
    });
    expect((await encode({ messages: [user('hi')], tokensMax: 1 })).ids.length).toBeGreaterThan(0);
    expect(losses).toEqual([]);
  });

  it('keeps a long prompt from holding up this thread', async () => {
    const messages = [user('a'.repeat(200_000))];
    const begun = performance.now();
    template.encode({ messages });
    const aloneMs = performance.now() - begun;
    let last = performance.now();
    let lateMs = 0;
    const watch = setInterval(() => {
      const now = performance.now();
      lateMs = Math.max(lateMs, now - last);
      last = now;
    }, 1);
    await encode({ messages, tokensMax: 1 });
    clearInterval(watch);
    // Both depend on the machine; the one is what the other would be if the prompt were made here.
    expect(lateMs).toBeLessThan(aloneMs / 2);
  });

  it('says so when a model has no chat template, once, and is not started again', async () => {
    const { chat_template: _template, ...config } = JSON.parse(files.config) as Record<string, unknown>;
    const unfit = poolOf(specOf('mute', JSON.stringify(config)));
    await expect(unfit.ready).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED', message: expect.stringMatching(/no chat template/) });
    await unfit.close();
    expect(losses).toEqual([]);
  });
});
