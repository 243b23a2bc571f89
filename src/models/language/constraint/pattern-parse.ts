import { CoxswainError } from '../../../core/errors.ts';
import type { CharacterSet } from './string-grammar.ts';

/** What a regular expression says, as a tree. */
export type Pattern =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'row'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'choice'; readonly parts: readonly Pattern[] }
  | { readonly kind: 'repeat'; readonly part: Pattern; readonly min: number; readonly max: number };

export interface AnchoredPattern {
  readonly pattern: Pattern;
  /** Whether the text must begin, and end, with the match. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

const PATTERN_CHARS_MAX = 1_000;
const DEPTH_MAX = 50;
const REPEAT_MAX = 1_000;

const DIGITS: CharacterSet = [[0x30, 0x39]];
const WORD: CharacterSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** White space and line ends of ECMAScript. */
const SPACE: CharacterSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: CharacterSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const CONTROL_ESCAPES = new Map([
  ['n', 0x0a],
  ['r', 0x0d],
  ['t', 0x09],
  ['f', 0x0c],
  ['v', 0x0b],
  ['0', 0],
]);

/**
 * Reads the part of ECMAScript's regular expressions that a text can be held to while it is written: characters, classes, groups, alternatives, quantifiers, and anchors
 * at the very ends. Errors: SCHEMA_REFUSED for lookaround, back-references, word borders, properties (\p), anchors elsewhere, and what is over the limits.
 */
export function parsePattern(source: string, place: string): AnchoredPattern {
  if (source.length > PATTERN_CHARS_MAX)
    throw refused(place, `a pattern of ${source.length} characters is longer than ${PATTERN_CHARS_MAX}`);
  const letters = [...source];
  const atStart = letters[0] === '^';
  const atEnd = letters.at(-1) === '$' && !isEscaped(letters, letters.length - 1);
  const inner = letters.slice(atStart ? 1 : 0, atEnd ? -1 : undefined);
  const reader = { letters: inner, at: 0, place };
  const pattern = readChoice(reader, 0);
  if (reader.at < inner.length) throw refused(place, `the pattern has a ")" too many`);
  // "^a|b$" anchors each alternative by itself, which is not what taking the anchors off means.
  if (pattern.kind === 'choice' && (atStart || atEnd))
    throw refused(place, 'the pattern has alternatives between its anchors; put them into a group: "^(?:a|b)$"');
  return { pattern, atStart, atEnd };
}

interface Reader {
  readonly letters: readonly string[];
  readonly place: string;
  at: number;
}

function isEscaped(letters: readonly string[], at: number): boolean {
  let slashes = 0;
  while (letters[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}

function readChoice(reader: Reader, depth: number): Pattern {
  if (depth > DEPTH_MAX) throw refused(reader.place, `groups of the pattern are nested deeper than ${DEPTH_MAX}`);
  const parts = [readRow(reader, depth)];
  while (reader.letters[reader.at] === '|') {
    reader.at += 1;
    parts.push(readRow(reader, depth));
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind: 'choice', parts };
}

function readRow(reader: Reader, depth: number): Pattern {
  const parts: Pattern[] = [];
  for (;;) {
    const letter = reader.letters[reader.at];
    if (letter === undefined || letter === '|' || letter === ')') break;
    parts.push(readQuantified(reader, readAtom(reader, depth)));
  }
  return { kind: 'row', parts };
}

function readAtom(reader: Reader, depth: number): Pattern {
  const letter = reader.letters[reader.at] ?? '';
  reader.at += 1;
  if (letter === '(') return readGroup(reader, depth);
  if (letter === '[') return { kind: 'set', set: readClass(reader) };
  if (letter === '.') return { kind: 'set', set: complement(LINE_ENDS) };
  if (letter === '\\') return { kind: 'set', set: readEscape(reader) };
  if (letter === '^' || letter === '$')
    throw refused(reader.place, `the pattern has "${letter}" in its middle; only at its ends it is possible`);
  if ('*+?{'.includes(letter)) throw refused(reader.place, `the pattern has "${letter}" where nothing is to be repeated`);
  return { kind: 'set', set: single(letter) };
}

function readGroup(reader: Reader, depth: number): Pattern {
  if (reader.letters[reader.at] === '?') {
    const rest = reader.letters.slice(reader.at, reader.at + 100).join('');
    const head = /^\?(?::|<[A-Za-z_]\w*>)/u.exec(rest)?.[0];
    if (head === undefined) throw refused(reader.place, 'the pattern has a lookaround or another special group');
    reader.at += head.length;
  }
  const inside = readChoice(reader, depth + 1);
  if (reader.letters[reader.at] !== ')') throw refused(reader.place, 'a group of the pattern is not closed');
  reader.at += 1;
  return inside;
}

function readQuantified(reader: Reader, part: Pattern): Pattern {
  const letter = reader.letters[reader.at];
  let bounds: readonly [number, number] | undefined;
  if (letter === '*') bounds = [0, Number.POSITIVE_INFINITY];
  if (letter === '+') bounds = [1, Number.POSITIVE_INFINITY];
  if (letter === '?') bounds = [0, 1];
  if (bounds !== undefined) reader.at += 1;
  if (letter === '{') {
    const found = /^\{(\d{1,6})(,(\d{1,6})?)?\}/u.exec(reader.letters.slice(reader.at, reader.at + 20).join(''));
    if (found === null) throw refused(reader.place, 'the pattern has a "{" that is no quantifier; write "\\{" for the character');
    reader.at += found[0].length;
    const min = Number(found[1]);
    bounds = [min, found[2] === undefined ? min : found[3] === undefined ? Number.POSITIVE_INFINITY : Number(found[3])];
  }
  if (bounds === undefined) return part;
  // Lazy or greedy makes no difference to what matches.
  if (reader.letters[reader.at] === '?') reader.at += 1;
  const [min, max] = bounds;
  if (min > max || min > REPEAT_MAX || (max > REPEAT_MAX && max !== Number.POSITIVE_INFINITY))
    throw refused(reader.place, `the pattern repeats ${min} to ${max} times; 0 to ${REPEAT_MAX} are possible`);
  return { kind: 'repeat', part, min, max };
}

function readClass(reader: Reader): CharacterSet {
  const isNegated = reader.letters[reader.at] === '^';
  if (isNegated) reader.at += 1;
  const ranges: [number, number][] = [];
  for (;;) {
    const letter = reader.letters[reader.at];
    if (letter === undefined) throw refused(reader.place, 'a class of the pattern is not closed');
    if (letter === ']') break;
    const low = readClassAtom(reader);
    if (reader.letters[reader.at] === '-' && reader.letters[reader.at + 1] !== ']') {
      reader.at += 1;
      const high = readClassAtom(reader);
      const from = low[0]?.[0] ?? 0;
      const to = high[0]?.[1] ?? 0;
      if (low.length !== 1 || high.length !== 1 || low[0]?.[1] !== from || high[0]?.[0] !== to || from > to)
        throw refused(reader.place, 'a class of the pattern has a range that runs backwards or between classes');
      ranges.push([from, to]);
    } else ranges.push(...low.map(([from, to]): [number, number] => [from, to]));
  }
  reader.at += 1;
  const set = union(ranges);
  return isNegated ? complement(set) : set;
}

function readClassAtom(reader: Reader): CharacterSet {
  const letter = reader.letters[reader.at] ?? '';
  reader.at += 1;
  if (letter !== '\\') return single(letter);
  if (reader.letters[reader.at] === 'b') {
    reader.at += 1;
    return single('\b');
  }
  return readEscape(reader);
}

function readEscape(reader: Reader): CharacterSet {
  const letter = reader.letters[reader.at] ?? '';
  reader.at += 1;
  const classes: Readonly<Record<string, CharacterSet>> = { d: DIGITS, w: WORD, s: SPACE };
  const known = classes[letter.toLowerCase()];
  if (known !== undefined) return letter === letter.toLowerCase() ? known : complement(known);
  const control = CONTROL_ESCAPES.get(letter);
  if (control !== undefined && !(letter === '0' && /\d/u.test(reader.letters[reader.at] ?? ''))) return [[control, control]];
  const rest = reader.letters.slice(reader.at, reader.at + 10).join('');
  const hex = letter === 'x' ? /^[0-9a-f]{2}/iu.exec(rest) : letter === 'u' ? /^(?:[0-9a-f]{4}|\{[0-9a-f]{1,6}\})/iu.exec(rest) : null;
  if (hex !== null) {
    reader.at += hex[0].length;
    const codePoint = Number.parseInt(hex[0].replace(/[{}]/gu, ''), 16);
    if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff))
      throw refused(reader.place, `the pattern names no character by \\${letter}${hex[0]}`);
    return [[codePoint, codePoint]];
  }
  if (letter === '' || /[A-Za-z0-9]/u.test(letter))
    throw refused(
      reader.place,
      `the pattern has "\\${letter}"; possible are \\d \\w \\s, their opposites, \\n \\r \\t \\f \\v \\xHH \\uHHHH and escaped punctuation`,
    );
  return single(letter);
}

function single(letter: string): CharacterSet {
  const codePoint = letter.codePointAt(0) ?? 0;
  return [[codePoint, codePoint]];
}

function union(ranges: readonly (readonly [number, number])[]): CharacterSet {
  const joined: [number, number][] = [];
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else joined.push([low, high]);
  }
  return joined;
}

function complement(set: CharacterSet): CharacterSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [low, high] of set) {
    if (low > next) gaps.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= 0x10ffff) gaps.push([next, 0x10ffff]);
  return gaps;
}

const refused = (place: string, problem: string): CoxswainError =>
  new CoxswainError('SCHEMA_REFUSED', `${place}: ${problem}. Write the pattern otherwise, or leave it out and check afterwards.`);
