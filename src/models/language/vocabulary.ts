import { assert } from '../../core/assert.ts';
import { readTokenSpelling } from './token-bytes.ts';
import { maxId, type TokenizerSpec } from './tokenizer-files.ts';

/**
 * What a token id is to the text around it:
 * - `none`: no token has this id (vocabularies are padded to round sizes);
 * - `text`: bytes of a text;
 * - `mark`: written by templates and models, never by a user, and visible when a model writes it, as `<think>` is;
 * - `special`: the same, and invisible, as `<|im_end|>` is.
 */
export type TokenKind = 'none' | 'text' | 'mark' | 'special';
const KINDS: readonly TokenKind[] = ['none', 'text', 'mark', 'special'];

/** The tokens of a model as bytes. Text of users is only ever made of `text` tokens; marks and specials are its control tokens. */
export interface Vocabulary {
  /** Ids run over 0 .. size - 1. */
  readonly size: number;
  readonly bosId: number | undefined;
  /** Each ends an answer; at least one, ascending. */
  readonly eosIds: readonly number[];
  /** Whether the very first space of a text is the tokenizer's own, and is dropped when decoding. */
  readonly dropsFirstSpace: boolean;
  /** Every control token's id by how it is written. */
  readonly controls: ReadonlyMap<string, number>;
  kindOf(id: number): TokenKind;
  /** The bytes that a token adds to a text (what a control token is written as); empty for `none`. A view: not to be written to. */
  bytesOf(id: number): Uint8Array;
}

/**
 * Makes the vocabulary of a tokenizer. An added token that is neither special nor more than white space (runs of spaces in GPT-NeoX and Gemma) is text.
 * Errors: MODEL_UNSUPPORTED (a decoder that is not understood).
 */
export function createVocabulary(place: string, spec: TokenizerSpec): Vocabulary {
  const spelling = readTokenSpelling(place, spec.file);
  const encoder = new TextEncoder();
  const size = maxId(spec.vocab, spec.added) + 1;
  const kinds = new Uint8Array(size);
  const bytes: Uint8Array[] = new Array<Uint8Array>(size).fill(new Uint8Array(0));
  for (const [token, id] of spec.vocab) {
    kinds[id] = KINDS.indexOf('text');
    bytes[id] = spelling.bytesOf(token);
  }
  const controls = new Map<string, number>();
  for (const token of spec.added) {
    const isLetter = spec.vocab.has(token.content) && [...token.content].length === 1 && token.special !== true;
    if (isLetter) continue;
    const isText = token.special !== true && token.content.replaceAll('▁', ' ').trim() === '';
    bytes[token.id] = isText ? spelling.bytesOf(token.content) : encoder.encode(token.content);
    kinds[token.id] = KINDS.indexOf(isText ? 'text' : token.special === true ? 'special' : 'mark');
    if (!isText) controls.set(token.content, token.id);
  }
  for (const token of Object.values(spec.named)) {
    const id = controls.get(token) ?? spec.vocab.get(token);
    if (id === undefined || kinds[id] === KINDS.indexOf('special')) continue;
    kinds[id] = KINDS.indexOf('special');
    bytes[id] = encoder.encode(token);
    controls.set(token, id);
  }
  // What ends an answer is never text, whatever the file calls it.
  for (const [token, id] of spec.vocab) if (spec.eosIds.includes(id)) controls.set(token, id);
  for (const id of spec.eosIds) kinds[id] = KINDS.indexOf('special');
  return {
    size,
    bosId: spec.bosToken === undefined ? undefined : controls.get(spec.bosToken),
    eosIds: spec.eosIds,
    dropsFirstSpace: spelling.dropsFirstSpace,
    controls,
    kindOf: (id) => KINDS[kinds[id] ?? 0] ?? 'none',
    bytesOf: (id) => {
      const found = bytes[id];
      assert(found !== undefined, 'a token id is below the size of its vocabulary', id);
      return found;
    },
  };
}
