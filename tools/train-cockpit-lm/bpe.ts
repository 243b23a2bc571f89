/** How text is cut before merging, here and in tokenizer.json: Han characters and digits stand alone, words may carry the space before them. */
export const WORD_PATTERN = '[一-鿿]|\\p{N}| ?(?:(?![一-鿿])[\\p{L}\\p{M}_])+| ?[^\\s\\p{L}\\p{M}\\p{N}_]+|\\s+';

/** A learnt vocabulary: the 256 bytes, then one token for each merge, in order. */
export interface Bpe {
  /** By id; written in the alphabet of `byteAlphabet`. */
  readonly tokens: readonly string[];
  readonly merges: readonly (readonly [left: string, right: string])[];
}

/** The printable character that stands for each byte in byte-level vocabularies, as GPT-2 introduced it. */
export function byteAlphabet(): readonly string[] {
  const isPrinted = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let unprinted = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    if (isPrinted(byte)) return String.fromCharCode(byte);
    unprinted += 1;
    return String.fromCharCode(255 + unprinted);
  });
}

interface Word {
  symbols: string[];
  readonly count: number;
}

/**
 * Learns `tokens - 256` merges from texts. The first are learnt from words without the space before them; the last `spaced` join the space to the most frequent words
 * that are one token by then. So a name is cut alike behind a space and behind a quotation mark, and copying it into a call is copying tokens; common words
 * still cost one token. Ties go to the pair that sorts first, so the same texts give the same vocabulary.
 */
export function learnBpe(texts: Iterable<string>, tokens: number, spaced: number): Bpe {
  const alphabet = byteAlphabet();
  const { bare, afterSpace } = countWords(texts);
  const words: Word[] = [...bare].map(([word, count]) => ({
    symbols: [...Buffer.from(word, 'utf8')].map((byte) => alphabet[byte] ?? ''),
    count,
  }));
  const merges = mergePairs(words, tokens - alphabet.length - spaced);
  const joined = new Set(merges.map(([left, right]) => left + right));
  const written = (word: string): string => [...Buffer.from(word, 'utf8')].map((byte) => alphabet[byte] ?? '').join('');
  const space = alphabet[32] ?? '';
  const frequent = [...afterSpace]
    .map(([word, count]) => [written(word), count] as const)
    .filter(([word]) => joined.has(word) || word.length === 1)
    .sort(([one, oneCount], [other, otherCount]) => otherCount - oneCount || (one < other ? -1 : 1))
    .slice(0, spaced);
  const all = [...merges, ...frequent.map(([word]) => [space, word] as const)];
  return { tokens: [...alphabet, ...all.map(([left, right]) => left + right)], merges: all };
}

function countWords(texts: Iterable<string>): { bare: Map<string, number>; afterSpace: Map<string, number> } {
  const pattern = new RegExp(WORD_PATTERN, 'gu');
  const bare = new Map<string, number>();
  const afterSpace = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(pattern)) {
      const isSpaced = word.length > 1 && word.startsWith(' ');
      const core = isSpaced ? word.slice(1) : word;
      bare.set(core, (bare.get(core) ?? 0) + 1);
      if (isSpaced) afterSpace.set(core, (afterSpace.get(core) ?? 0) + 1);
    }
  }
  return { bare, afterSpace };
}

/** Greedy byte-pair merging with an index from pair to the words that hold it, so that a merge costs only its words. */
function mergePairs(words: readonly Word[], wanted: number): (readonly [string, string])[] {
  const counts = new Map<string, number>();
  const holders = new Map<string, Set<Word>>();
  const add = (word: Word, sign: 1 | -1): void => {
    for (let index = 0; index + 1 < word.symbols.length; index += 1) {
      const pair = `${word.symbols[index]} ${word.symbols[index + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + sign * word.count);
      if (sign === 1) holders.set(pair, (holders.get(pair) ?? new Set()).add(word));
    }
  };
  for (const word of words) add(word, 1);
  const merges: (readonly [string, string])[] = [];
  while (merges.length < wanted) {
    const best = mostFrequent(counts);
    if (best === undefined) break;
    const [left = '', right = ''] = best.split(' ');
    merges.push([left, right]);
    for (const word of holders.get(best) ?? []) {
      add(word, -1);
      word.symbols = joinPair(word.symbols, left, right);
      add(word, 1);
    }
    counts.delete(best);
    holders.delete(best);
  }
  return merges;
}

function mostFrequent(counts: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  let most = 1;
  for (const [pair, count] of counts) {
    if (count > most || (count === most && best !== undefined && pair < best)) [best, most] = [pair, count];
  }
  return best;
}

function joinPair(symbols: readonly string[], left: string, right: string): string[] {
  const joined: string[] = [];
  for (let index = 0; index < symbols.length; index += 1) {
    const symbol = symbols[index] ?? '';
    if (symbol === left && symbols[index + 1] === right) {
      joined.push(left + right);
      index += 1;
    } else {
      joined.push(symbol);
    }
  }
  return joined;
}
