import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { assert } from '../../core/assert.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { createControlSplitter, type TextPiece } from './control-tokens.ts';
import { mergePair, readTokenizerFiles, type TokenizerFiles, type TokenizerSpec } from './tokenizer-files.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';

export interface EncodeOptions {
  /**
   * Whether control tokens written in the text are meant. False for whatever a user, a document or a sensor wrote: then no control token can come of it,
   * however it is written.
   */
  readonly special: boolean;
}

/** Text to token ids and back to bytes. No token is put before or after on its own: what begins a prompt is the chat template's to say. */
export interface Tokenizer {
  readonly vocabulary: Vocabulary;
  /** The model's own chat template (Jinja), where it has one. */
  readonly chatTemplate: string | undefined;
  /** Texts of `bos_token`, `eos_token`, `unk_token`, `pad_token`, as templates name them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  /** Whether the model's makers begin every text with `vocabulary.bosId`; templates usually write it themselves. */
  readonly addsBos: boolean;
  /** Token ids of a text. Errors: PROMPT_REFUSED (longer than `charsMax`). */
  encode(text: string, options: EncodeOptions): number[];
  /** Token ids of pieces that lie next to one another; a text piece is never looked into for control tokens. */
  encodePieces(pieces: readonly TextPiece[]): number[];
}

export interface TokenizerOptions {
  /** The longest text that is encoded, in UTF-16 units. One word without a break costs the most: 7 us a unit, measured on 200 000 times "a" with Qwen's vocabulary. */
  readonly charsMax?: number;
}

/** At worst 1.8 s of work; 64 k tokens of ordinary English. */
const CHARS_MAX = 262_144;

/**
 * Makes the tokenizer of a model from the texts of its files. `place` is what messages call the model.
 *
 * How text of users is kept from becoming control tokens: the library looks for added tokens in every text that it encodes and has no switch for it. So it is
 * given a copy of the file without them, without their entries of the vocabulary and without the merges that would make them; texts around the control
 * tokens are encoded with that copy, and the ids are looked through once more.
 * Errors: MODEL_UNLOADABLE (files that are broken or not of one model), MODEL_UNSUPPORTED (not byte-pair encoding).
 */
export function createTokenizer(place: string, files: TokenizerFiles, options: TokenizerOptions = {}): Tokenizer {
  const spec = readTokenizerFiles(place, files);
  const vocabulary = createVocabulary(place, spec);
  const splitter = createControlSplitter(vocabulary.controls);
  const plain = createPlainEncoder(place, spec, vocabulary);
  const charsMax = options.charsMax ?? CHARS_MAX;
  const strips = new Map(spec.added.map((token) => [token.id, { left: token.lstrip === true, right: token.rstrip === true }]));

  const encodePieces = (pieces: readonly TextPiece[]): number[] => {
    const ids: number[] = [];
    let charCount = 0;
    pieces.forEach((piece, index) => {
      if (piece.kind === 'control') {
        ids.push(piece.id);
        return;
      }
      charCount += piece.text.length;
      if (charCount > charsMax) throw tooLong(place, charCount, charsMax);
      const before = pieces[index - 1];
      const after = pieces[index + 1];
      let text = piece.text;
      if (before?.kind === 'control' && strips.get(before.id)?.right) text = text.trimStart();
      if (after?.kind === 'control' && strips.get(after.id)?.left) text = text.trimEnd();
      if (text === '') return;
      for (const id of plain.encode(text, index === 0)) ids.push(id);
    });
    return ids;
  };

  return {
    vocabulary,
    chatTemplate: spec.chatTemplate,
    namedTokens: spec.named,
    addsBos: spec.addsBos,
    encodePieces,
    encode: (text, { special }) => {
      if (text.length > charsMax) throw tooLong(place, text.length, charsMax);
      if (text === '') return [];
      return encodePieces(special ? splitter.split(text) : [{ kind: 'text', text }]);
    },
  };
}

const tooLong = (place: string, chars: number, charsMax: number): CoxswainError =>
  new CoxswainError(
    'PROMPT_REFUSED',
    `a text of ${chars} characters was given to ${place}; at most ${charsMax} are encoded. Send a shorter text, or parts of it.`,
  );

interface PlainEncoder {
  /** `isFirst`: nothing stands before this text, so that a tokenizer that begins texts with a space puts it here. */
  encode(text: string, isFirst: boolean): readonly number[];
}

function createPlainEncoder(place: string, spec: TokenizerSpec, vocabulary: Vocabulary): PlainEncoder {
  const { tokenizer, preTokenizerOfRest } = loadLibrary(place, spec, vocabulary);
  const preTokenizerOfFirst = tokenizer.pre_tokenizer;
  const unkId = spec.unkToken === undefined ? undefined : (vocabulary.controls.get(spec.unkToken) ?? spec.vocab.get(spec.unkToken));
  return {
    encode: (text, isFirst) => {
      tokenizer.pre_tokenizer = isFirst ? preTokenizerOfFirst : preTokenizerOfRest;
      // A lone surrogate is no text; UTF-8 has U+FFFD for it.
      const sound = /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, '\ufffd') : text;
      const { ids } = tokenizer.encode(sound, { add_special_tokens: false });
      for (const id of ids) {
        const isSound = vocabulary.kindOf(id) === 'text' || id === unkId;
        assert(isSound, 'a text yields no control token', id);
      }
      return ids;
    },
  };
}

interface LibraryParts {
  readonly tokenizer: LibraryTokenizer;
  /** The pre-tokenizer for text that follows something, without the space that one before the first text would be given. */
  readonly preTokenizerOfRest: LibraryTokenizer['pre_tokenizer'];
}

function loadLibrary(place: string, spec: TokenizerSpec, vocabulary: Vocabulary): LibraryParts {
  const { file } = spec;
  const isHidden = (token: string) => token !== spec.unkToken && vocabulary.controls.has(token) && [...token].length > 1;
  const vocab = Object.fromEntries([...spec.vocab].filter(([token]) => !isHidden(token)));
  const merges = (file.model.merges ?? []).filter((merge) => !isHidden((mergePair(merge) ?? []).join('')));
  const plainFile = {
    ...file,
    added_tokens: spec.added.filter((token) => vocabulary.kindOf(token.id) === 'text'),
    normalizer: file.normalizer ?? null,
    pre_tokenizer: file.pre_tokenizer ?? null,
    decoder: null,
    post_processor: null,
    model: { ...file.model, type: 'BPE', vocab, merges },
  };
  const restFile = {
    ...plainFile,
    added_tokens: [],
    pre_tokenizer: withoutFirstSpace(plainFile.pre_tokenizer),
    model: { ...file.model, type: 'BPE', vocab: {}, merges: [] },
  };
  try {
    const tokenizer = new LibraryTokenizer(plainFile, {});
    return { tokenizer, preTokenizerOfRest: new LibraryTokenizer(restFile, {}).pre_tokenizer };
  } catch (cause) {
    const message = `${place}/tokenizer.json: ${messageOf(cause)}. Obtain the model's files again from one place; if it stays, this tokenizer is of a kind that is not known here.`;
    throw new CoxswainError('MODEL_UNLOADABLE', message, { cause });
  }
}

/** Metaspace's scheme "first" means the first piece alone: for every other one it is "never". */
function withoutFirstSpace(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(withoutFirstSpace);
  if (typeof part !== 'object' || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, withoutFirstSpace(value)]));
  return copy.type === 'Metaspace' && copy.prepend_scheme === 'first' ? { ...copy, prepend_scheme: 'never' } : copy;
}
