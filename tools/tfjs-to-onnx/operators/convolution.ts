import { unsupported } from '../conversion-error.ts';
import { CHANNELS_SECOND, type Value } from '../graph-builder.ts';
import type { ConstTensor } from '../graph-model.ts';
import { at, type Operator, type OperatorContext } from '../operator.ts';
import { slidingWindow } from '../window.ts';
import { activation } from './activation.ts';

/** Conv2D and _FusedConv2D: filter [rows, columns, in, out] (HWIO) to ONNX [out, in, rows, columns]. */
export const conv2d: Operator = (context) => {
  const filter = filterOf(context);
  const [rows, columns, inputs, outputs] = [at(filter.shape, 0), at(filter.shape, 1), at(filter.shape, 2), at(filter.shape, 3)];
  const channels = at(context.value(0).shape, 3);
  if (inputs !== channels)
    throw unsupported(`${context.describe()} has a filter of ${inputs} channels on an input of ${channels}; groups are not converted`);
  const weights = reorder(filter.data, [outputs, inputs, rows, columns], (o, i, y, x) => ((y * columns + x) * inputs + i) * outputs + o);
  return [emitConvolution(context, { weights, weightShape: [outputs, inputs, rows, columns], groups: 1, outputs })];
};

/** DepthwiseConv2dNative and its fused form: filter [rows, columns, channels, multiplier] to ONNX [channels * multiplier, 1, rows, columns]. */
export const depthwiseConv2d: Operator = (context) => {
  const filter = filterOf(context);
  const [rows, columns, channels, multiplier] = [at(filter.shape, 0), at(filter.shape, 1), at(filter.shape, 2), at(filter.shape, 3)];
  const outputs = channels * multiplier;
  const weights = reorder(filter.data, [outputs, 1, rows, columns], (o, _, y, x) => (y * columns + x) * outputs + o);
  return [emitConvolution(context, { weights, weightShape: [outputs, 1, rows, columns], groups: channels, outputs })];
};

interface Kernel {
  readonly weights: Float32Array;
  readonly weightShape: readonly [number, number, number, number];
  readonly groups: number;
  readonly outputs: number;
}

function emitConvolution(context: OperatorContext, kernel: Kernel): Value {
  const { node, builder } = context;
  const window = slidingWindow(context, context.value(0), [kernel.weightShape[2], kernel.weightShape[3]], (fill) => fill === 0);
  const input = builder.inOrder(window.input, CHANNELS_SECOND);
  const fused = node.attributes.texts('fused_ops');
  const weights = builder.floats(`${node.name}/weights`, kernel.weights, kernel.weightShape);
  const inputs = [input.name, weights];
  if (fused[0] === 'BiasAdd') inputs.push(builder.floats(`${node.name}/bias`, biasOf(context, kernel.outputs), [kernel.outputs]));
  const name = builder.emitOne('Conv', node.name, inputs, {
    kernel_shape: window.kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: window.pads,
    group: kernel.groups,
  });
  const shape = [at(input.shape, 0), ...window.size, kernel.outputs];
  const rest = fused[0] === 'BiasAdd' ? fused.slice(1) : fused;
  if (rest.length > 1) throw unsupported(`${context.describe()} is fused with ${fused.join(', ')}`);
  const value: Value = { name, shape, order: CHANNELS_SECOND };
  if (rest[0] !== undefined) return activation(context, rest[0], value, node.attributes.number('leakyrelu_alpha', 0.2));
  return fused.length === 0 ? { ...value, takesBias: true } : value;
}

function filterOf(context: OperatorContext): ConstTensor {
  const filter = context.constant(1);
  if (filter.shape.length !== 4 || filter.dtype !== 'float32')
    throw unsupported(`${context.describe()} has a filter of shape [${filter.shape.join()}]`);
  return filter;
}

function biasOf(context: OperatorContext, outputs: number): Float32Array {
  const bias = context.constant(2);
  if (bias.data.length !== outputs) throw unsupported(`${context.describe()} has ${bias.data.length} biases for ${outputs} channels`);
  return Float32Array.from(bias.data);
}

/** Fills a tensor of the given shape in row-major order from `source[pick(...index)]`. */
function reorder(
  source: Float32Array | Int32Array,
  shape: readonly [number, number, number, number],
  pick: (a: number, b: number, c: number, d: number) => number,
): Float32Array {
  const target = new Float32Array(shape[0] * shape[1] * shape[2] * shape[3]);
  let index = 0;
  for (let a = 0; a < shape[0]; a++)
    for (let b = 0; b < shape[1]; b++)
      for (let c = 0; c < shape[2]; c++) for (let d = 0; d < shape[3]; d++) target[index++] = source[pick(a, b, c, d)] ?? Number.NaN;
  return target;
}
