import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { createReplyWriter, type WireLogprob, type WirePiece } from '../../../../src/sinks/openai/chat-reply.ts';
import { type ChatCompletionRequest, parseChatRequest } from '../../../../src/sinks/openai/chat-request.ts';
import { modelEntry, modelList } from '../../../../src/sinks/openai/model-list.ts';
import { encodeEvent, KEEP_ALIVE, STREAM_END } from '../../../../src/sinks/openai/server-sent-events.ts';
import {
  bodyTooLarge,
  invalidRequest,
  notFound,
  overloaded,
  unauthorized,
  type WireError,
  wireErrorOf,
  wrongMethod,
} from '../../../../src/sinks/openai/wire-error.ts';

const HEAD = { id: 'chatcmpl-1', createdS: 1_790_000_000, model: 'cockpit-lm' };
const USAGE = { promptTokens: 20, cachedTokens: 8, answerTokens: 5, queuedMs: 1, firstTokenMs: 12, answerMs: 40 };
const PIECES: readonly WirePiece[] = [
  { kind: 'text', text: 'One moment,\n\ndata: please. ' },
  { kind: 'call', name: 'heat', argumentsText: '{"level":2}' },
  { kind: 'call', name: 'light', argumentsText: '{}' },
];
const TOOL = { type: 'function', function: { name: 'heat', parameters: { type: 'object' } } } as const;

/** The real client, whose requests are answered here instead of over the network. */
function setUp(pieces: readonly WirePiece[], logprobs?: readonly WireLogprob[]) {
  const requests: ChatCompletionRequest[] = [];
  const answer = (body: string): Response => {
    const parsed = parseChatRequest(JSON.parse(body));
    if (parsed.kind === 'refused') return errorResponse(invalidRequest(parsed.param, parsed.message));
    const { request } = parsed;
    requests.push(request);
    const writer = createReplyWriter(HEAD);
    if (!request.isStream) {
      for (const piece of pieces) writer.piece(piece, logprobs);
      return Response.json(writer.whole('stop', USAGE));
    }
    const events = [
      KEEP_ALIVE,
      encodeEvent(writer.begin()),
      ...pieces.map((piece) => encodeEvent(writer.piece(piece, logprobs))),
      encodeEvent(writer.end('stop')),
    ];
    if (request.includesUsage) events.push(encodeEvent(writer.usage(USAGE)));
    // Cut anywhere, as a network does.
    const bytes = new TextEncoder().encode([...events, STREAM_END].join(''));
    const body7 = new ReadableStream({
      start: (controller) => {
        for (let at = 0; at < bytes.length; at += 7) controller.enqueue(bytes.subarray(at, at + 7));
        controller.close();
      },
    });
    return new Response(body7, { headers: { 'content-type': 'text/event-stream' } });
  };
  const client = new OpenAI({
    apiKey: 'none',
    baseURL: 'http://coxswain.invalid/v1',
    maxRetries: 0,
    fetch: async (url, init) => {
      const path = new URL(String(url)).pathname;
      if (path === '/v1/models') return Response.json(modelList([{ id: 'cockpit-lm', createdS: 1, contextTokens: 1024 }]));
      if (path.startsWith('/v1/models/')) return Response.json(modelEntry({ id: 'cockpit-lm', createdS: 1, contextTokens: 1024 }));
      return answer(String(init?.body));
    },
  });
  return { client, requests };
}

const errorResponse = ({ status, body, retryAfterS }: WireError): Response =>
  Response.json(body, { status, headers: retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) } });

const messages = [{ role: 'user', content: 'warm' }] as const;

describe('the openai client', () => {
  it('reads a whole answer with text, calls and usage', async () => {
    const { client, requests } = setUp(PIECES);
    const completion = await client.chat.completions.create({
      model: 'cockpit-lm',
      messages: [...messages],
      tools: [TOOL],
      temperature: 0,
    });
    expect(requests[0]).toMatchObject({ sampling: { temperature: 0 }, constraint: { kind: 'tools', choice: 'auto' } });
    const [choice] = completion.choices;
    expect(choice?.message.content).toBe('One moment,\n\ndata: please. ');
    expect(choice?.message.tool_calls).toMatchObject([
      { type: 'function', function: { name: 'heat', arguments: '{"level":2}' } },
      { type: 'function', function: { name: 'light', arguments: '{}' } },
    ]);
    expect(new Set(choice?.message.tool_calls?.map((call) => call.id)).size).toBe(2);
    expect(choice?.finish_reason).toBe('tool_calls');
    expect(completion.usage).toMatchObject({
      prompt_tokens: 20,
      completion_tokens: 5,
      total_tokens: 25,
      prompt_tokens_details: { cached_tokens: 8 },
    });
    expect(completion).toMatchObject({ timings: { first_token_ms: 12, ms_per_token: 10, tokens_per_second: 100 } });
  });

  it('puts a stream together to the same answer', async () => {
    const { client, requests } = setUp(PIECES);
    const stream = client.chat.completions.stream({
      model: 'cockpit-lm',
      messages: [...messages],
      tools: [TOOL],
      stream_options: { include_usage: true },
    });
    const { choices, usage } = await stream.finalChatCompletion();
    expect(requests[0]).toMatchObject({ isStream: true, includesUsage: true });
    expect(choices[0]?.message.content).toBe('One moment,\n\ndata: please. ');
    expect(choices[0]?.message.tool_calls?.map((call) => (call.type === 'function' ? call.function.name : ''))).toEqual(['heat', 'light']);
    expect(choices[0]?.finish_reason).toBe('tool_calls');
    expect(usage?.total_tokens).toBe(25);
  });

  it('reads log-probabilities, the impossible ones too', async () => {
    const logprobs = [{ token: 'a', logprob: -0.5, bytes: [97], top: [{ token: 'b', logprob: Number.NEGATIVE_INFINITY, bytes: [98] }] }];
    const { client } = setUp([{ kind: 'text', text: 'a' }], logprobs);
    const ask = { model: 'cockpit-lm', messages: [...messages], logprobs: true, top_logprobs: 1 };
    const whole = await client.chat.completions.create(ask);
    const shown = [{ token: 'a', logprob: -0.5, bytes: [97], top_logprobs: [{ token: 'b', logprob: -9999, bytes: [98] }] }];
    expect(whole.choices[0]?.logprobs?.content).toEqual(shown);
    const streamed = await client.chat.completions.stream(ask).finalChatCompletion();
    expect(streamed.choices[0]?.logprobs?.content).toEqual(shown);
  });

  it('gets a structured answer parsed', async () => {
    const { client, requests } = setUp([{ kind: 'text', text: '{"level":2}' }]);
    const schema = { type: 'object', properties: { level: { type: 'integer' } }, required: ['level'], additionalProperties: false };
    const completion = await client.chat.completions.parse({
      model: 'cockpit-lm',
      messages: [...messages],
      response_format: { type: 'json_schema', json_schema: { name: 'x', strict: true, schema } },
    });
    expect(requests[0]?.constraint).toEqual({ kind: 'json', schema });
    expect(completion.choices[0]?.message.parsed).toEqual({ level: 2 });
    expect(completion.choices[0]?.finish_reason).toBe('stop');
  });

  it('lists models', async () => {
    const { client } = setUp([]);
    expect((await client.models.list()).data).toMatchObject([{ id: 'cockpit-lm', object: 'model' }]);
    expect(await client.models.retrieve('cockpit-lm')).toMatchObject({ max_model_len: 1024 });
  });

  it('throws its own error for a request that is refused', async () => {
    const { client } = setUp([]);
    const asked = client.chat.completions.create({ model: 'cockpit-lm', messages: [...messages], n: 2 });
    await expect(asked).rejects.toMatchObject({ status: 400, param: 'n', type: 'invalid_request_error' });
  });
});

describe('a reply', () => {
  it('says length where the tokens ran out, and shows a call that cannot be read as text', () => {
    const writer = createReplyWriter(HEAD);
    writer.piece({ kind: 'call-invalid', text: '{"name":' });
    expect(writer.whole('length', { ...USAGE, answerTokens: 1 })).toMatchObject({
      choices: [{ message: { content: '{"name":' }, finish_reason: 'length' }],
      timings: { ms_per_token: null, tokens_per_second: null },
    });
  });

  it('has no content beside calls alone', () => {
    const writer = createReplyWriter(HEAD);
    writer.piece({ kind: 'call', name: 'a', argumentsText: '{}' });
    expect(writer.whole('stop', USAGE)).toMatchObject({ choices: [{ message: { content: null }, finish_reason: 'tool_calls' }] });
  });
});

describe('an error on the wire', () => {
  it('keeps the words of our errors, and says nothing of others', () => {
    expect(wireErrorOf(new CoxswainError('CONTEXT_OVERFLOW', 'too long'))).toMatchObject({
      status: 400,
      body: { error: { code: 'context_length_exceeded', message: 'too long' } },
    });
    expect(wireErrorOf(new CoxswainError('MODEL_UNKNOWN', 'no such'))).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found' } },
    });
    expect(wireErrorOf(new CoxswainError('TURN_FAILED', 'x'))).toMatchObject({ status: 500, body: { error: { type: 'server_error' } } });
    expect(JSON.stringify(wireErrorOf(new Error('/etc/secret')))).not.toContain('secret');
  });

  it('says when to come again', () => {
    expect(overloaded('cores are full', 0.2)).toMatchObject({ status: 429, retryAfterS: 1 });
    expect(overloaded('cores are full', 12.3).retryAfterS).toBe(13);
  });

  it('has the statuses that clients know', () => {
    expect([unauthorized(), notFound('/x'), wrongMethod('PUT', 'POST'), bodyTooLarge(10)].map(({ status }) => status)).toEqual([
      401, 404, 405, 413,
    ]);
  });
});
