import type { DecoderConfig } from './decoder-config.ts';
import type { DecoderGraph } from './decoder-graph.ts';
import type { LanguageModelShape } from './model-shape.ts';

/** A decoder as its configuration and its graph say it together. */
export interface DecoderFacts {
  readonly config: DecoderConfig;
  readonly graph: DecoderGraph;
}

export const realBytes = (type: 'float32' | 'float16'): number => (type === 'float32' ? 4 : 2);

/** What one more token of a conversation occupies: keys and values of every layer, twice where the graph cannot append in place. */
export function cacheBytesPerToken({ config, graph }: DecoderFacts): number {
  const copies = graph.cacheKind === 'in-place' ? 1 : 2;
  return 2 * config.layers * config.kvHeads * config.headSize * realBytes(graph.cacheType) * copies;
}

/** The shape that costs are made from (createLanguageModel), for planning and simulation. */
export function languageModelShape({ config, graph }: DecoderFacts): LanguageModelShape {
  const { layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, tiedEmbedding } = config;
  const { weightBits, headBits, cacheType } = graph;
  const shape = { layers, hidden, heads, kvHeads, headSize, intermediate, vocabulary, tiedEmbedding };
  return { ...shape, bits: weightBits, headBits, kvBits: 8 * realBytes(cacheType) };
}
