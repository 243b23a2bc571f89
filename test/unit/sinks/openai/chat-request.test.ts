import { describe, expect, it } from 'vitest';
import { type ChatCompletionRequest, parseChatRequest } from '../../../../src/sinks/openai/chat-request.ts';

const MINIMAL = { model: 'cockpit-lm', messages: [{ role: 'user', content: 'hi' }] };
const HEAT = { type: 'function', function: { name: 'heat', description: 'Heats', parameters: { type: 'object' }, strict: true } };

function read(extra: object): ChatCompletionRequest {
  const parsed = parseChatRequest({ ...MINIMAL, ...extra });
  if (parsed.kind === 'refused') throw new Error(parsed.message);
  return parsed.request;
}

const refusal = (body: unknown) => {
  const parsed = parseChatRequest(body);
  return parsed.kind === 'refused' ? `${parsed.param} | ${parsed.message}` : 'taken';
};

describe('a chat completion request', () => {
  it('needs a model and messages, and leaves the rest to others', () => {
    expect(read({})).toEqual({
      model: 'cockpit-lm',
      messages: [{ role: 'user', content: 'hi' }],
      tools: [],
      sampling: {},
      constraint: undefined,
      stop: [],
      tokensMax: undefined,
      isStream: false,
      includesUsage: false,
      variables: {},
      service: {},
    });
  });

  it('has messages of all roles, texts in parts, and earlier calls', () => {
    const { messages } = read({
      messages: [
        { role: 'developer', content: 'Short.', name: 'me' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'heat', arguments: '{"level":2}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'ok' },
        { role: 'assistant', content: 'Done.', reasoning_content: 'hm', refusal: null },
      ],
    });
    expect(messages).toEqual([
      { role: 'system', content: 'Short.', name: 'me' },
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: '', toolCalls: [{ id: 'c1', name: 'heat', arguments: { level: 2 } }] },
      { role: 'tool', content: 'ok', toolCallId: 'c1' },
      { role: 'assistant', content: 'Done.', reasoning: 'hm' },
    ]);
  });

  it('says how tokens are chosen in our terms', () => {
    const sampling = {
      temperature: 0.5,
      top_p: 0.9,
      top_k: -1,
      min_p: 0.1,
      repetition_penalty: 1.1,
      frequency_penalty: 1,
      presence_penalty: -1,
      seed: 7,
    };
    expect(read({ ...sampling, logprobs: true, top_logprobs: 3 }).sampling).toEqual({
      temperature: 0.5,
      topP: 0.9,
      topK: 0,
      minP: 0.1,
      repetitionPenalty: 1.1,
      frequencyPenalty: 1,
      presencePenalty: -1,
      seed: 7,
      logprobs: 3,
    });
    expect(read({ temperature: null, logprobs: false }).sampling).toEqual({});
    expect(read({ logprobs: true }).sampling).toEqual({ logprobs: 0 });
  });

  it('takes either name for the most tokens, and the newer one first', () => {
    expect(read({ max_tokens: 5 }).tokensMax).toBe(5);
    expect(read({ max_tokens: 5, max_completion_tokens: 6 }).tokensMax).toBe(6);
  });

  it('holds an answer to a schema, or to any object', () => {
    const schema = { type: 'object', properties: {} };
    expect(read({ response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } } }).constraint).toEqual({
      kind: 'json',
      schema,
    });
    expect(read({ response_format: { type: 'json_object' } }).constraint).toEqual({ kind: 'json' });
    expect(read({ response_format: { type: 'text' } }).constraint).toBeUndefined();
  });

  it('holds calls to tools as tool_choice says', () => {
    const tools = [{ name: 'heat', parameters: { type: 'object' } }];
    expect(read({ tools: [HEAT] })).toMatchObject({
      tools: [{ name: 'heat', description: 'Heats' }],
      constraint: { kind: 'tools', choice: 'auto', tools },
    });
    expect(read({ tools: [HEAT], tool_choice: 'required' }).constraint).toMatchObject({ choice: 'required', callsMax: 4 });
    expect(read({ tools: [HEAT], tool_choice: 'required', parallel_tool_calls: false }).constraint).toMatchObject({ callsMax: 1 });
    expect(read({ tools: [HEAT], tool_choice: { type: 'function', function: { name: 'heat' } } }).constraint).toMatchObject({
      choice: { name: 'heat' },
    });
    expect(read({ tools: [HEAT], tool_choice: 'none' })).toMatchObject({ tools: [], constraint: undefined });
  });

  it('carries our own field, and variables of the template', () => {
    const service = { criticality: 'background', deadlineMs: 1500, conversation: 'a' };
    expect(read({ coxswain: service, chat_template_kwargs: { enable_thinking: false } })).toMatchObject({
      service,
      variables: { enable_thinking: false },
    });
  });

  it('lets fields through that it does not know', () => {
    expect(read({ user: 'x', store: true, metadata: { a: 'b' }, service_tier: 'auto', invented: [1] }).model).toBe('cockpit-lm');
  });

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^null/u],
    ['a list', [], /^null/u],
    ['no model', { messages: MINIMAL.messages }, /^model/u],
    ['no messages', { ...MINIMAL, messages: [] }, /^messages/u],
    ['too many messages', { ...MINIMAL, messages: Array.from({ length: 1_001 }, () => MINIMAL.messages[0]) }, /^messages/u],
    ['an unknown role', { ...MINIMAL, messages: [{ role: 'god', content: '' }] }, /^messages\.0\.role/u],
    [
      'an image',
      { ...MINIMAL, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      /^messages\.0\.content/u,
    ],
    ['a user without a text', { ...MINIMAL, messages: [{ role: 'user', content: null }] }, /^messages\.0\.content/u],
    ['a tool that answers nobody', { ...MINIMAL, messages: [{ role: 'tool', content: 'x' }] }, /^messages\.0\.tool_call_id/u],
    [
      'arguments that are no JSON',
      {
        ...MINIMAL,
        messages: [{ role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name: 'x', arguments: '{' } }] }],
      },
      /arguments.*JSON object/u,
    ],
    ['two answers', { ...MINIMAL, n: 2 }, /^n .*one answer/u],
    ['a temperature too high', { ...MINIMAL, temperature: 3 }, /^temperature/u],
    ['no tokens', { ...MINIMAL, max_tokens: 0 }, /^max_tokens/u],
    ['too many stop strings', { ...MINIMAL, stop: Array.from({ length: 17 }, () => 'x') }, /^stop/u],
    ['an empty stop string', { ...MINIMAL, stop: '' }, /^stop/u],
    ['sound', { ...MINIMAL, audio: { voice: 'x' } }, /^audio/u],
    ['old functions', { ...MINIMAL, functions: [] }, /^functions.*"tools"/u],
    ['biases', { ...MINIMAL, logit_bias: { 50256: -100 } }, /^logit_bias/u],
    [
      'a tool with a name that breaks out',
      { ...MINIMAL, tools: [{ type: 'function', function: { name: 'a"b' } }] },
      /^tools\.0\.function\.name/u,
    ],
    ['a choice without tools', { ...MINIMAL, tool_choice: 'required' }, /^tool_choice/u],
    [
      'a choice that is not there',
      { ...MINIMAL, tools: [HEAT], tool_choice: { type: 'function', function: { name: 'fly' } } },
      /^tool_choice.*"fly"/u,
    ],
    ['a schema beside tools', { ...MINIMAL, tools: [HEAT], response_format: { type: 'json_object' } }, /^response_format/u],
    ['alternatives without log-probabilities', { ...MINIMAL, top_logprobs: 2 }, /^top_logprobs/u],
    ['safety over the network', { ...MINIMAL, coxswain: { criticality: 'safety' } }, /^coxswain\.criticality/u],
    ['a slip in our own field', { ...MINIMAL, coxswain: { deadline: 5 } }, /^coxswain/u],
  ])('is refused for %s, with the place', (_, body, message) => {
    expect(refusal(body)).toMatch(message);
  });
});
