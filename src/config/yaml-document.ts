import { type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { findTooDeep } from './nesting.ts';
import { type KeyPath, keyText, type Problem, printable } from './problem.ts';
import type { Position } from './runtime-config.ts';

/** Our own sections are at most 7 deep; anything far deeper is an attack on the recursion of whoever walks it. */
const DEPTH_MAX = 32;

/** yaml's measure of aliases times what they stand for: a few shared cameras are fine, a bomb is not. */
const ALIAS_COUNT_MAX = 100;

/** What YAML 1.2 calls not printable (5.1). */
const NOT_PRINTABLE = /[^\P{Cc}\t\n\r\u0085]|[\ufffe\uffff]/u;

const BEGINNING: Position = { line: 1, column: 1 };

/** A parsed file that remembers where everything stands. */
export class YamlDocument {
  /** As the user called it. */
  readonly file: string;
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter;
  /** The pairs of mappings that were looked into, by key: a file with thousands of mistakes is asked thousands of times where they stand. */
  readonly #pairs = new WeakMap<YAMLMap, ReadonlyMap<string, YAMLMap['items'][number]>>();

  constructor(file: string, document: Document, lines: LineCounter, value: unknown) {
    this.file = file;
    this.value = value;
    this.#document = document;
    this.#lines = lines;
  }

  /** Where a value stands; for a mapping or a list its key, for something that is not there the nearest thing around it. */
  positionOf(path: KeyPath): Position {
    const { key, value } = this.#find(path);
    return this.#positionOf(key !== undefined && !isScalar(value) && !isAlias(value) ? key : (value ?? key));
  }

  positionOfKey(path: KeyPath): Position {
    const { key, value } = this.#find(path);
    return this.#positionOf(key ?? value);
  }

  /** What stands at a path, aliases resolved; undefined when there is nothing. */
  valueAt(path: KeyPath): unknown {
    let value = this.value;
    for (const step of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Readonly<Record<string | number, unknown>>)[step];
    }
    return value;
  }

  problem(path: KeyPath, text: string): Problem {
    return { file: this.file, position: this.positionOf(path), key: keyText(path), text };
  }

  /** By dotted key, for everything that the file itself says. */
  positions(): Record<string, Position> {
    const found: Record<string, Position> = {};
    const visit = (node: unknown, path: KeyPath): void => {
      if (path.length > 0) found[keyText(path)] = this.positionOf(path);
      if (isMap(node)) for (const pair of node.items) visit(pair.value, [...path, keyOf(pair.key)]);
      else if (isSeq(node)) for (const [index, item] of node.items.entries()) visit(item, [...path, index]);
    };
    visit(this.#document.contents, []);
    return found;
  }

  #find(path: KeyPath): { readonly key: Node | undefined; readonly value: Node | undefined } {
    let key: Node | undefined;
    let value: Node | undefined = this.#document.contents ?? undefined;
    for (const step of path) {
      const inside: Node | undefined = isAlias(value) ? value.resolve(this.#document) : value;
      if (isMap(inside)) {
        const pair = this.#pairsOf(inside).get(String(step));
        if (pair === undefined) break;
        key = isNode(pair.key) ? pair.key : undefined;
        value = isNode(pair.value) ? pair.value : undefined;
      } else if (isSeq(inside) && isNode(inside.items[Number(step)])) {
        key = undefined;
        value = inside.items[Number(step)] as Node;
      } else break;
    }
    return { key, value };
  }

  #pairsOf(map: YAMLMap): ReadonlyMap<string, YAMLMap['items'][number]> {
    const known = this.#pairs.get(map);
    if (known !== undefined) return known;
    const pairs = new Map(map.items.map((pair) => [keyOf(pair.key), pair]));
    this.#pairs.set(map, pairs);
    return pairs;
  }

  #positionOf(node: Node | undefined): Position {
    return node?.range ? positionAt(this.#lines, node.range[0]) : BEGINNING;
  }
}

const keyOf = (key: unknown): string => String(isScalar(key) ? key.value : key);

/** UTF-8 bytes of one YAML 1.2 document whose root is a mapping; anything else gives problems. Never throws. */
export function parseYaml(file: string, bytes: Uint8Array): YamlDocument | readonly Problem[] {
  const complain = (position: Position, text: string): readonly Problem[] => [{ file, position, key: '', text }];
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return complain(positionInText(validPrefix(bytes)), 'the bytes here are not UTF-8; save the file as UTF-8');
  }
  const bad = NOT_PRINTABLE.exec(text);
  if (bad !== null) {
    const code = bad[0].charCodeAt(0).toString(16).padStart(4, '0');
    return complain(
      positionInText(text.slice(0, bad.index)),
      `got the control character U+${code}; YAML allows none but tab and line ends`,
    );
  }
  const deep = findTooDeep(text, DEPTH_MAX);
  if (deep !== undefined) return complain(positionInText(text.slice(0, deep.offset)), `nested deeper than the ${DEPTH_MAX} levels allowed`);
  const lines = new LineCounter();
  // logLevel error: with silent, the parser would drop all documents after the first without a word.
  const document = parseDocument(text, {
    lineCounter: lines,
    logLevel: 'error',
    prettyErrors: false,
    resolveKnownTags: false,
    stringKeys: true,
  });
  const problems = syntaxProblems(file, document, lines);
  return problems.length > 0 ? problems : readValue(file, document, lines);
}

function readValue(file: string, document: Document, lines: LineCounter): YamlDocument | readonly Problem[] {
  const contents: unknown = document.contents;
  const complain = (position: Position, text: string): readonly Problem[] => [{ file, position, key: '', text }];
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return complain(BEGINNING, 'the file is empty; write at least the required keys, configs/ has examples');
  }
  if (!isMap(contents)) return complain(BEGINNING, 'the file is not a mapping; it must consist of "key: value" lines');
  const odd = oddNode(contents, lines);
  if (odd !== undefined) return complain(odd.position, odd.text);
  try {
    return new YamlDocument(file, document, lines, document.toJS({ maxAliasCount: ALIAS_COUNT_MAX }));
  } catch {
    // The only thing left that toJS refuses, once syntax and depth are known to be good. The parser's own message would quote the file.
    return complain(BEGINNING, `aliases stand for too much (limit ${ALIAS_COUNT_MAX}) or for nothing; write the values out`);
  }
}

function syntaxProblems(file: string, document: Document.Parsed | Document, lines: LineCounter): readonly Problem[] {
  const problems: Problem[] = [];
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    problems.push({
      file,
      position: positionAt(lines, pos[0]),
      key: '',
      text: SYNTAX_TEXTS[code] ?? `not valid YAML: ${withoutQuote(message)}`,
    });
    if (code === 'RESOURCE_EXHAUSTION') break;
  }
  const version = document.directives?.yaml.version;
  if (version !== undefined && version !== '1.2') {
    problems.push({ file, position: BEGINNING, key: '', text: `got YAML ${version}; allowed is 1.2, remove the %YAML line` });
  }
  return problems;
}

/** The parser puts what it stumbled over behind a colon; that may be half a password. */
const withoutQuote = (message: string): string => printable(message.split(': ')[0] ?? message);

/** Texts in our own words where the parser's would quote the file, which may hold a secret, or not say what to do. */
const SYNTAX_TEXTS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias stands for nothing; its anchor must come before it. A text that begins with "*" needs quotes',
  DUPLICATE_KEY: 'this key is given twice in one mapping; names of sources, pipelines and models must differ, remove or rename one',
  MULTIPLE_DOCS: 'a second document begins here; allowed is one, remove the "---"',
  NON_STRING_KEY: 'a key must be plain text',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab is used as indentation; use spaces',
  TAG_RESOLVE_FAILED: 'tags are not allowed. A text that begins with "!" needs quotes',
};

/** The first thing that must not reach a JavaScript object or a recursive walk. */
function oddNode(root: Node, lines: LineCounter): { readonly position: Position; readonly text: string } | undefined {
  const waiting: { readonly node: unknown; readonly depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, depth } = next;
    const position = isNode(node) && node.range ? positionAt(lines, node.range[0]) : BEGINNING;
    if (depth > DEPTH_MAX) return { position, text: `nested deeper than the ${DEPTH_MAX} levels allowed` };
    if (isSeq(node)) for (const item of node.items) waiting.push({ node: item, depth: depth + 1 });
    if (!isMap(node)) continue;
    for (const { key, value } of node.items) {
      if (keyOf(key) === '__proto__')
        return {
          position: isNode(key) && key.range ? positionAt(lines, key.range[0]) : position,
          text: 'the key "__proto__" is not allowed',
        };
      waiting.push({ node: value, depth: depth + 1 });
    }
  }
  return undefined;
}

function positionAt(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Where a text ends. */
function positionInText(before: string): Position {
  const rows = before.split('\n');
  return { line: rows.length, column: (rows.at(-1)?.length ?? 0) + 1 };
}

/** What comes before the first byte that is not UTF-8. */
function validPrefix(bytes: Uint8Array): string {
  const decode = (length: number): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    } catch {
      return undefined;
    }
  };
  let valid = 0;
  let invalid = bytes.length + 1;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    if (decode(middle) === undefined) invalid = middle;
    else valid = middle;
  }
  return decode(valid) ?? '';
}
