import type { Vocabulary } from '../vocabulary.ts';

/**
 * Tokens as a tree of bytes, its nodes in the order of a walk down: a node's subtree is all nodes up to `ends[node]`, so that leaving out a subtree is one jump.
 * Tokens of node n are `tokens[tokenStarts[n]] .. tokens[tokenStarts[n + 1] - 1]`.
 */
export interface TokenTrie {
  readonly bytes: Uint8Array;
  /** Depth from 1. */
  readonly depths: Uint16Array;
  readonly ends: Int32Array;
  readonly tokenStarts: Int32Array;
  readonly tokens: Int32Array;
  readonly nodeCount: number;
  readonly depthMax: number;
}

/** The tree of the given tokens, or of all text tokens of a vocabulary. */
export function createTokenTrie(vocabulary: Vocabulary, ids: readonly number[] = textTokens(vocabulary)): TokenTrie {
  const sorted = ids
    .map((id) => ({ id, bytes: Buffer.from(vocabulary.bytesOf(id)) }))
    .filter(({ bytes }) => bytes.length > 0)
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes) || a.id - b.id);
  const capacity = sorted.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const bytes = new Uint8Array(capacity);
  const depths = new Uint16Array(capacity);
  const ends = new Int32Array(capacity);
  const tokenStarts = new Int32Array(capacity + 1);
  const tokens = new Int32Array(sorted.length);
  const open: number[] = [];
  let nodeCount = 0;
  let depthMax = 0;
  let previous = Buffer.alloc(0);
  sorted.forEach((token, index) => {
    let shared = 0;
    while (shared < previous.length && shared < token.bytes.length && previous[shared] === token.bytes[shared]) shared += 1;
    while (open.length > shared) ends[open.pop() ?? 0] = nodeCount;
    for (let depth = shared; depth < token.bytes.length; depth += 1) {
      bytes[nodeCount] = token.bytes[depth] ?? 0;
      depths[nodeCount] = depth + 1;
      tokenStarts[nodeCount] = index;
      open.push(nodeCount);
      nodeCount += 1;
    }
    depthMax = Math.max(depthMax, token.bytes.length);
    tokens[index] = token.id;
    previous = token.bytes;
  });
  while (open.length > 0) ends[open.pop() ?? 0] = nodeCount;
  tokenStarts[nodeCount] = sorted.length;
  return {
    bytes: bytes.slice(0, nodeCount),
    depths: depths.slice(0, nodeCount),
    ends: ends.slice(0, nodeCount),
    tokenStarts: tokenStarts.slice(0, nodeCount + 1),
    tokens,
    nodeCount,
    depthMax,
  };
}

function textTokens(vocabulary: Vocabulary): number[] {
  const ids: number[] = [];
  for (let id = 0; id < vocabulary.size; id += 1) if (vocabulary.kindOf(id) === 'text') ids.push(id);
  return ids;
}
