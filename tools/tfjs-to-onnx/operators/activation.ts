import { unsupported } from '../conversion-error.ts';
import type { Value } from '../graph-builder.ts';
import type { Operator, OperatorContext } from '../operator.ts';

/** Functions of one element: the order of axes does not matter to them. `alpha` is LeakyRelu's slope below zero. */
export function activation(context: OperatorContext, kind: string, value: Value, alpha: number): Value {
  const { builder, node } = context;
  const input = builder.settled(value);
  const emit = (type: string, attributes = {}, more: readonly string[] = []): Value => ({
    name: builder.emitOne(type, `${node.name}/${kind.toLowerCase()}`, [input.name, ...more], attributes),
    shape: input.shape,
    order: input.order,
  });
  switch (kind) {
    case 'Relu':
    case 'Sigmoid':
    case 'Tanh':
    case 'Elu':
      return emit(kind);
    case 'LeakyRelu':
      return emit('LeakyRelu', { alpha: { float: alpha } });
    case 'Relu6':
      return emit('Clip', {}, [
        builder.floats(`${node.name}/zero`, Float32Array.of(0), []),
        builder.floats(`${node.name}/six`, Float32Array.of(6), []),
      ]);
    default:
      throw unsupported(`${context.describe()} is fused with ${kind}; known are Relu, Relu6, LeakyRelu, Elu, Sigmoid and Tanh`);
  }
}

/** One of Relu, Relu6, LeakyRelu, Elu, Sigmoid, Tanh as a node of its own. TF's default slope is 0.2. */
export const activationNode: Operator = (context) => [
  activation(context, context.node.op, context.value(0), context.node.attributes.number('alpha', 0.2)),
];

/** Softmax over the last TF axis. */
export const softmax: Operator = (context) => {
  const input = context.builder.settled(context.value(0));
  const axis = input.order.indexOf(input.shape.length - 1);
  return [{ name: context.builder.emitOne('Softmax', context.node.name, [input.name], { axis }), shape: input.shape, order: input.order }];
};
