import { type AttentionPlace, COS_TABLE, SIN_TABLE } from './attention-fused.ts';
import { weightNames } from './decoder-weights.ts';
import type { GraphBuilder } from './graph-builder.ts';

/** What every layer shares. */
export interface PlainMask {
  /** `[batch, 1, tokens, total]`: 0 where a token may look, far below elsewhere. */
  readonly bias: string;
  /** `[batch, 1, tokens, headSize / 2]` */
  readonly cos: string;
  readonly sin: string;
}

/** Below every score, and still a number in half precision. */
const HIDDEN_SCORE = -60_000;

export function addPlainMask(graph: GraphBuilder): PlainMask {
  const place = '/model/mask';
  const number = (name: string, value: number): string => graph.integers(`${place}/${name}`, [], [value]);
  const list = (name: string, values: readonly number[]): string => graph.integers(`${place}/${name}`, [values.length], values);
  const zero = number('zero', 0);
  const one = number('one', 1);
  const sizeOf = (input: string, name: string): string =>
    graph.add('Gather', `${place}/${name}`, [graph.add('Shape', `${place}/${name}Shape`, [input]), one], { axis: 0 });
  const tokens = sizeOf('input_ids', 'Tokens');
  const total = sizeOf('attention_mask', 'Total');
  const past = graph.add('Sub', `${place}/Past`, [total, tokens]);
  const row = graph.add('Range', `${place}/Rows`, [past, total, one]);
  const rows = graph.add('Unsqueeze', `${place}/RowAxis`, [row, list('axisOne', [1])]);
  const columns = graph.add('Range', `${place}/Columns`, [zero, total, one]);
  const seen = graph.add('LessOrEqual', `${place}/Causal`, [columns, rows]);
  const valid = graph.add('Cast', `${place}/Valid`, ['attention_mask'], { to: 9 });
  const wide = graph.add('Unsqueeze', `${place}/ValidAxes`, [valid, list('axesOneTwo', [1, 2])]);
  const may = graph.add('And', `${place}/And`, [seen, wide]);
  const nothing = graph.reals(`${place}/nothing`, [1], () => Float32Array.of(0));
  const hidden = graph.reals(`${place}/hidden`, [1], () => Float32Array.of(HIDDEN_SCORE));
  const bias = graph.add('Where', `${place}/Where`, [may, nothing, hidden]);
  const turn = (table: string, name: string): string =>
    graph.add('Unsqueeze', `/model/rotary/${name}`, [
      graph.add('Gather', `/model/rotary/${name}Rows`, [table, 'position_ids'], { axis: 0 }),
      list(`${name}Axis`, [1]),
    ]);
  return { bias, cos: turn(COS_TABLE, 'cos'), sin: turn(SIN_TABLE, 'sin') };
}

/** Attention in operators of ONNX itself, with keys and values repeated for the query heads that share them. */
export function addPlainAttention({ graph, config, weights, layer, input }: AttentionPlace, mask: PlainMask): string {
  const { hidden, heads, kvHeads, headSize } = config;
  const names = weightNames.ofLayer(layer);
  const place = `/model/layers.${layer}/self_attn`;
  const list = (name: string, values: readonly number[]): string => graph.integers(`${place}/${name}`, [values.length], values);
  /** `[batch, count, tokens, headSize]` */
  const project = (part: string, name: string, count: number): string => {
    const linear = { inputs: hidden, outputs: count * headSize, read: () => weights.read(name, [count * headSize, hidden]) };
    const flat = graph.linear(`${place}/${part}`, input, linear);
    const split = graph.add('Reshape', `${place}/${part}/Reshape`, [flat, list(`${part}/shape`, [0, 0, count, headSize])]);
    return graph.add('Transpose', `${place}/${part}/Transpose`, [split], { perm: [0, 2, 1, 3] });
  };
  const query = addRotation(graph, `${place}/q_rotary`, project('q_proj', names.query, heads), mask);
  const key = addRotation(graph, `${place}/k_rotary`, project('k_proj', names.key, kvHeads), mask);
  const value = project('v_proj', names.value, kvHeads);
  const append = (part: string, added: string): string =>
    graph.add(
      'Concat',
      `${place}/${part}/Concat`,
      [`past_key_values.${layer}.${part}`, added],
      { axis: 2 },
      { outputs: [`present.${layer}.${part}`] },
    );
  const keys = repeat(graph, `${place}/key`, append('key', key), heads, kvHeads, headSize);
  const values = repeat(graph, `${place}/value`, append('value', value), heads, kvHeads, headSize);
  const turned = graph.add('Transpose', `${place}/KeyTranspose`, [keys], { perm: [0, 1, 3, 2] });
  const scale = graph.reals(`${place}/scale`, [1], () => Float32Array.of(1 / Math.sqrt(headSize)));
  const product = graph.add('MatMul', `${place}/Scores`, [query, turned]);
  const scores = graph.add('Add', `${place}/Mask`, [graph.add('Mul', `${place}/Scale`, [product, scale]), mask.bias]);
  const shares = graph.add('Softmax', `${place}/Softmax`, [scores], { axis: -1 });
  const mixed = graph.add('Transpose', `${place}/Transpose`, [graph.add('MatMul', `${place}/Mix`, [shares, values])], {
    perm: [0, 2, 1, 3],
  });
  const flat = graph.add('Reshape', `${place}/Reshape`, [mixed, list('shape', [0, 0, heads * headSize])]);
  const output = { inputs: heads * headSize, outputs: hidden, read: () => weights.read(names.output, [hidden, heads * headSize]) };
  return graph.linear(`${place}/o_proj`, flat, output);
}

/** `(a, b)` by halves becomes `(a cos - b sin, b cos + a sin)`. */
function addRotation(graph: GraphBuilder, place: string, input: string, { cos, sin }: PlainMask): string {
  const halves = [`${place}/a`, `${place}/b`];
  graph.add('Split', `${place}/Split`, [input], { axis: -1 }, { outputs: halves });
  const [a = '', b = ''] = halves;
  const product = (name: string, left: string, right: string): string => graph.add('Mul', `${place}/${name}`, [left, right]);
  const first = graph.add('Sub', `${place}/Sub`, [product('ac', a, cos), product('bs', b, sin)]);
  const second = graph.add('Add', `${place}/Add`, [product('bc', b, cos), product('as', a, sin)]);
  return graph.add('Concat', `${place}/Concat`, [first, second], { axis: -1 });
}

/** `[batch, kvHeads, total, headSize]` to `[batch, heads, total, headSize]`: each head of the cache as often as query heads share it. */
function repeat(graph: GraphBuilder, place: string, input: string, heads: number, kvHeads: number, headSize: number): string {
  if (heads === kvHeads) return input;
  const list = (name: string, values: readonly number[]): string => graph.integers(`${place}/${name}`, [values.length], values);
  const apart = graph.add('Unsqueeze', `${place}/Unsqueeze`, [input, list('axis', [2])]);
  const many = graph.add('Expand', `${place}/Expand`, [apart, list('times', [1, 1, heads / kvHeads, 1, 1])]);
  return graph.add('Reshape', `${place}/Reshape`, [many, list('shape', [0, heads, -1, headSize])]);
}
