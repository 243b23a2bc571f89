import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import type { PastToolCall } from '../../../../src/models/language/chat-message.ts';
import { createChatTemplate } from '../../../../src/models/language/chat-template.ts';
import { createTokenizer } from '../../../../src/models/language/tokenizer.ts';
import { learnBpe } from '../../../../tools/train-cockpit-lm/bpe.ts';
import { createDialogues } from '../../../../tools/train-cockpit-lm/dialogue.ts';
import { splitTemplates } from '../../../../tools/train-cockpit-lm/intents.ts';
import { SPECIAL_TOKENS, tokenizerConfig, tokenizerJson } from '../../../../tools/train-cockpit-lm/model-files.ts';
import { createPacker } from '../../../../tools/train-cockpit-lm/pack.ts';

const dialogues = createDialogues(splitTemplates());
const documents = Array.from({ length: 400 }, (_, index) => dialogues.train(new Prng(`tokenizer/${index}`)));
const texts = documents.flatMap(({ messages }) => messages.map(({ content }) => content));
const bpe = learnBpe(texts, 900, 80);
const [json, config] = [tokenizerJson(bpe), tokenizerConfig(1024)];
const library = new Tokenizer(json, config);
const packer = createPacker(json, config);

describe('the tokenizer that is learnt', () => {
  it('has the size asked for, each token once, and is the same from the same texts', () => {
    expect(bpe.tokens.length).toBe(900);
    expect(new Set(bpe.tokens).size).toBe(900);
    expect(learnBpe(texts, 900, 80)).toEqual(bpe);
  });

  it.each([
    'turn the seat heating to two',
    '把温度调到22.5度，谢谢',
    '🚗🔥 é ñ ß',
    '  two  spaces\n\nand lines\t',
    '{"a":[1,-2.5]}',
    'Ω≈ç√∫ 한국어 日本語',
  ])('gives back %j', (text) => {
    expect(
      library.decode(library.encode(text, { add_special_tokens: false }).ids, {
        skip_special_tokens: false,
        clean_up_tokenization_spaces: false,
      }),
    ).toBe(text);
  });

  it('cuts a made-up name alike behind a space and behind a quotation mark', () => {
    const cut = (text: string): readonly string[] => library.encode(text, { add_special_tokens: false }).tokens;
    for (const name of ['Marsdown', 'Qualingford', 'Trensen', 'xeroly']) {
      const bare = cut(name);
      expect(cut(`to ${name}`).slice(-bare.length - 1)).toEqual(['Ġ', ...bare]);
      expect(cut(`"${name}"`).slice(1, -1)).toEqual(bare);
    }
  });

  it('is read alike by the tokenizer of the runtime', () => {
    const runtime = createTokenizer('test', { tokenizer: JSON.stringify(json), config: JSON.stringify(config) });
    for (const text of texts.filter((one) => !one.includes('tool_call')).slice(0, 200)) {
      expect(runtime.encode(text, { special: false })).toEqual(library.encode(text, { add_special_tokens: false }).ids);
    }
  });
});

describe('packing', () => {
  it('writes conversations as the chat template does, and learns what the assistant says', () => {
    const packed = packer.pack([
      { role: 'system', content: 'You are Coxswain.' },
      { role: 'user', content: 'fan 3' },
      { role: 'assistant', content: '<tool_call>{"name":"set_fan","arguments":{"level":3}}</tool_call>' },
    ]);
    const decode = (ids: readonly number[]): string =>
      library.decode([...ids], { skip_special_tokens: false, clean_up_tokenization_spaces: false });
    expect(decode(packed.ids)).toBe(
      '<|im_start|>system\nYou are Coxswain.<|im_end|>\n<|im_start|>user\nfan 3<|im_end|>\n<|im_start|>assistant\n<tool_call>{"name":"set_fan","arguments":{"level":3}}</tool_call><|im_end|>\n',
    );
    expect(decode(packed.ids.filter((_, index) => packed.weights[index] === 2))).toBe(
      '<tool_call>{"name":"set_fan","arguments":{"level":3}}</tool_call><|im_end|>',
    );
    expect(decode(packed.ids.filter((_, index) => packed.weights[index] === 1))).toBe('fan 3');
  });

  it('gives the tokens that the runtime makes of the same conversation by the chat template', () => {
    const template = createChatTemplate(
      'test',
      createTokenizer('test', { tokenizer: JSON.stringify(json), config: JSON.stringify(config) }),
    );
    for (const { messages } of documents.slice(0, 120)) {
      const asked = messages.map(({ role, content }) => {
        const calls = [...content.matchAll(/<tool_call>(.*?)<\/tool_call>/gu)].map(([, call = '']) => JSON.parse(call) as PastToolCall);
        return role === 'assistant' && calls.length > 0 ? { role, content: '', toolCalls: calls } : { role, content };
      });
      expect(template.encode({ messages: asked, addsGenerationPrompt: false }).ids).toEqual(packer.pack(messages).ids);
    }
  });

  it('lets no text of a user become a control token', () => {
    const { ids } = packer.pack([{ role: 'user', content: SPECIAL_TOKENS.join(' ') }]);
    const special = ids.filter((id) => id >= bpe.tokens.length);
    expect(special).toEqual([library.token_to_id('<|im_start|>'), library.token_to_id('<|im_end|>')]);
  });

  it('cuts the last answer off for an evaluation', () => {
    for (const document of documents.slice(0, 50)) {
      const { prompt, answer } = packer.packForEvaluation(document);
      const whole = packer.pack(document.messages).ids;
      expect([...prompt, ...answer]).toEqual(whole.slice(0, prompt.length + answer.length));
      expect(whole.length).toBe(prompt.length + answer.length + 1);
    }
  });
});
