/** Which tokens a constraint leaves. Shared and kept by whoever made it: not to be written to. */
export interface AllowedTokens {
  readonly count: number;
  /** All of them, ascending, where they are few: then the whole vocabulary need not be looked at. */
  readonly ids: Int32Array | undefined;
  /** Where they are many: bit `id % 32` of word `id / 32` stands for a token. */
  readonly bits: Uint32Array | undefined;
}

/** Up to this many allowed tokens are kept as a list: as much memory as the bits of a vocabulary of 130 000. */
const LISTED_MAX = 4_096;

export function allowedFromBits(bits: Uint32Array, listedMax = LISTED_MAX): AllowedTokens {
  let count = 0;
  for (const word of bits) count += bitCount(word);
  if (count > listedMax) return { bits, count, ids: undefined };
  const ids = new Int32Array(count);
  let at = 0;
  for (let index = 0; index < bits.length; index += 1)
    for (let word = bits[index] ?? 0; word !== 0; word &= word - 1) {
      ids[at] = index * 32 + 31 - Math.clz32(word & -word);
      at += 1;
    }
  return { bits: undefined, count, ids };
}

/** All allowed ids, ascending. */
export function* idsOf({ ids, bits }: AllowedTokens): Iterable<number> {
  if (ids !== undefined) yield* ids;
  else if (bits !== undefined)
    for (let index = 0; index < bits.length; index += 1)
      for (let word = bits[index] ?? 0; word !== 0; word &= word - 1) yield index * 32 + 31 - Math.clz32(word & -word);
}

/** Population count of 32 bits (Hacker's Delight, 5-2). */
function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
