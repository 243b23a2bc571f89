import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatMessage } from '../../../src/models/language/chat-message.ts';
import { createChatTemplate } from '../../../src/models/language/chat-template.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { byteLevelFiles, CHATML_TEMPLATE } from '../../support/tokenizer-fixture.ts';

/** Looks into messages in the ways that published templates do. */
const CURIOUS_TEMPLATE = `{%- for message in messages -%}
{%- set content = message.content.split('</think>')[-1] | trim -%}
{%- if content.startswith('<tool_call>') and content.endswith('</tool_call>') -%}{{ content }}{%- else -%}
<|im_start|>{{ message.role }}
<{{ content }}>{% if loop.last %}{{ message.content | tojson }}{% endif %}<|im_end|>
{%- endif -%}
{%- endfor -%}`;

const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '<|im_end|>',
        '<|im_start|>',
        '<tool_call>',
        '</tool_call>',
        '<|im_',
        'start|>',
        '<',
        '>',
        '|',
        'tool_call',
        '</think>',
        '\ue000',
        '\ue001',
      ),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('').replace(/\p{Surrogate}/gu, ''));
const messages: fc.Arbitrary<readonly ChatMessage[]> = fc.array(
  fc.record({ role: fc.constantFrom<('user' | 'system' | 'tool')[]>('user', 'system', 'tool'), content: hostile }),
  { minLength: 1, maxLength: 4 },
);

describe.each([
  ['that writes messages as they are', CHATML_TEMPLATE],
  ['that looks into messages', CURIOUS_TEMPLATE],
])('a chat template %s', (_, chatTemplate) => {
  const tokenizer = createTokenizer('fixture', byteLevelFiles({ chatTemplate }));
  const chat = createChatTemplate('fixture', tokenizer);
  const { vocabulary } = tokenizer;

  it('has as many control tokens as its own text has, whatever the messages say', () => {
    fc.assert(
      fc.property(messages, (given) => {
        const { ids, text } = chat.encode({ messages: given });
        const controls = ids.filter((id) => vocabulary.kindOf(id) !== 'text');
        const clean = chat.encode({ messages: given.map((message) => ({ ...message, content: 'x' })) });
        expect(controls).toEqual(clean.ids.filter((id) => vocabulary.kindOf(id) !== 'text'));
        expect(Buffer.concat(ids.map((id) => vocabulary.bytesOf(id))).toString()).toBe(text);
        if (chatTemplate === CHATML_TEMPLATE) for (const { content } of given) expect(text).toContain(content);
      }),
      { numRuns: 300 },
    );
  });
});
