/** A row of byte ranges, each `[low, high]`, that one character of a range of code points is written as. */
export type ByteRanges = readonly (readonly [number, number])[];

const LAST_OF_LENGTH = [0x7f, 0x7ff, 0xffff, 0x10ffff];

/**
 * The byte sequences of all code points low..high as rows of ranges, surrogates left out (Ken Thompson's way, as in RE2 and rust-lang's utf8-ranges: cut at the borders of
 * encoded length, then wherever a row of ranges would hold too much).
 */
export function utf8Ranges(low: number, high: number): readonly ByteRanges[] {
  if (low > high) return [];
  if (low <= 0xdfff && high >= 0xd800) return [...utf8Ranges(low, 0xd7ff), ...utf8Ranges(0xe000, high)];
  for (const last of LAST_OF_LENGTH) if (low <= last && high > last) return [...utf8Ranges(low, last), ...utf8Ranges(last + 1, high)];
  if (high <= 0x7f) return [[[low, high]]];
  for (let level = 1; level <= 3; level += 1) {
    const mask = (1 << (6 * level)) - 1;
    if (low >>> (6 * level) === high >>> (6 * level)) continue;
    if ((low & mask) !== 0) return [...utf8Ranges(low, low | mask), ...utf8Ranges((low | mask) + 1, high)];
    if ((high & mask) !== mask) return [...utf8Ranges(low, (high & ~mask) - 1), ...utf8Ranges(high & ~mask, high)];
  }
  const first = encode(low);
  const last = encode(high);
  return [first.map((byte, index): readonly [number, number] => [byte, last[index] ?? byte])];
}

function encode(codePoint: number): readonly number[] {
  return [...new TextEncoder().encode(String.fromCodePoint(codePoint))];
}
