import { z } from 'zod';
import { PROVENANCES, type Provenance } from '../../core/proposal.ts';
import { messageSchema, type RequestMessage } from './request-message.ts';

/** A request to `/v1/chat/completions`, in our terms. Sampling, constraint and messages are what `src/models/language` takes. */
export interface ChatCompletionRequest {
  readonly model: string;
  readonly messages: readonly RequestMessage[];
  readonly tools: readonly RequestTool[];
  readonly sampling: Readonly<Record<string, number>>;
  /** What the answer is held to; undefined: nothing. */
  readonly constraint: RequestConstraint | undefined;
  readonly stop: readonly string[];
  /** The most tokens of the answer; undefined: what the context leaves. */
  readonly tokensMax: number | undefined;
  readonly isStream: boolean;
  /** Whether a stream ends with a chunk that tells what was used. */
  readonly includesUsage: boolean;
  /** Variables of the model's chat template. */
  readonly variables: Readonly<Record<string, string | number | boolean>>;
  /** Our own field `coxswain` of the request. */
  readonly service: ServiceOptions;
}

export interface RequestTool {
  readonly name: string;
  readonly description?: string;
  readonly parameters?: unknown;
}

export type RequestConstraint =
  | { readonly kind: 'json'; readonly schema?: unknown }
  | {
      readonly kind: 'tools';
      readonly tools: readonly { readonly name: string; readonly parameters?: unknown }[];
      readonly choice: 'auto' | 'required' | { readonly name: string };
      readonly callsMax: number;
    };

export interface ServiceOptions {
  /** Nobody claims to be `safety` over the network. */
  readonly criticality?: 'interactive' | 'background';
  /** From the request's arrival to the first token of the answer. */
  readonly deadlineMs?: number;
  /** Turns of one conversation share their cache. */
  readonly conversation?: string;
  /** Who the words count as; can only be less trusted than what is configured. */
  readonly provenance?: Provenance;
}

export type ParsedRequest =
  | { readonly kind: 'request'; readonly request: ChatCompletionRequest }
  /** `param`: the place in the request, as "messages.3.content". */
  | { readonly kind: 'refused'; readonly param: string | null; readonly message: string };

const MESSAGES_MAX = 1_000;
const TOOLS_MAX = 128;
const STOPS_MAX = 16;
/** Calls that one answer may have where calls are required and may be several. */
const CALLS_MAX = 4;

const never = (what: string) => z.null({ error: what }).optional();

const toolSchema = z
  .looseObject({
    type: z.literal('function'),
    function: z.looseObject({
      name: z.string().regex(/^[\w.-]{1,64}$/u),
      description: z.string().nullish(),
      parameters: z.unknown().optional(),
    }),
  })
  .transform(
    ({ function: { name, description, parameters } }): RequestTool => ({
      name,
      ...(description == null ? {} : { description }),
      ...(parameters == null ? {} : { parameters }),
    }),
  );

const formatSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('text') }),
  z.looseObject({ type: z.literal('json_object') }),
  z.looseObject({
    type: z.literal('json_schema'),
    json_schema: z.looseObject({ name: z.string().max(64), schema: z.unknown().optional() }),
  }),
]);

const choiceSchema = z.union([
  z.enum(['none', 'auto', 'required']),
  z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: z.string().max(64) }) }),
]);

/** Fields that are not named here are let through unread: clients send more with every version. Those that would change the answer are refused. */
const requestSchema = z.looseObject({
  model: z.string().min(1).max(200),
  messages: z.array(messageSchema).min(1).max(MESSAGES_MAX),
  tools: z.array(toolSchema).max(TOOLS_MAX).nullish(),
  tool_choice: choiceSchema.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  response_format: formatSchema.nullish(),
  max_tokens: z.int().min(1).max(10_000_000).nullish(),
  max_completion_tokens: z.int().min(1).max(10_000_000).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string().min(1).max(500), z.array(z.string().min(1).max(500)).max(STOPS_MAX)]).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  n: z.literal(1, { error: 'only one answer at a time is possible' }).nullish(),
  modalities: z.array(z.literal('text', { error: 'only "text" is possible' })).nullish(),
  audio: never('sound is not possible'),
  functions: never('"functions" is the old form; use "tools"'),
  function_call: never('"function_call" is the old form; use "tool_choice"'),
  logit_bias: z.record(z.string(), z.never({ error: 'a bias of single tokens is not possible' })).nullish(),
  // As llama.cpp's and vLLM's servers name them.
  top_k: z.int().min(-1).max(10_000_000).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).max(100).nullish(),
  repeat_penalty: z.number().gt(0).max(100).nullish(),
  chat_template_kwargs: z
    .record(z.string().regex(/^[a-z_]\w{0,63}$/iu), z.union([z.string().max(1_000), z.number(), z.boolean()]))
    .nullish(),
  coxswain: z
    .strictObject({
      criticality: z.enum(['interactive', 'background']).optional(),
      deadlineMs: z.number().gt(0).max(86_400_000).optional(),
      conversation: z.string().min(1).max(200).optional(),
      provenance: z.enum(PROVENANCES).optional(),
    })
    .nullish(),
});
type WireRequest = z.infer<typeof requestSchema>;

/** Reads the body of a request that was parsed as JSON. */
export function parseChatRequest(body: unknown): ParsedRequest {
  const result = requestSchema.safeParse(body);
  if (!result.success) {
    const issue = result.error.issues[0];
    const param = issue?.path.join('.') ?? '';
    return {
      kind: 'refused',
      param: param === '' ? null : param,
      message: `${param === '' ? 'the request' : param}: ${issue?.message ?? 'invalid'}`,
    };
  }
  return convert(result.data);
}

function convert(wire: WireRequest): ParsedRequest {
  const refused = (param: string, message: string): ParsedRequest => ({ kind: 'refused', param, message: `${param}: ${message}` });
  const choice = wire.tool_choice ?? ((wire.tools?.length ?? 0) > 0 ? 'auto' : 'none');
  const tools = choice === 'none' ? [] : (wire.tools ?? []);
  if (choice !== 'none' && tools.length === 0) return refused('tool_choice', 'a call was asked for, and there are no tools');
  const chosen = typeof choice === 'object' ? choice.function.name : undefined;
  if (chosen !== undefined && !tools.some((tool) => tool.name === chosen))
    return refused('tool_choice', `the tool ${JSON.stringify(chosen)} is not among "tools"`);
  const format = wire.response_format ?? { type: 'text' as const };
  if (tools.length > 0 && format.type !== 'text')
    return refused('response_format', 'an answer is held to a schema or may call tools, not both');
  if (wire.top_logprobs != null && wire.logprobs !== true) return refused('top_logprobs', 'needs "logprobs": true');
  return {
    kind: 'request',
    request: {
      model: wire.model,
      messages: wire.messages,
      tools,
      sampling: samplingOf(wire),
      constraint: constraintOf(wire, format, tools, choice),
      stop: wire.stop == null ? [] : typeof wire.stop === 'string' ? [wire.stop] : wire.stop,
      tokensMax: wire.max_completion_tokens ?? wire.max_tokens ?? undefined,
      isStream: wire.stream ?? false,
      includesUsage: wire.stream_options?.include_usage ?? false,
      variables: wire.chat_template_kwargs ?? {},
      service: serviceOf(wire),
    },
  };
}

function constraintOf(
  wire: WireRequest,
  format: z.infer<typeof formatSchema>,
  tools: readonly RequestTool[],
  choice: z.infer<typeof choiceSchema>,
): RequestConstraint | undefined {
  if (format.type === 'json_object') return { kind: 'json' };
  if (format.type === 'json_schema') return { kind: 'json', schema: format.json_schema.schema ?? {} };
  if (tools.length === 0 || choice === 'none') return undefined;
  const specs = tools.map(({ name, parameters }) => ({ name, ...(parameters === undefined ? {} : { parameters }) }));
  const wanted = typeof choice === 'string' ? choice : { name: choice.function.name };
  return {
    kind: 'tools',
    tools: specs,
    choice: wanted,
    callsMax: wire.parallel_tool_calls === false || typeof wanted === 'object' ? 1 : CALLS_MAX,
  };
}

/** What the request says, and no more: what it leaves out is the model's or the configuration's to say. */
function samplingOf(wire: WireRequest): Readonly<Record<string, number>> {
  const given = {
    temperature: wire.temperature,
    topP: wire.top_p,
    // Both 0 and -1 stand for all tokens.
    topK: wire.top_k == null ? undefined : Math.max(0, wire.top_k),
    minP: wire.min_p,
    repetitionPenalty: wire.repetition_penalty ?? wire.repeat_penalty,
    frequencyPenalty: wire.frequency_penalty,
    presencePenalty: wire.presence_penalty,
    seed: wire.seed,
    logprobs: wire.logprobs === true ? (wire.top_logprobs ?? 0) : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, number] => typeof entry[1] === 'number'));
}

function serviceOf({ coxswain }: WireRequest): ServiceOptions {
  const { criticality, deadlineMs, conversation, provenance } = coxswain ?? {};
  return {
    ...(criticality === undefined ? {} : { criticality }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(conversation === undefined ? {} : { conversation }),
    ...(provenance === undefined ? {} : { provenance }),
  };
}
