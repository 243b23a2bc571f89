import { type AllowedTokens, allowedFromBits } from '../allowed-tokens.ts';
import type { Vocabulary } from '../vocabulary.ts';
import { Automaton, DEAD, markSymbol } from './automaton.ts';
import { createGrammarBuilder } from './grammar.ts';
import { anyCharacterRule, stringRule } from './string-grammar.ts';
import { createTokenTrie, type TokenTrie } from './token-trie.ts';

/** Says which tokens may follow in a state of an automaton. Made once for a model; what is found is kept per automaton. */
export interface TokenMasks {
  readonly trie: TokenTrie;
  /** `markIds`: the control token that each mark of the grammar is written as. */
  masksOf(automaton: Automaton, markIds: readonly number[]): StateMasks;
}

export interface StateMasks {
  allowed(state: number): AllowedTokens;
}

/** What masks of one automaton may take before the oldest are forgotten. */
const KEPT_BYTES_MAX = 8 * 2 ** 20;

export function createTokenMasks(vocabulary: Vocabulary): TokenMasks {
  const trie = createTokenTrie(vocabulary);
  const words = Math.ceil(vocabulary.size / 32);
  let strings: StringTokens | undefined;

  const masksOf = (automaton: Automaton, markIds: readonly number[]): StateMasks => {
    const kept = new Map<number, AllowedTokens>();
    let keptBytes = 0;
    const path = new Int32Array(trie.depthMax + 1);

    const make = (state: number): AllowedTokens => {
      const bits = new Uint32Array(words);
      const room = automaton.stringRoom(state);
      path[0] = state;
      if (room > 0) {
        strings ??= createStringTokens(vocabulary, trie, words);
        bits.set(strings.inside(room));
        walk(strings.closing, automaton, path, bits);
      } else walk(trie, automaton, path, bits);
      markIds.forEach((id, index) => {
        if (automaton.step(state, markSymbol(index)) !== DEAD) setBit(bits, id);
      });
      if (automaton.isComplete(state)) for (const id of vocabulary.eosIds) setBit(bits, id);
      return allowedFromBits(bits);
    };

    return {
      allowed: (state) => {
        const known = kept.get(state);
        if (known !== undefined) return known;
        const allowed = make(state);
        kept.set(state, allowed);
        keptBytes += bytesOf(allowed);
        for (const [oldest, value] of kept) {
          if (keptBytes <= KEPT_BYTES_MAX || oldest === state) break;
          kept.delete(oldest);
          keptBytes -= bytesOf(value);
        }
        return allowed;
      },
    };
  };
  return { trie, masksOf };
}

const bytesOf = ({ ids, bits }: AllowedTokens): number => 100 + (ids?.byteLength ?? 0) + (bits?.byteLength ?? 0);

function setBit(bits: Uint32Array, id: number): void {
  bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
}

/** Sets the bits of all tokens of the tree that may follow `path[0]`; what cannot follow is left out by whole subtrees. */
function walk(trie: TokenTrie, automaton: Automaton, path: Int32Array, bits: Uint32Array): void {
  const { bytes, depths, ends, tokenStarts, tokens, nodeCount } = trie;
  for (let node = 0; node < nodeCount; ) {
    const depth = depths[node] as number;
    const next = automaton.step(path[depth - 1] as number, bytes[node] as number);
    if (next === DEAD) {
      node = ends[node] as number;
      continue;
    }
    path[depth] = next;
    const last = tokenStarts[node + 1] as number;
    for (let at = tokenStarts[node] as number; at < last; at += 1) setBit(bits, tokens[at] as number);
    node += 1;
  }
}

/**
 * Tokens as they stand within a string of any characters, which is where most of the vocabulary is possible: known once for all strings, whatever the schema.
 */
interface StringTokens {
  /** Tokens that stay within the string at a border of characters, when `room` more characters are possible. */
  inside(room: number): Uint32Array;
  /** Tokens that end the string, alone or with something behind it. */
  readonly closing: TokenTrie;
}

function createStringTokens(vocabulary: Vocabulary, trie: TokenTrie, words: number): StringTokens {
  const builder = createGrammarBuilder();
  // No token has more characters than bytes, so with this much room nothing runs out.
  const roomMax = trie.depthMax;
  const grammar = builder.finish(stringRule(builder, 0, roomMax), anyCharacterRule(builder));
  const automaton = new Automaton(grammar, { heightMax: 4 });
  const path = new Int32Array(trie.depthMax + 1);
  path[0] = automaton.step(automaton.start, 0x22);
  const byRoom: number[][] = Array.from({ length: roomMax + 1 }, () => []);
  const closing: number[] = [];
  for (let node = 0; node < trie.nodeCount; ) {
    const depth = trie.depths[node] as number;
    const next = automaton.step(path[depth - 1] as number, trie.bytes[node] as number);
    const end = trie.ends[node] as number;
    if (next === DEAD) {
      node = end;
    } else if (automaton.isComplete(next)) {
      for (let at = trie.tokenStarts[node] as number; at < (trie.tokenStarts[end] as number); at += 1)
        closing.push(trie.tokens[at] as number);
      node = end;
    } else {
      path[depth] = next;
      const needed = roomMax - automaton.roomInside(next);
      for (let at = trie.tokenStarts[node] as number; at < (trie.tokenStarts[node + 1] as number); at += 1)
        byRoom[needed]?.push(trie.tokens[at] as number);
      node += 1;
    }
  }
  const made = new Map<number, Uint32Array>();
  return {
    closing: createTokenTrie(vocabulary, closing),
    inside: (room) => {
      const enough = Math.min(room, roomMax);
      const known = made.get(enough);
      if (known !== undefined) return known;
      const bits = new Uint32Array(words);
      for (let needed = 0; needed <= enough; needed += 1) for (const id of byRoom[needed] ?? []) setBit(bits, id);
      made.set(enough, bits);
      return bits;
    },
  };
}
