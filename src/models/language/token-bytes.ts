import { CoxswainError } from '../../core/errors.ts';
import type { TokenizerFile } from './tokenizer-files.ts';

/** How the text of a token in `tokenizer.json` stands for bytes. */
export interface TokenSpelling {
  bytesOf(token: string): Uint8Array;
  /** Whether a text's very first space was put there by the tokenizer, so that decoding takes it away. */
  readonly dropsFirstSpace: boolean;
}

interface DecoderPart {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * Reads the `decoder` of a tokenizer file: byte-level (each character of a token stands for one byte, as GPT-2 has it), or SentencePiece's
 * manner (a mark for a space, and `<0xAB>` for a byte that no token covers).
 * Errors: MODEL_UNSUPPORTED for any other.
 */
export function readTokenSpelling(place: string, file: TokenizerFile): TokenSpelling {
  const parts = flatten(file.decoder);
  if (parts.some((part) => part.type === 'ByteLevel')) return byteLevel();
  const known = ['Replace', 'ByteFallback', 'Fuse', 'Strip', 'Metaspace'];
  const stranger = parts.find((part) => !known.includes(part.type));
  if (parts.length === 0 || stranger !== undefined) {
    const message = `${place}/tokenizer.json: the decoder is ${JSON.stringify(stranger?.type ?? null)}; byte-level decoders and those of SentencePiece (${known.join(', ')}) are possible. Use a model with one of these.`;
    throw new CoxswainError('MODEL_UNSUPPORTED', message);
  }
  return sentencePiece(parts, file.model.byte_fallback === true);
}

function flatten(decoder: TokenizerFile['decoder']): readonly DecoderPart[] {
  if (decoder == null) return [];
  const inner = decoder.type === 'Sequence' ? decoder.decoders : [decoder];
  if (!Array.isArray(inner)) return [];
  return inner.filter((part): part is DecoderPart => typeof part === 'object' && part !== null && typeof part.type === 'string');
}

function byteLevel(): TokenSpelling {
  const byteOf = new Map([...byteLetters()].map((letter, byte) => [letter, byte]));
  const encoder = new TextEncoder();
  return {
    dropsFirstSpace: false,
    bytesOf: (token) => {
      const bytes: number[] = [];
      for (const letter of token) {
        const byte = byteOf.get(letter);
        // A letter that stands for no byte: the token was added by hand and is meant as it is written.
        if (byte === undefined) return encoder.encode(token);
        bytes.push(byte);
      }
      return Uint8Array.from(bytes);
    },
  };
}

/**
 * The letter of every byte 0..255 in byte-level tokens: printable ones stand for themselves, the others for 256 and up in order (`bytes_to_unicode` of GPT-2's
 * encoder.py).
 */
export function byteLetters(): readonly string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    if (isPrintable) return String.fromCharCode(byte);
    next += 1;
    return String.fromCharCode(next - 1);
  });
}

function sentencePiece(parts: readonly DecoderPart[], hasByteFallback: boolean): TokenSpelling {
  const encoder = new TextEncoder();
  const replacements = parts.flatMap((part): readonly (readonly [string, string])[] => {
    if (part.type === 'Metaspace') return [[typeof part.replacement === 'string' ? part.replacement : '▁', ' ']];
    if (part.type !== 'Replace') return [];
    const pattern = part.pattern as { readonly String?: unknown } | undefined;
    return typeof pattern?.String === 'string' ? [[pattern.String, typeof part.content === 'string' ? part.content : '']] : [];
  });
  return {
    dropsFirstSpace: parts.some((part) => part.type === 'Metaspace' || (part.type === 'Strip' && part.content === ' ' && part.start === 1)),
    bytesOf: (token) => {
      const byte = hasByteFallback ? /^<0x([0-9A-F]{2})>$/u.exec(token)?.[1] : undefined;
      if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
      return encoder.encode(replacements.reduce((text, [from, to]) => text.replaceAll(from, to), token));
    },
  };
}
