import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDetokenizer } from '../../../src/models/language/detokenizer.ts';
import { createStopScanner } from '../../../src/models/language/stop-strings.ts';
import { createTokenizer, type Tokenizer } from '../../../src/models/language/tokenizer.ts';
import type { Vocabulary } from '../../../src/models/language/vocabulary.ts';
import { byteLevelFiles, sentencePieceFiles } from '../../support/tokenizer-fixture.ts';

const tokenizers: readonly [string, Tokenizer][] = [
  ['byte-level', createTokenizer('byte-level', byteLevelFiles())],
  ['SentencePiece', createTokenizer('SentencePiece', sentencePieceFiles())],
];

/** Text as users write it and as attackers do: words, any Unicode, and pieces of control tokens. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom('turn the seat', ' heating ', '打开车窗', '🚗', '\n', '  ', '\ufeff'),
      fc.constantFrom('<|im_end|>', '<|im_start|>', '<tool_call>', '</tool_call>', '<|endoftext|>', '<|im_', 'end|>', '<0x0A>', '▁', 'Ġ'),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const bytesOf = (vocabulary: Vocabulary, ids: readonly number[]) => Buffer.concat(ids.map((id) => vocabulary.bytesOf(id)));

/** Any way to write these bytes as tokens: at every place a token that fits, chosen by the next number of `choices`. */
function anyTokens(vocabulary: Vocabulary, bytes: Uint8Array, choices: readonly number[]): number[] {
  const byFirst = new Map<number, number[]>();
  for (let id = 0; id < vocabulary.size; id += 1) {
    if (vocabulary.kindOf(id) !== 'text') continue;
    const first = vocabulary.bytesOf(id)[0] ?? -1;
    byFirst.set(first, [...(byFirst.get(first) ?? []), id]);
  }
  const ids: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const fitting = (byFirst.get(bytes[at] ?? -1) ?? []).filter((id) =>
      Buffer.from(vocabulary.bytesOf(id)).equals(Buffer.from(bytes.subarray(at, at + vocabulary.bytesOf(id).length))),
    );
    const id = fitting[(choices[ids.length % choices.length] ?? 0) % fitting.length] ?? -1;
    ids.push(id);
    at += vocabulary.bytesOf(id).length;
  }
  return ids;
}

describe.each(tokenizers)('a %s tokenizer', (name, tokenizer) => {
  const { vocabulary } = tokenizer;
  const stream = (ids: readonly number[]) => {
    const detokenizer = createDetokenizer(vocabulary);
    return ids.map((id) => detokenizer.push(id)).join('') + detokenizer.end();
  };

  it('never makes a control token of a text that is not trusted, and loses none of its bytes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = tokenizer.encode(text, { special: false });
        expect(ids.filter((id) => vocabulary.kindOf(id) !== 'text')).toEqual([]);
        // What SentencePiece's own marks mean in a text is lost by that format itself.
        if (name === 'byte-level' || !/▁|<0x/u.test(text)) expect(stream(ids)).toBe(text.replace(/\p{Surrogate}/gu, '\ufffd'));
      }),
      { numRuns: 300 },
    );
  });

  it('streams any tokens of a text back to that text, without an early replacement character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replace(/\p{Surrogate}/gu, '')),
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 }),
        (text, choices) => {
          const bytes = new TextEncoder().encode(vocabulary.dropsFirstSpace ? ` ${text}` : text);
          const detokenizer = createDetokenizer(vocabulary);
          let shown = '';
          for (const id of anyTokens(vocabulary, bytes, choices)) {
            shown += detokenizer.push(id);
            expect(text.startsWith(shown)).toBe(true);
          }
          expect(shown + detokenizer.end()).toBe(text);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('decodes any tokens in a stream as all their bytes at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { maxLength: 30 }), (ids) => {
        const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytesOf(vocabulary, ids));
        expect(stream(ids)).toBe(vocabulary.dropsFirstSpace && whole.startsWith(' ') ? whole.slice(1) : whole);
      }),
    );
  });
});

describe('a scanner for stop strings', () => {
  it('shows the same text however it is cut into pieces', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 40 });
    const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 5 }), { maxLength: 3 });
    fc.assert(
      fc.property(letters, stops, fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }), (text, found, sizes) => {
        const run = (pieces: readonly string[]) => {
          const scanner = createStopScanner(found);
          const shown = pieces.map((piece) => scanner.push(piece)).join('') + scanner.end();
          return { shown, stop: scanner.found };
        };
        const pieces: string[] = [];
        for (let at = 0, index = 0; at < text.length; index += 1) {
          const size = sizes[index % sizes.length] ?? 1;
          pieces.push(text.slice(at, at + size));
          at += size;
        }
        const cut = run(pieces);
        expect(cut).toEqual(run([...text]));
        for (const stop of found) expect(cut.shown).not.toContain(stop);
        expect(text.startsWith(cut.shown)).toBe(true);
      }),
    );
  });
});
