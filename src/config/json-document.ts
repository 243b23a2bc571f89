import type { CheckedDocument } from './check-schema.ts';
import { faultOffset } from './json-fault.ts';
import { type KeyPath, keyText, type Problem, printable } from './problem.ts';
import type { Position } from './runtime-config.ts';

const BEGINNING: Position = { line: 1, column: 1 };

/**
 * UTF-8 bytes of one JSON text as a document that can say where something stands. For tables of thousands of rows: parsing takes the platform's own parser, and
 * positions are looked up only when there is something to complain about. Never throws.
 */
export function parseJson(file: string, bytes: Uint8Array): CheckedDocument | readonly Problem[] {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return [{ file, position: BEGINNING, key: '', text: 'the bytes are not UTF-8; save the file as UTF-8' }];
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    const at = faultOffset(text);
    return [{ file, position: positionIn(text, at), key: '', text: `not valid JSON: ${faultText(thrown)}${hintAt(text, at)}` }];
  }
  const twice = keyGivenTwice(text);
  if (twice !== undefined)
    return [{ file, position: positionIn(text, twice), key: '', text: 'this key is given twice in one mapping, remove one' }];
  const finder = new JsonFinder(text);
  const positionOf = (path: KeyPath, isKey: boolean): Position => finder.positionOf(path, isKey);
  return {
    value,
    valueAt: (path) => {
      let found: unknown = value;
      for (const step of path) {
        if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
        found = (found as Readonly<Record<string | number, unknown>>)[step];
      }
      return found;
    },
    problem: (path, what) => ({ file, position: positionOf(path, false), key: keyText(path), text: what }),
    positionOfKey: (path) => positionOf(path, true),
  };
}

function positionIn(text: string, at: number): Position {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The platform's message may quote the file; that is left out. */
const faultText = (thrown: unknown): string =>
  printable(String(thrown).replace(/^SyntaxError: /, '')).replace(/, ?\.{0,3}".*$/s, '') || 'unreadable';

/** What other languages write in tables where they know of no number. */
function hintAt(text: string, at: number): string {
  const word = /^(?:NaN|Infinity|nan|inf|undefined|None)\b/.exec(text.slice(at, at + 12))?.[0];
  return word === undefined ? '' : `; JSON has no ${word}, give a number`;
}

/** Where a key stands that its mapping has already: the platform's parser takes the last one in silence. The text is valid JSON. */
function keyGivenTwice(text: string): number | undefined {
  /** The keys of every mapping around; undefined for a list. */
  const around: (Set<string> | undefined)[] = [];
  let isKeyNext = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = skipString(text, at);
      const keys = around.at(-1);
      if (isKeyNext && keys !== undefined) {
        const key = String(JSON.parse(text.slice(at, end)));
        if (keys.has(key)) return at;
        keys.add(key);
      }
      isKeyNext = false;
      at = end - 1;
    } else if (character === '{' || character === '[') {
      around.push(character === '{' ? new Set() : undefined);
      isKeyNext = true;
    } else if (character === '}' || character === ']') around.pop();
    else if (character === ',') isKeyNext = true;
  }
  return undefined;
}

interface Entry {
  readonly keyAt: number;
  readonly valueAt: number;
}

/** Finds values in a text that is valid JSON. What lies in each list or mapping is looked up once, so that thousands of complaints cost one reading. */
class JsonFinder {
  readonly #text: string;
  readonly #entries = new Map<number, ReadonlyMap<string, Entry>>();
  #lineStarts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** Of the value (or its key) at a path; for what is not there, of the nearest thing around it. */
  positionOf(path: KeyPath, isKey: boolean): Position {
    let at = skipSpace(this.#text, 0);
    for (const [depth, step] of path.entries()) {
      const entry = this.#entriesAt(at).get(String(step));
      if (entry === undefined) break;
      at = isKey && depth === path.length - 1 ? entry.keyAt : entry.valueAt;
    }
    return this.#positionAt(at);
  }

  #entriesAt(open: number): ReadonlyMap<string, Entry> {
    const known = this.#entries.get(open) ?? readEntries(this.#text, open);
    this.#entries.set(open, known);
    return known;
  }

  #positionAt(offset: number): Position {
    const starts = this.#lineStarts ?? lineStartsOf(this.#text);
    this.#lineStarts = starts;
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** By key or index. */
function readEntries(text: string, open: number): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const isList = text[open] === '[';
  if (!isList && text[open] !== '{') return entries;
  let at = skipSpace(text, open + 1);
  for (let index = 0; at < text.length && text[at] !== ']' && text[at] !== '}'; index += 1) {
    const keyAt = at;
    let key = String(index);
    if (!isList) {
      const keyEnd = skipString(text, at);
      key = String(JSON.parse(text.slice(at, keyEnd)));
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    entries.set(key, { keyAt, valueAt: at });
    at = skipSpace(text, skipValue(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return entries;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at += 1;
  return at;
}

/** Past the closing quote. */
function skipString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Past any value, by counting brackets, so that depth costs no stack. */
function skipValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at] ?? '';
    if (character === '"') {
      at = skipString(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (depth === 0 && ',]} \t\n\r'.includes(character)) return at;
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
    at += 1;
  }
  return at;
}
