import { elementTypeOf, isInteger } from '../element-type.ts';
import { broadcastShape } from '../indexing.ts';
import type { OperatorRule } from '../operator-call.ts';
import { elementsOf, type TensorSketch } from '../tensor.ts';
import { concat } from './movement.ts';

/** Scale, round and clamp. */
const QUANTIZE_OPS = 3;
/** Dequantise two operands, combine them, quantise the result. */
const REQUANTIZED_OPS = 8;

/** The type is that of the zero point, of `output_dtype`, or uint8. */
const quantize: OperatorRule = (call) => {
  const { shape, elements } = call.input(0);
  const type = call.inputs[2]?.type ?? elementTypeOf(call.number('output_dtype', 0)) ?? 'uint8';
  return { outputs: [{ type, shape }], work: { elementOps: elements * QUANTIZE_OPS } };
};

/** The output is a float in the graph, but a core that multiplies integers reads the quantised tensor itself: it is counted as that. */
const dequantize: OperatorRule = (call) => {
  const { type, shape, elements } = call.input(0);
  const narrow = isInteger(type) && type !== 'int32' ? type : undefined;
  return { outputs: [{ type: call.input(1).type, shape, quantizedFrom: narrow }], work: { elementOps: elements * 2 } };
};

const dynamicQuantize: OperatorRule = (call) => {
  const { shape, elements } = call.input(0);
  const outputs: TensorSketch[] = [
    { type: 'uint8', shape },
    { type: 'float32', shape: [] },
    { type: 'uint8', shape: [] },
  ];
  return { outputs, work: { elementOps: elements * (QUANTIZE_OPS + 2) } };
};

/** Operand, scale, zero point, twice. */
const quantizedBinary: OperatorRule = (call) => {
  const shape = broadcastShape(call, [call.shape(0), call.shape(3)]);
  return { outputs: [{ type: call.input(0).type, shape }], work: { elementOps: elementsOf(shape) * REQUANTIZED_OPS } };
};

const quantizedUnary: OperatorRule = (call) => {
  const { type, shape, elements } = call.input(0);
  return { outputs: [{ type, shape }], work: { elementOps: elements } };
};

/** Scale and zero point of the output, then operand, scale and zero point of each part. */
const quantizedConcat: OperatorRule = (call) => {
  const parts = call.inputs.flatMap((_, index) => (index >= 2 && (index - 2) % 3 === 0 ? [call.input(index)] : []));
  const joined = concat(call, parts);
  return { outputs: [joined], work: { elementOps: elementsOf(joined.shape) * QUANTIZE_OPS } };
};

/** Rows of a table quantised in blocks, as int4 embeddings are: the row is as long as the table is wide, unpacked. */
const gatherBlocks: OperatorRule = (call) => {
  const table = call.input(0);
  const indices = call.shape(1);
  const axis = call.axis(call.number('gather_axis', 0), table.shape.length);
  const packed = table.type === 'uint8' ? 8 / call.number('bits', 4) : 1;
  const unpacked = table.shape.map((size, at) => (at === table.shape.length - 1 ? size * packed : size));
  const shape = [...unpacked.slice(0, axis), ...indices, ...unpacked.slice(axis + 1)];
  const read = elementsOf(shape) / packed;
  return { outputs: [{ type: call.input(2).type, shape }], work: { elementOps: elementsOf(shape) * 2, elementsRead: [read] } };
};

export const quantizationRules: Readonly<Record<string, OperatorRule>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  'com.microsoft.QuantizeLinear': quantize,
  'com.microsoft.DequantizeLinear': dequantize,
  'com.microsoft.QLinearAdd': quantizedBinary,
  'com.microsoft.QLinearMul': quantizedBinary,
  'com.microsoft.QLinearSigmoid': quantizedUnary,
  'com.microsoft.QLinearLeakyRelu': quantizedUnary,
  'com.microsoft.QLinearSoftmax': quantizedUnary,
  'com.microsoft.QLinearConcat': quantizedConcat,
  'com.microsoft.GatherBlockQuantized': gatherBlocks,
};
