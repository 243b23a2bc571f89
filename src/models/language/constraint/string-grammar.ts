import type { GrammarBuilder } from './grammar.ts';
import { utf8Ranges } from './utf8-ranges.ts';

/** Inclusive ranges of code points, ascending and apart. */
export type CharacterSet = readonly (readonly [number, number])[];

export const ANY_CHARACTER: CharacterSet = [[0, 0x10ffff]];

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SHORT_ESCAPES = new Map([
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [QUOTE, '"'],
  [BACKSLASH, '\\'],
]);

/**
 * The rule of any one character inside a JSON string: as UTF-8, or escaped in any of JSON's ways but as half of a surrogate pair (the character
 * itself can be written).
 */
export function anyCharacterRule(builder: GrammarBuilder): number {
  return builder.rule('any character', (start) => {
    const end = builder.state();
    builder.end(end);
    addPlain(builder, start, end, ANY_CHARACTER);
    const escaped = builder.state();
    builder.edge(start, BACKSLASH, BACKSLASH, escaped);
    for (const letter of '"\\/bfnrt') builder.edge(escaped, code(letter), code(letter), end);
    const digits = Array.from({ length: 4 }, () => builder.state());
    const [first = 0, second = 0, third = 0, fourth = 0] = digits;
    builder.edge(escaped, 0x75, 0x75, first);
    for (const [low, high] of ['09', 'AC', 'ac', 'EF', 'ef']) builder.edge(first, code(low), code(high), second);
    const afterD = builder.state();
    for (const letter of 'Dd') builder.edge(first, code(letter), code(letter), afterD);
    builder.edge(afterD, code('0'), code('7'), third);
    addHexDigit(builder, second, third);
    addHexDigit(builder, third, fourth);
    addHexDigit(builder, fourth, end);
  });
}

/** The rule of one character of a set, each in one way: as itself, or by its shortest escape where JSON demands one. */
export function characterRule(builder: GrammarBuilder, set: CharacterSet): number {
  if (set.length === 1 && set[0]?.[0] === 0 && set[0][1] === 0x10ffff) return anyCharacterRule(builder);
  return builder.rule(`characters ${JSON.stringify(set)}`, (start) => {
    const end = builder.state();
    builder.end(end);
    addPlain(builder, start, end, set);
    for (const codePoint of [...Array(0x20).keys(), QUOTE, BACKSLASH]) {
      if (!set.some(([low, high]) => low <= codePoint && codePoint <= high)) continue;
      const short = SHORT_ESCAPES.get(codePoint);
      const written = short === undefined ? `\\u${codePoint.toString(16).padStart(4, '0')}` : `\\${short}`;
      builder.skip(builder.literal(start, written), end);
    }
  });
}

/** A string of min..max characters, any of them. */
export function stringRule(builder: GrammarBuilder, min: number, max: number): number {
  const character = anyCharacterRule(builder);
  return builder.rule(`string ${min} ${max}`, (start) => {
    const end = builder.state();
    builder.end(end);
    let at = builder.state();
    builder.edge(start, QUOTE, QUOTE, at);
    for (let length = 0; ; length += 1) {
      builder.room(at, max - length);
      if (length >= min) builder.edge(at, QUOTE, QUOTE, end);
      if (length >= max) break;
      const next = builder.state();
      builder.call(at, character, next);
      at = next;
    }
  });
}

/** Characters of a set as UTF-8, without those that JSON wants escaped. */
function addPlain(builder: GrammarBuilder, start: number, end: number, set: CharacterSet): void {
  // Rows that begin alike share states, so that reading a byte leaves one way to go on.
  const known = new Map<string, number>();
  for (const [low, high] of set) {
    const parts: CharacterSet = [
      [Math.max(low, 0x20), Math.min(high, QUOTE - 1)],
      [Math.max(low, QUOTE + 1), Math.min(high, BACKSLASH - 1)],
      [Math.max(low, BACKSLASH + 1), high],
    ];
    for (const [from, to] of parts)
      for (const row of utf8Ranges(from, to)) {
        let at = start;
        row.forEach(([first, last], index) => {
          // The rest of a row decides which state it shares: equal rests lead to the same end.
          const rest = JSON.stringify(row.slice(index + 1));
          const next = index === row.length - 1 ? end : (known.get(rest) ?? builder.state());
          known.set(rest, next);
          addEdge(builder, at, first, last, next, known);
          at = next;
        });
      }
  }
}

/** Adds an edge once. */
function addEdge(builder: GrammarBuilder, from: number, low: number, high: number, to: number, known: Map<string, number>): void {
  const key = `edge ${from} ${low} ${high} ${to}`;
  if (known.has(key)) return;
  known.set(key, to);
  builder.edge(from, low, high, to);
}

function addHexDigit(builder: GrammarBuilder, from: number, to: number): void {
  for (const [low, high] of ['09', 'AF', 'af']) builder.edge(from, code(low), code(high), to);
}

const code = (letter: string | undefined): number => letter?.charCodeAt(0) ?? 0;
