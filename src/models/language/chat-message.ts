import type { ToolSpec } from './constraint/tool-grammar.ts';

/** A call that the assistant proposed earlier in the conversation. */
export interface PastToolCall {
  readonly id?: string | undefined;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** A message of a conversation. Every text in it may come from a stranger. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string; readonly name?: string | undefined }
  | {
      readonly role: 'assistant';
      readonly content: string;
      /** What it thought before it answered; templates leave out or keep it as the model was trained. */
      readonly reasoning?: string | undefined;
      readonly toolCalls?: readonly PastToolCall[] | undefined;
    }
  | { readonly role: 'tool'; readonly content: string; readonly name?: string | undefined; readonly toolCallId?: string | undefined };

export interface ChatRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly (ToolSpec & { readonly description?: string | undefined })[] | undefined;
  /** Whether the prompt ends where the assistant's answer begins; true when left out. */
  readonly addsGenerationPrompt?: boolean | undefined;
  /** Variables of the model's own template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** Wall time in milliseconds since 1970 for templates that write the date (in UTC). */
  readonly nowMs?: number | undefined;
}

/** How a text is changed on its way into a template. */
export type TextChange = (text: string) => string;

/**
 * A request as the variables that chat templates expect. `content` changes what people, documents and tools wrote; `naming` what names things, where templates may
 * compare it with names of their own.
 */
export function templateVariables(request: ChatRequest, content: TextChange, naming: TextChange): Record<string, unknown> {
  const messages = request.messages.map((message) => messageVariables(message, content, naming));
  const tools = request.tools?.map(({ name, description, parameters }) => ({
    type: 'function',
    function: {
      name: naming(name),
      ...(description === undefined ? {} : { description: naming(description) }),
      parameters: changeTexts(parameters ?? { type: 'object', properties: {} }, naming, naming),
    },
  }));
  return {
    ...request.variables,
    messages,
    // Templates ask "if tools", and an empty list is as good as none.
    ...(tools === undefined || tools.length === 0 ? {} : { tools }),
    add_generation_prompt: request.addsGenerationPrompt ?? true,
  };
}

function messageVariables(message: ChatMessage, content: TextChange, naming: TextChange): Record<string, unknown> {
  const base = { role: message.role, content: content(message.content) };
  switch (message.role) {
    case 'system':
    case 'user':
      return { ...base, ...(message.name === undefined ? {} : { name: naming(message.name) }) };
    case 'tool':
      return {
        ...base,
        ...(message.name === undefined ? {} : { name: naming(message.name) }),
        ...(message.toolCallId === undefined ? {} : { tool_call_id: content(message.toolCallId) }),
      };
    case 'assistant': {
      const calls = message.toolCalls ?? [];
      return {
        ...base,
        ...(message.reasoning === undefined ? {} : { reasoning_content: content(message.reasoning) }),
        ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callVariables(call, content, naming)) }),
      };
    }
  }
}

function callVariables(call: PastToolCall, content: TextChange, naming: TextChange): Record<string, unknown> {
  return {
    ...(call.id === undefined ? {} : { id: content(call.id) }),
    type: 'function',
    function: { name: naming(call.name), arguments: changeTexts(call.arguments, content, naming) },
  };
}

function changeTexts(value: unknown, text: TextChange, naming: TextChange): unknown {
  if (typeof value === 'string') return text(value);
  if (Array.isArray(value)) return value.map((item) => changeTexts(item, text, naming));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [naming(key), changeTexts(item, text, naming)]));
}
