import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText, displayWidth, escapeLines, escapeText, fitText } from '../../../src/cli/terminal-text.ts';

describe('terminal text', () => {
  test.each([
    ['\u001b[2J\u001b]0;owned\u0007', '\\x1b[2J\\x1b]0;owned\\x07'],
    ['a\r\nb\tc', 'a\\x0d\\nb\\tc'],
    ['\u009b31m', '\\x9b31m'],
    ['\u202egpj.exe', '\\u{202e}gpj.exe'],
    ['\u2028x\u{feff}', '\\u{2028}x\\u{feff}'],
    ['\ud800', '\\u{d800}'],
    ['Käse 停車 🚗', 'Käse 停車 🚗'],
  ])('escapes %j', (text, escaped) => {
    expect(escapeText(text)).toBe(escaped);
  });

  test('keeps our own line breaks and nothing else', () => {
    expect(escapeLines('one\ntwo\u001b[0m')).toBe('one\ntwo\\x1b[0m');
  });

  test('counts two cells for wide characters and none for combining ones', () => {
    expect(displayWidth('停車ab')).toBe(6);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(cutText('停車場', 5)).toBe('停車…');
    expect(cutText('停車場', 4)).toBe('停…');
  });

  test('never lets text out that could steer a terminal, nor wider than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(40), (text, width) => {
        const safe = escapeText(text);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
        expect(safe).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
        expect(displayWidth(cutText(safe, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(fitText(safe, width, 'right'))).toBe(width);
      }),
    );
  });
});
