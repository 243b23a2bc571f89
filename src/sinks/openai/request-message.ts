import { z } from 'zod';

/** A message as `src/models/language` takes it; the two folders meet in the runtime alone. */
export type RequestMessage =
  | { readonly role: 'system' | 'user'; readonly content: string; readonly name?: string }
  | { readonly role: 'assistant'; readonly content: string; readonly reasoning?: string; readonly toolCalls?: readonly RequestToolCall[] }
  | { readonly role: 'tool'; readonly content: string; readonly toolCallId: string };

export interface RequestToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

const textPart = z.looseObject({
  type: z.literal('text', { error: 'only parts of type "text" are possible; this model sees no images and hears no sound' }),
  text: z.string(),
});
/** A text, or parts of one. */
const content = z.union(
  [
    z.string(),
    z
      .array(textPart)
      .max(1_000)
      .transform((parts) => parts.map((part) => part.text).join('')),
  ],
  {
    error: 'a text, or a list of parts {"type": "text", "text": ...}',
  },
);
const optionalContent = z
  .union([content, z.null()])
  .optional()
  .transform((value) => value ?? '');
const name = z.string().max(64).optional();

/** The arguments of an earlier call: JSON as the model wrote it. */
const argumentsText = z.string().transform((text, context): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text === '' ? '{}' : text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // What is no JSON is reported like what is no object.
  }
  context.addIssue({ code: 'custom', message: 'not the text of a JSON object' });
  return z.NEVER;
});

const toolCall = z
  .looseObject({
    id: z.string().max(200),
    type: z.literal('function').default('function'),
    function: z.looseObject({ name: z.string().max(64), arguments: argumentsText }),
  })
  .transform((call): RequestToolCall => ({ id: call.id, name: call.function.name, arguments: call.function.arguments }));

const withName = (message: { readonly content: string; readonly name?: string | undefined }) => ({
  content: message.content,
  ...(message.name === undefined ? {} : { name: message.name }),
});

/** Messages of `/v1/chat/completions`, `developer` taken as `system`. */
export const messageSchema = z.discriminatedUnion('role', [
  z
    .looseObject({ role: z.literal('system'), content, name })
    .transform((message): RequestMessage => ({ role: 'system', ...withName(message) })),
  z
    .looseObject({ role: z.literal('developer'), content, name })
    .transform((message): RequestMessage => ({ role: 'system', ...withName(message) })),
  z
    .looseObject({ role: z.literal('user'), content, name })
    .transform((message): RequestMessage => ({ role: 'user', ...withName(message) })),
  z
    .looseObject({ role: z.literal('tool'), content, tool_call_id: z.string().max(200) })
    .transform((message): RequestMessage => ({ role: 'tool', content: message.content, toolCallId: message.tool_call_id })),
  z
    .looseObject({
      role: z.literal('assistant'),
      content: optionalContent,
      reasoning_content: z.string().nullish(),
      tool_calls: z.array(toolCall).max(128).nullish(),
    })
    .transform(
      (message): RequestMessage => ({
        role: 'assistant',
        content: message.content,
        ...(message.reasoning_content == null ? {} : { reasoning: message.reasoning_content }),
        ...(message.tool_calls == null ? {} : { toolCalls: message.tool_calls }),
      }),
    ),
]);
