import { CoxswainError } from '../../../core/errors.ts';
import type { GrammarBuilder } from './grammar.ts';
import { FIRST_MARK } from './grammar.ts';
import { type SchemaGrammarOptions, schemaRule } from './schema-grammar.ts';

/** A tool that the model may propose to call. */
export interface ToolSpec {
  readonly name: string;
  /** JSON Schema of an object of arguments; left out: no arguments. */
  readonly parameters?: unknown;
}

/** How a tool call is written: between two marks. Control tokens where the vocabulary has them, else their text. */
export interface ToolMarks {
  readonly open: string;
  readonly close: string;
  readonly isControl: boolean;
}

const TOOLS_MAX = 128;

/**
 * The rule of one or more tool calls: `<tool_call>{"name":"...","arguments":{...}}</tool_call>`, arguments by the tool's own schema. With control tokens
 * the marks are symbols 256 and 257.
 */
export function toolCallsRule(
  builder: GrammarBuilder,
  tools: readonly ToolSpec[],
  marks: ToolMarks,
  callsMax: number,
  options: SchemaGrammarOptions,
): number {
  checkTools(tools);
  const call = toolCallRule(builder, tools, marks, options);
  return builder.rule('tool calls', (start) => {
    let at = start;
    for (let count = 0; count < callsMax; count += 1) {
      const open = markFrom(builder, at, marks, 'open');
      const after = builder.state();
      builder.call(open, call, after);
      builder.end(after);
      if (options.spaceMax > 0) {
        const line = builder.literal(after, '\n');
        builder.skip(after, line);
        at = line;
      } else at = after;
    }
  });
}

/** Free text in which tool calls may stand: what follows an opening mark is held to, the rest is not. */
export function freeWithToolsRule(
  builder: GrammarBuilder,
  tools: readonly ToolSpec[],
  marks: ToolMarks,
  options: SchemaGrammarOptions,
): number {
  checkTools(tools);
  const call = toolCallRule(builder, tools, marks, options);
  return builder.rule('free text with tool calls', (start) => {
    if (marks.isControl) {
      builder.free(start);
      builder.end(start);
      builder.edge(start, 0, 255, start);
      builder.call(markFrom(builder, start, marks, 'open'), call, start);
      return;
    }
    buildSearch(builder, start, new TextEncoder().encode(marks.open), call);
  });
}

/** Everything from behind the opening mark to the closing mark, both of JSON and marks. */
function toolCallRule(builder: GrammarBuilder, tools: readonly ToolSpec[], marks: ToolMarks, options: SchemaGrammarOptions): number {
  const space = (from: number, text: string): number => {
    if (options.spaceMax === 0) return from;
    const next = builder.literal(from, text);
    builder.skip(from, next);
    return next;
  };
  return builder.rule('tool call', (start) => {
    const closing = builder.state();
    const begin = builder.literal(space(builder.literal(space(start, '\n'), '{"name":'), ' '), '"');
    for (const tool of tools) {
      const name = builder.literal(begin, JSON.stringify(tool.name).slice(1));
      const colon = builder.literal(space(builder.literal(name, ','), ' '), '"arguments":');
      const rule = schemaRule(builder, tool.parameters ?? { type: 'object', additionalProperties: false }, options);
      const after = builder.state();
      builder.call(space(colon, ' '), rule, after);
      builder.skip(builder.literal(after, '}'), closing);
    }
    builder.end(markFrom(builder, space(closing, '\n'), marks, 'close'));
  });
}

function markFrom(builder: GrammarBuilder, from: number, marks: ToolMarks, which: 'open' | 'close'): number {
  if (!marks.isControl) return builder.literal(from, marks[which]);
  const symbol = FIRST_MARK + (which === 'open' ? 0 : 1);
  const to = builder.state();
  builder.edge(from, symbol, symbol, to);
  return to;
}

/** Any bytes, looking for the mark (Knuth, Morris and Pratt): state n has read n bytes of it. */
function buildSearch(builder: GrammarBuilder, start: number, mark: Uint8Array, call: number): void {
  const states = [start, ...Array.from({ length: mark.length - 1 }, () => builder.state())];
  const found = builder.state();
  builder.call(found, call, start);
  const after = (matched: number, byte: number): number => {
    const read = [...mark.subarray(0, matched), byte];
    for (let size = Math.min(read.length, mark.length); size > 0; size -= 1)
      if (read.slice(read.length - size).every((value, index) => value === mark[index])) return size;
    return 0;
  };
  states.forEach((state, matched) => {
    builder.end(state);
    for (let byte = 0; byte < 256; byte += 1) {
      const size = after(matched, byte);
      builder.edge(state, byte, byte, size === mark.length ? found : (states[size] ?? start));
    }
  });
}

function checkTools(tools: readonly ToolSpec[]): void {
  if (tools.length === 0 || tools.length > TOOLS_MAX)
    throw new CoxswainError(
      'SCHEMA_REFUSED',
      `${tools.length} tools were given; 1 to ${TOOLS_MAX} are possible. Give those alone that may be needed.`,
    );
  const names = new Set<string>();
  for (const { name } of tools) {
    if (!/^[\w.-]{1,64}$/u.test(name) || names.has(name)) {
      const message = `a tool is called ${JSON.stringify(name.slice(0, 80))}; names have 1 to 64 letters, digits, "_", "-" or ".", each once. Rename it.`;
      throw new CoxswainError('SCHEMA_REFUSED', message);
    }
    names.add(name);
  }
}
