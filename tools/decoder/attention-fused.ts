import type { DecoderConfig } from '../../src/models/language/decoder-config.ts';
import { type DecoderWeights, weightNames } from './decoder-weights.ts';
import { type GraphBuilder, MICROSOFT } from './graph-builder.ts';

/** What one layer's attention is made from. `input`: `[batch, tokens, hidden]`, normed. */
export interface AttentionPlace {
  readonly graph: GraphBuilder;
  readonly config: DecoderConfig;
  readonly weights: DecoderWeights;
  readonly layer: number;
  readonly input: string;
}

export const COS_TABLE = 'cos_cache';
export const SIN_TABLE = 'sin_cache';

/** `[contextTokens, headSize / 2]` each: angle of pair i at position p is `p * theta^(-2i / headSize)` (Su et al., RoFormer). */
export function addRotaryTables(graph: GraphBuilder, { contextTokens, headSize, ropeTheta }: DecoderConfig): void {
  const half = headSize / 2;
  const table = (turn: (angle: number) => number) => (): Float32Array => {
    const values = new Float32Array(contextTokens * half);
    for (let position = 0; position < contextTokens; position += 1)
      for (let pair = 0; pair < half; pair += 1) values[position * half + pair] = turn(position * ropeTheta ** ((-2 * pair) / headSize));
    return values;
  };
  graph.reals(COS_TABLE, [contextTokens, half], table(Math.cos));
  graph.reals(SIN_TABLE, [contextTokens, half], table(Math.sin));
}

/** What every `GroupQueryAttention` is told of lengths. */
export interface FusedMask {
  /** `[batch]` int32: valid tokens less one. */
  readonly lastIndex: string;
  /** Scalar int32. */
  readonly total: string;
}

export function addFusedMask(graph: GraphBuilder): FusedMask {
  const place = '/model/attn_mask';
  const one = graph.integers(`${place}/one`, [1], [1]);
  const axisOne = graph.integers(`${place}/axis`, [], [1]);
  const valid = graph.add('ReduceSum', `${place}/ReduceSum`, ['attention_mask', one], { keepdims: 0 });
  const last = graph.add('Sub', `${place}/Sub`, [valid, one]);
  const shape = graph.add('Shape', `${place}/Shape`, ['attention_mask']);
  const total = graph.add('Gather', `${place}/Gather`, [shape, axisOne], { axis: 0 });
  return {
    lastIndex: graph.add('Cast', `${place}/CastLast`, [last], { to: 6 }),
    total: graph.add('Cast', `${place}/CastTotal`, [total], { to: 6 }),
  };
}

/** Queries, keys and values by one product, rotated and attended by one node. Gives what is added to the residual stream. */
export function addFusedAttention({ graph, config, weights, layer, input }: AttentionPlace, mask: FusedMask): string {
  const { hidden, heads, kvHeads, headSize } = config;
  const names = weightNames.ofLayer(layer);
  const place = `/model/layers.${layer}/attn`;
  const queryRows = heads * headSize;
  const kvRows = kvHeads * headSize;
  const qkv = graph.linear(`${place}/qkv_proj`, input, {
    inputs: hidden,
    outputs: queryRows + 2 * kvRows,
    read: () => {
      const rows = new Float32Array((queryRows + 2 * kvRows) * hidden);
      rows.set(weights.read(names.query, [queryRows, hidden]));
      rows.set(weights.read(names.key, [kvRows, hidden]), queryRows * hidden);
      rows.set(weights.read(names.value, [kvRows, hidden]), (queryRows + kvRows) * hidden);
      return rows;
    },
  });
  const past = ['key', 'value'].map((part) => `past_key_values.${layer}.${part}`);
  const present = ['key', 'value'].map((part) => `present.${layer}.${part}`);
  const attended = graph.add(
    'GroupQueryAttention',
    `${place}/GroupQueryAttention`,
    [qkv, '', '', ...past, mask.lastIndex, mask.total, COS_TABLE, SIN_TABLE],
    { num_heads: heads, kv_num_heads: kvHeads, scale: { float: 1 / Math.sqrt(headSize) }, do_rotary: 1, rotary_interleaved: 0 },
    { domain: MICROSOFT, outputs: [`${place}/GroupQueryAttention/output_0`, ...present] },
  );
  const output = { inputs: queryRows, outputs: hidden, read: () => weights.read(names.output, [hidden, queryRows]) };
  return graph.linear(`${place}/o_proj`, attended, output);
}
