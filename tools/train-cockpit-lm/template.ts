import { assert } from '../../src/core/assert.ts';
import type { Prng } from '../../src/core/prng.ts';

/** A piece of a sentence: words of a template, or the place of a slot. */
export type Piece = { readonly kind: 'words'; readonly text: string } | { readonly kind: 'slot'; readonly slot: string };

/**
 * Draws one sentence of a template. `(a|b|)` stands for one of its parts, which may nest; `{seat}` for a slot. Spaces are kept as written; the caller
 * tidies them.
 *
 *     (turn|switch) (on |)the {seat} seat (heating|heater)
 */
export function drawPieces(template: string, prng: Prng): readonly Piece[] {
  const pieces: Piece[] = [];
  const end = drawUntil(template, 0, prng, pieces);
  assert(end === template.length, 'a template closes what it opens', template);
  return pieces;
}

/** Reads one alternative from `start` up to `|`, `)` or the end; gives where it stopped. */
function drawUntil(template: string, start: number, prng: Prng, pieces: Piece[]): number {
  let index = start;
  let words = '';
  const flush = (): void => {
    if (words !== '') pieces.push({ kind: 'words', text: words });
    words = '';
  };
  while (index < template.length) {
    const character = template.charAt(index);
    if (character === '|' || character === ')') break;
    if (character === '(') {
      flush();
      index = drawGroup(template, index, prng, pieces);
    } else if (character === '{') {
      flush();
      const close = template.indexOf('}', index);
      pieces.push({ kind: 'slot', slot: template.slice(index + 1, close) });
      index = close + 1;
    } else {
      words += character;
      index += 1;
    }
  }
  flush();
  return index;
}

/** All parts are drawn and one is kept: what follows does not depend on which. */
function drawGroup(template: string, open: number, prng: Prng, pieces: Piece[]): number {
  const parts: Piece[][] = [];
  let index = open;
  do {
    const part: Piece[] = [];
    index = drawUntil(template, index + 1, prng, part);
    parts.push(part);
  } while (template.charAt(index) === '|');
  assert(template.charAt(index) === ')', 'a template closes what it opens', template);
  pieces.push(...(parts[prng.integer(0, parts.length - 1)] ?? []));
  return index + 1;
}

/** The words that a template can say, slots aside: Latin words in lower case, Chinese by the character. */
export function wordsOf(template: string): ReadonlySet<string> {
  const words = template
    .replace(/\{[^}]*\}/gu, ' ')
    .toLowerCase()
    .match(/[一-鿿]|[\p{L}'-]+/gu);
  return new Set(words ?? []);
}

/** What pieces say, to compare: in lower case, without doubled spaces and without marks, slots by their names. */
export const sentenceOf = (pieces: readonly Piece[]): string =>
  bareSentence(pieces.map((piece) => (piece.kind === 'words' ? piece.text : `{${piece.slot}}`)).join(''));

const bareSentence = (sentence: string): string =>
  sentence
    .toLowerCase()
    .replace(/[\s,，:：]+/gu, ' ')
    .trim();

/** All sentences that a template can say, as `sentenceOf` writes them. */
export function allSentences(template: string): readonly string[] {
  const [sentences, end] = readSentences(template, 0);
  assert(end === template.length, 'a template closes what it opens', template);
  return [...new Set(sentences.map(bareSentence))];
}

/** All readings from `start` up to `|`, `)` or the end, and where that is. */
function readSentences(template: string, start: number): readonly [sentences: readonly string[], end: number] {
  let sentences: readonly string[] = [''];
  let index = start;
  while (index < template.length && !'|)'.includes(template.charAt(index))) {
    if (template.charAt(index) !== '(') {
      const character = template.charAt(index);
      sentences = sentences.map((sentence) => sentence + character);
      index += 1;
      continue;
    }
    const parts: string[] = [];
    do {
      const [part, end] = readSentences(template, index + 1);
      parts.push(...part);
      index = end;
    } while (template.charAt(index) === '|');
    assert(template.charAt(index) === ')', 'a template closes what it opens', template);
    index += 1;
    sentences = sentences.flatMap((sentence) => parts.map((part) => sentence + part));
  }
  return [sentences, index];
}
