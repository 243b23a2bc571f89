import type { Vocabulary } from './vocabulary.ts';

/** Turns tokens into text while they come. */
export interface Detokenizer {
  /** The text that this token makes certain; empty while a character is incomplete, and for special tokens. */
  push(id: number): string;
  /** What is left when nothing more comes: U+FFFD for a character that was begun and never ended. */
  end(): string;
}

const SPACE = 0x20;

/**
 * Makes a detokenizer for one answer. Bytes become text by the WHATWG decoder for UTF-8, so no character is split, and U+FFFD stands only where the bytes
 * cannot become a character any more, one for every maximal wrong stretch, however tokens cut it.
 */
export function createDetokenizer(vocabulary: Vocabulary): Detokenizer {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let isFirst = vocabulary.dropsFirstSpace;
  return {
    push: (id) => {
      if (id < 0 || id >= vocabulary.size) return '';
      const kind = vocabulary.kindOf(id);
      if (kind === 'none' || kind === 'special') return '';
      let bytes = vocabulary.bytesOf(id);
      if (bytes.length === 0) return '';
      if (isFirst && bytes[0] === SPACE) bytes = bytes.subarray(1);
      isFirst = false;
      return decoder.decode(bytes, { stream: true });
    },
    end: () => decoder.decode(),
  };
}
