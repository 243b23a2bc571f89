import { CST, Lexer } from 'yaml';

/** Where a text nests deeper than allowed, as an offset into it. */
export interface TooDeep {
  readonly offset: number;
}

/**
 * Looks at the tokens of a YAML text before anybody parses it, and finds where it nests deeper than `depthMax`. Parser and composer of `yaml` call themselves
 * once per level, and V8 ends the whole process, uncatchably, when a regular expression is compiled for the first time near the end of the stack
 * (262 144 times `[` did that); the lexer is a loop. Block levels are counted from the indentation of the lines and the indicators in them, which
 * is the depth itself or, where a list stands as far left as its key, down to half of it.
 */
export function findTooDeep(text: string, depthMax: number): TooDeep | undefined {
  const line: Line = { indent: 0, indicators: 0, isStart: true };
  const blocks = new BlockLevels();
  let flowDepth = 0;
  let offset = 0;
  let isScalarNext = false;
  for (const source of new Lexer().lex(text)) {
    const type: Token = isScalarNext ? 'source' : CST.tokenType(source);
    isScalarNext = type === 'scalar';
    // Signs from lexer to parser, not parts of the text.
    if (type === 'scalar' || type === 'doc-mode' || type === 'flow-error-end') continue;
    followLine(line, type, source);
    if (type === 'flow-seq-start' || type === 'flow-map-start') flowDepth += 1;
    else if (type === 'flow-seq-end' || type === 'flow-map-end') flowDepth = Math.max(0, flowDepth - 1);
    else if (flowDepth === 0 && (type === 'seq-item-ind' || type === 'explicit-key-ind' || type === 'map-value-ind')) {
      line.indicators += 1;
      blocks.open(line.indent, line.indicators);
    }
    if (blocks.depth + flowDepth > depthMax) return { offset };
    offset += source.length;
  }
  return undefined;
}

/** `source`: what a scalar consists of, whatever it looks like. */
type Token = CST.TokenType | 'source' | null;

interface Line {
  indent: number;
  /** Of blocks: `-`, `?` and `:`. */
  indicators: number;
  /** Nothing but blanks so far. */
  isStart: boolean;
}

function followLine(line: Line, type: Token, source: string): void {
  if (type === 'newline' || type === 'doc-start' || type === 'doc-end' || (type === 'source' && source.endsWith('\n'))) {
    line.indent = 0;
    line.indicators = 0;
    line.isStart = true;
  } else if (type === 'space') {
    if (line.isStart) line.indent = source.length;
  } else {
    line.isStart = false;
  }
}

/** Block collections that are open, by the indentation of the line that opened them. */
class BlockLevels {
  depth = 0;
  readonly #open: { readonly indent: number; readonly count: number }[] = [];

  /** A line at `indent` has `count` indicators so far; it closes whatever stands as far right or further. */
  open(indent: number, count: number): void {
    while ((this.#open.at(-1)?.indent ?? -1) >= indent) this.depth -= this.#open.pop()?.count ?? 0;
    this.#open.push({ indent, count });
    this.depth += count;
  }
}
