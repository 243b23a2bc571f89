import { unsupported } from '../conversion-error.ts';
import { identityOrder, type Value } from '../graph-builder.ts';
import type { ConstTensor } from '../graph-model.ts';
import { at, isConstant, type Operator, type OperatorContext } from '../operator.ts';

const ONNX_NAMES: Readonly<Record<string, string>> = {
  Add: 'Add',
  AddV2: 'Add',
  BiasAdd: 'Add',
  Sub: 'Sub',
  Mul: 'Mul',
  RealDiv: 'Div',
  Maximum: 'Max',
  Minimum: 'Min',
};

/** Operations on two tensors with TF's (that is NumPy's) broadcasting. A channel vector added to a bare convolution becomes its bias. */
export const arithmetic: Operator = (context) => {
  const type = ONNX_NAMES[context.node.op];
  if (type === undefined) throw unsupported(`${context.describe()} is not an arithmetic operator`);
  const [a, b] = [context.operand(0), context.operand(1)];
  if (type === 'Add' && isConstant(b) && !isConstant(a) && a.takesBias && context.firstInputReaders === 1) {
    const biased = withBias(context, a, b);
    if (biased !== undefined) return [biased];
  }
  const rank = Math.max(a.shape.length, b.shape.length);
  const leader = [a, b].find((operand): operand is Value => !isConstant(operand) && operand.shape.length === rank);
  const order = leader?.order ?? identityOrder(rank);
  const inputs = [expanded(context, 0, rank, order), expanded(context, 1, rank, order)];
  return [{ name: context.builder.emitOne(type, context.node.name, inputs), shape: broadcast(context, a.shape, b.shape), order }];
};

function withBias(context: OperatorContext, value: Value, bias: ConstTensor): Value | undefined {
  const channels = at(value.shape, value.shape.length - 1);
  const isChannelVector = bias.data.length === channels && bias.shape.at(-1) === channels;
  const producer = context.builder.producer(value.name);
  if (!isChannelVector || producer === undefined) return undefined;
  producer.inputs.push(context.builder.floats(`${context.node.name}/bias`, Float32Array.from(bias.data), [channels]));
  return { name: value.name, shape: value.shape, order: value.order };
}

/** The name of an operand brought to the common rank and order of axes. */
function expanded(context: OperatorContext, index: number, rank: number, order: readonly number[]): string {
  const operand = context.operand(index);
  const missing = rank - operand.shape.length;
  const shape = [...Array.from({ length: missing }, () => 1), ...operand.shape];
  const { builder, node } = context;
  if (isConstant(operand)) {
    const stored = permuted(operand.data, shape, order);
    return builder.floats(
      `${node.name}/operand_${index}`,
      stored,
      order.map((axis) => at(shape, axis)),
    );
  }
  if (missing === 0) return builder.inOrder(operand, order).name;
  const plain = builder.inOrder(operand, identityOrder(operand.shape.length));
  const reshaped = builder.emitOne('Reshape', `${node.name}/expand_${index}`, [
    plain.name,
    builder.integers(`${node.name}/shape_${index}`, shape),
  ]);
  return builder.inOrder({ name: reshaped, shape, order: identityOrder(rank) }, order).name;
}

function permuted(data: Float32Array | Int32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const target = new Float32Array(data.length);
  for (let index = 0; index < target.length; index++) {
    let rest = index;
    let source = 0;
    for (let k = order.length - 1; k >= 0; k--) {
      const axis = at(order, k);
      source += (rest % at(shape, axis)) * at(strides, axis);
      rest = Math.floor(rest / at(shape, axis));
    }
    target[index] = data[source] ?? Number.NaN;
  }
  return target;
}

function broadcast(context: OperatorContext, a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return identityOrder(rank).map((axis) => {
    const [x, y] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw unsupported(`${context.describe()} cannot broadcast [${a.join()}] with [${b.join()}]`);
    return x === 1 ? y : x;
  });
}
