import type { Automaton } from './automaton.ts';
import { FIRST_MARK } from './grammar.ts';
import type { TokenTrie } from './token-trie.ts';

/** The tokens with which what was written can be completed soonest. */
export interface Endings {
  /** Token ids, marks among them, without the token that ends the answer. Not to be written to. */
  of(state: number): readonly number[];
}

/** What stands for a way to the end that is not known: no answer has so many tokens left. */
const NO_END: readonly number[] = Object.freeze(new Array<number>(100_000).fill(-1));

/**
 * Makes the endings of an automaton: the fewest bytes to the end, cut into the longest tokens there are. That is not always the fewest tokens, but it is a way
 * that is certain. `markIds`: the control token of each mark.
 */
export function createEndings(automaton: Automaton, trie: TokenTrie, markIds: readonly number[]): Endings {
  const known = new Map<number, readonly number[]>();
  const cut = (symbols: readonly number[]): readonly number[] => {
    const ids: number[] = [];
    for (let at = 0; at < symbols.length; ) {
      const symbol = symbols[at] as number;
      const longest = symbol >= FIRST_MARK ? { id: markIds[symbol - FIRST_MARK] ?? -1, length: 1 } : longestToken(trie, symbols, at);
      if (longest.id < 0) return NO_END;
      ids.push(longest.id);
      at += longest.length;
    }
    return ids;
  };
  return {
    of: (state) => {
      const found = known.get(state);
      if (found !== undefined) return found;
      const symbols = automaton.ending(state);
      const ids = symbols === undefined ? NO_END : cut(symbols);
      known.set(state, ids);
      return ids;
    },
  };
}

function longestToken(trie: TokenTrie, symbols: readonly number[], from: number): { readonly id: number; readonly length: number } {
  let best = { id: -1, length: 0 };
  let first = 0;
  let end = trie.nodeCount;
  for (let at = from; at < symbols.length; at += 1) {
    let node = first;
    while (node < end && trie.bytes[node] !== symbols[at]) node = trie.ends[node] as number;
    if (node >= end) break;
    const start = trie.tokenStarts[node] as number;
    if (start < (trie.tokenStarts[node + 1] as number)) best = { id: trie.tokens[start] as number, length: at - from + 1 };
    first = node + 1;
    end = trie.ends[node] as number;
  }
  return best;
}
