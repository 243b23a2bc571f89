import type { Inference, OperatorCall, OperatorRule, Work } from '../operator-call.ts';
import { elementsOf, type Tensor } from '../tensor.ts';

/** Vector operations per score: scaling, masking and softmax. */
const SCORE_OPS = 9;
/** Two products and a sum for each rotated element, and its sign. */
const ROTATION_OPS = 4;

interface Heads {
  readonly batch: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly valueSize: number;
  /** New positions, and all that they look at. */
  readonly tokens: number;
  readonly attended: number;
}

/**
 * Scores and their weighted sum: two products for each KV head, whose query heads share its keys and values and so stack into `m`. The whole rectangle of
 * scores is counted, masked or not, as matrix units compute it.
 */
function attentionWork({ batch, heads, kvHeads, headSize, valueSize, tokens, attended }: Heads): Work {
  const k = (headSize + valueSize) / 2;
  const product = { m: tokens * (heads / kvHeads), n: attended, k, groups: 2 * batch * kvHeads };
  return { product, elementOps: batch * heads * tokens * attended * SCORE_OPS };
}

function positive(call: OperatorCall, name: string, fallback = 0): number {
  const value = call.number(name, fallback);
  return Number.isInteger(value) && value > 0 ? value : call.fail(`${name} is ${value}`);
}

/**
 * ONNX Runtime's GroupQueryAttention: query [B, S, heads x size] (or q, k and v packed), past [B, kvHeads, P, size]. The length looked at is
 * `total_sequence_length` where the graph tells it, P + S otherwise; a local window cuts it.
 */
const groupQuery: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  const [batch, tokens, width] = shape;
  if (batch === undefined || tokens === undefined || width === undefined) return call.fail('its query is not [batch, tokens, width]');
  const [heads, kvHeads] = [positive(call, 'num_heads'), positive(call, 'kv_num_heads')];
  const isPacked = call.inputs[1] === undefined;
  const headSize = width / (isPacked ? heads + 2 * kvHeads : heads);
  if (heads % kvHeads !== 0 || !Number.isInteger(headSize)) call.fail(`${heads} heads over ${kvHeads} KV heads, width ${width}`);
  const past = call.inputs[3]?.shape[2] ?? 0;
  const total = call.inputs[6]?.data?.[0] ?? past + tokens;
  const window = call.number('local_window_size', -1);
  const attended = window > 0 ? Math.min(total, window) : total;
  const present = { type: call.inputs[3]?.type ?? type, shape: [batch, kvHeads, Math.max(past, total), headSize] };
  const work = attentionWork({ batch, heads, kvHeads, headSize, valueSize: headSize, tokens, attended });
  const read = batch * kvHeads * headSize * Math.max(0, Math.min(past, attended - tokens));
  const written = batch * kvHeads * headSize * tokens;
  const rotated = call.number('do_rotary', 0) === 1 ? batch * tokens * (heads + kvHeads) * headSize : 0;
  const table = rotated === 0 ? 0 : (tokens * headSize) / 2;
  return {
    outputs: [{ type, shape: [batch, tokens, heads * headSize] }, present, present],
    work: {
      ...work,
      elementOps: (work.elementOps ?? 0) + rotated * ROTATION_OPS,
      elementsRead: [undefined, undefined, undefined, read, read, undefined, undefined, table, table],
      elementsWritten: [undefined, written, written],
      stateInputs: [3, 4],
      stateOutputs: [1, 2],
    },
  };
};

interface Operand {
  readonly heads: number;
  readonly size: number;
  readonly length: number;
}

/** [B, length, heads x size], or [B, heads, length, size]. */
function operand(call: OperatorCall, tensor: Tensor, heads: number): Operand {
  const [, second, third, fourth] = tensor.shape;
  if (second === undefined || third === undefined || tensor.shape.length > 4)
    return call.fail(`its operand "${tensor.name}" has neither 3 nor 4 axes`);
  if (fourth !== undefined) return { heads: second, length: third, size: fourth };
  return { heads, length: second, size: third / heads };
}

/** `Attention` of ONNX 23 and ONNX Runtime's MultiHeadAttention, which differ in where the past is and how heads are named. */
function multiHead(call: OperatorCall, names: { heads: string; kvHeads: string; pastAt: number }): Inference {
  const queryTensor = call.input(0);
  const batch = queryTensor.shape[0] ?? call.fail('its query is a scalar');
  const isImage = queryTensor.shape.length === 4;
  const heads = isImage ? (queryTensor.shape[1] as number) : positive(call, names.heads);
  if (call.inputs[1] === undefined || call.inputs[2] === undefined) call.unknown('its packed query, key and value are not read');
  const kvHeads = isImage ? (call.shape(1)[1] ?? heads) : positive(call, names.kvHeads, heads);
  const query = operand(call, queryTensor, heads);
  const key = operand(call, call.input(1), kvHeads);
  const value = operand(call, call.input(2), kvHeads);
  const past = call.inputs[names.pastAt]?.shape[2] ?? 0;
  const attended = past + key.length;
  const work = attentionWork({ batch, heads, kvHeads, headSize: query.size, valueSize: value.size, tokens: query.length, attended });
  const { type } = queryTensor;
  const shape = isImage ? [batch, heads, query.length, value.size] : [batch, query.length, heads * value.size];
  const present = (size: number) => ({ type, shape: [batch, kvHeads, attended, size] });
  const written = (size: number): number => batch * kvHeads * key.length * size;
  return {
    outputs: [{ type, shape }, present(key.size), present(value.size), { type, shape: [batch, heads, query.length, attended] }],
    work: {
      ...work,
      elementsWritten: [undefined, written(key.size), written(value.size)],
      stateInputs: [names.pastAt, names.pastAt + 1],
      stateOutputs: [1, 2],
    },
  };
}

/** Only the rows of the tables for these positions are read. */
const rotary = (tableAt: number): OperatorRule => {
  return (call) => {
    const { type, shape, elements } = call.input(0);
    const tokens = (shape.length === 4 ? shape[2] : shape[1]) ?? 1;
    const width = call.inputs[tableAt]?.shape.at(-1) ?? 0;
    const read = new Array<number | undefined>(tableAt).fill(undefined);
    const rows = Math.min(tokens * width, elementsOf(call.shape(tableAt)));
    return { outputs: [{ type, shape }], work: { elementOps: elements * ROTATION_OPS, elementsRead: [...read, rows, rows] } };
  };
};

export const attentionRules: Readonly<Record<string, OperatorRule>> = {
  Attention: (call) => multiHead(call, { heads: 'q_num_heads', kvHeads: 'kv_num_heads', pastAt: 4 }),
  RotaryEmbedding: rotary(1),
  'com.microsoft.MultiHeadAttention': (call) => multiHead(call, { heads: 'num_heads', kvHeads: 'num_heads', pastAt: 6 }),
  'com.microsoft.GroupQueryAttention': groupQuery,
  'com.microsoft.RotaryEmbedding': rotary(2),
};
