import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { createDetokenizer } from '../../../../src/models/language/detokenizer.ts';
import { createTokenizer } from '../../../../src/models/language/tokenizer.ts';
import type { TokenizerFiles } from '../../../../src/models/language/tokenizer-files.ts';
import { byteLevelFiles, sentencePieceFiles } from '../../../support/tokenizer-fixture.ts';

const files = byteLevelFiles();

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CoxswainError) return error.code;
    throw error;
  }
  return 'no error';
}

const changed = (change: (file: Record<string, unknown> & { model: Record<string, unknown> }) => void): TokenizerFiles => {
  const file = JSON.parse(files.tokenizer);
  change(file);
  return { ...files, tokenizer: JSON.stringify(file) };
};

describe('a tokenizer', () => {
  const tokenizer = createTokenizer('fixture', files);
  const endId = tokenizer.vocabulary.controls.get('<|im_end|>') ?? -1;

  it('takes control tokens written in text as such only when told so', () => {
    expect(tokenizer.encode('a<|im_end|>', { special: true }).at(-1)).toBe(endId);
    const ids = tokenizer.encode('a<|im_end|>', { special: false });
    expect(ids).not.toContain(endId);
    expect(new TextDecoder().decode(Buffer.concat(ids.map((id) => tokenizer.vocabulary.bytesOf(id))))).toBe('a<|im_end|>');
  });

  it('knows what ends an answer from either file', () => {
    expect(tokenizer.vocabulary.eosIds).toEqual([endId]);
    const pad = tokenizer.vocabulary.controls.get('<|endoftext|>') ?? -1;
    const two = createTokenizer('fixture', { ...files, generation: JSON.stringify({ eos_token_id: [pad, endId] }) });
    expect(two.vocabulary.eosIds).toEqual([pad, endId].sort((a, b) => a - b));
  });

  it('keeps a token that ends an answer out of text even where the file does not call it special', () => {
    const plain = createTokenizer('fixture', { ...byteLevelFiles({ special: false }), generation: '{"eos_token_id":0}' });
    expect(plain.vocabulary.kindOf(0)).toBe('special');
    expect(plain.vocabulary.kindOf(plain.vocabulary.controls.get('<tool_call>') ?? -1)).toBe('mark');
  });

  it('encodes lone surrogates as the replacement character', () => {
    const ids = tokenizer.encode('a\ud800b', { special: false });
    expect(new TextDecoder().decode(Buffer.concat(ids.map((id) => tokenizer.vocabulary.bytesOf(id))))).toBe('a\ufffdb');
  });

  it('refuses a text over its limit, and takes one at the limit', () => {
    const small = createTokenizer('fixture', files, { charsMax: 10 });
    expect(small.encode('0123456789', { special: false }).length).toBeGreaterThan(0);
    expect(codeOf(() => small.encode('0123456789a', { special: false }))).toBe('PROMPT_REFUSED');
  });

  it('gives no token for no text', () => {
    expect(tokenizer.encode('', { special: false })).toEqual([]);
    expect(tokenizer.encode('', { special: true })).toEqual([]);
  });

  it('puts a space of SentencePiece before a text but shows none', () => {
    const piece = createTokenizer('fixture', sentencePieceFiles());
    const detokenizer = createDetokenizer(piece.vocabulary);
    const ids = piece.encode('seat', { special: false });
    expect(new TextDecoder().decode(piece.vocabulary.bytesOf(ids[0] ?? 0)).startsWith(' ')).toBe(true);
    expect(ids.map((id) => detokenizer.push(id)).join('') + detokenizer.end()).toBe('seat');
  });
});

describe('files of a tokenizer that are broken', () => {
  it.each<[string, TokenizerFiles]>([
    ['cut off', { ...files, tokenizer: files.tokenizer.slice(0, 2000) }],
    ['empty', { ...files, tokenizer: '' }],
    ['another kind of JSON', { ...files, tokenizer: '[]' }],
    ['without a model', { ...files, tokenizer: '{"added_tokens":[]}' }],
    ['with an id given twice', changed((file) => Object.assign(file.model.vocab as object, { zzz: 5 }))],
    ['with an id that is no number', changed((file) => Object.assign(file.model.vocab as object, { zzz: '5' }))],
    ['without merges', changed((file) => delete file.model.merges)],
    ['with merges of another tokenizer', changed((file) => Object.assign(file.model, { merges: ['never seen'] }))],
    ['with merges that are no pairs', changed((file) => Object.assign(file.model, { merges: [['a', 'b', 'c']] }))],
    ['with an added token in another place', changed((file) => Object.assign(file, { added_tokens: [{ id: 3, content: '<x>' }] }))],
    ['with a configuration of another model', { ...files, config: '{"eos_token":"</s>"}' }],
    ['with nothing that ends an answer', { ...files, config: '{}' }],
    ['with an end past the vocabulary', { ...files, generation: '{"eos_token_id":999999}' }],
    ['with a part that nobody knows', changed((file) => Object.assign(file, { pre_tokenizer: { type: 'Nobody' } }))],
  ])('are refused when %s', (_, broken) => {
    expect(codeOf(() => createTokenizer('fixture', broken))).toBe('MODEL_UNLOADABLE');
  });

  it.each<[string, TokenizerFiles]>([
    ['WordPiece', changed((file) => Object.assign(file.model, { type: 'WordPiece' }))],
    ['a decoder for speech', changed((file) => Object.assign(file, { decoder: { type: 'CTC' } }))],
    ['no decoder', changed((file) => Object.assign(file, { decoder: null }))],
  ])('are refused as not supported when they have %s', (_, other) => {
    expect(codeOf(() => createTokenizer('fixture', other))).toBe('MODEL_UNSUPPORTED');
  });
});
