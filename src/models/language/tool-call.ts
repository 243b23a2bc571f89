/** What a model wrote between its marks for a tool call. It is a proposal: nothing runs because of it before it passes the gate. */
export type ToolCall =
  | {
      readonly kind: 'call';
      readonly name: string;
      readonly arguments: Readonly<Record<string, unknown>>;
      /** The arguments as compact JSON. */
      readonly argumentsText: string;
    }
  | { readonly kind: 'call-invalid'; readonly text: string; readonly problem: string };

const CALL_CHARS_MAX = 65_536;
/** Deeper than any tool's arguments; the grammar's own bound is about 60. */
const DEPTH_MAX = 100;

/** Reads `{"name": ..., "arguments": {...}}`; some models say "parameters", or write the arguments as a text of JSON. */
export function parseToolCall(text: string): ToolCall {
  const invalid = (problem: string): ToolCall => ({ kind: 'call-invalid', text: text.slice(0, 1_000), problem });
  if (text.length > CALL_CHARS_MAX) return invalid(`a call of ${text.length} characters is longer than ${CALL_CHARS_MAX}`);
  const call = parseObject(text);
  if (call === undefined) return invalid('a call is a JSON object, and this is none');
  const { name } = call;
  if (typeof name !== 'string' || name === '' || name.length > 64) return invalid('"name" is not a text of 1 to 64 characters');
  const given = call.arguments ?? call.parameters ?? {};
  const values = typeof given === 'string' ? parseObject(given) : asObject(given);
  if (values === undefined) return invalid('"arguments" is not an object');
  if (depthOf(values) > DEPTH_MAX) return invalid(`"arguments" is nested deeper than ${DEPTH_MAX}`);
  return { kind: 'call', name, arguments: values, argumentsText: JSON.stringify(values) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const asObject = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** Counted level by level, so that depth itself cannot overflow the stack. */
function depthOf(value: unknown): number {
  let level: readonly unknown[] = [value];
  for (let depth = 0; ; depth += 1) {
    const inner = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
    if (inner.length === 0 || depth > DEPTH_MAX) return depth;
    level = inner;
  }
}
