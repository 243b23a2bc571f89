import type { ConstTensor } from '../../tools/tfjs-to-onnx/graph-model.ts';
import { floats, integers, type NodeSketch, randomFloats } from './tfjs-graph.ts';

export interface OperatorCase {
  readonly title: string;
  readonly shape: readonly number[];
  readonly constants?: Readonly<Record<string, ConstTensor>>;
  readonly nodes: readonly NodeSketch[];
  readonly outputs?: readonly string[];
}

export const random = (shape: readonly number[], seed: number) =>
  floats(
    shape,
    randomFloats(
      shape.reduce((product, size) => product * size, 1),
      seed,
    ),
  );

const CHANNELS_FIRST = integers(0, 3, 1, 2);
const CHANNELS_LAST = integers(0, 2, 3, 1);

function convolutions(): OperatorCase[] {
  const cases: OperatorCase[] = [];
  for (const padding of ['SAME', 'VALID'])
    for (const [kernel, stride, dilation] of [
      [1, 1, 1],
      [3, 1, 1],
      [3, 2, 1],
      [2, 2, 1],
      [5, 3, 1],
      [3, 1, 2],
    ] as const) {
      const attributes = { padding, strides: [1, stride, stride, 1], dilations: [1, dilation, dilation, 1], data_format: 'NHWC' };
      const size = `kernel ${kernel}, stride ${stride}, dilation ${dilation}`;
      cases.push({
        title: `Conv2D ${padding}, ${size}`,
        shape: [1, 11, 8, 3],
        constants: { filter: random([kernel, kernel, 3, 5], kernel + stride) },
        nodes: [{ name: 'y', op: 'Conv2D', inputs: ['x', 'filter'], attributes }],
      });
      cases.push({
        title: `DepthwiseConv2dNative ${padding}, ${size}`,
        shape: [1, 9, 12, 4],
        constants: { filter: random([kernel, kernel, 4, 2], kernel + stride) },
        nodes: [{ name: 'y', op: 'DepthwiseConv2dNative', inputs: ['x', 'filter'], attributes }],
      });
    }
  return cases;
}

const plain = { padding: 'VALID', strides: [1, 1, 1, 1], dilations: [1, 1, 1, 1] };
const filter3 = { filter: random([3, 3, 3, 4], 5) };
const conv: NodeSketch = { name: 'conv', op: 'Conv2D', inputs: ['x', 'filter'], attributes: plain };

const fusions: OperatorCase[] = [
  ...['Relu', 'Relu6', 'LeakyRelu', 'Elu', 'Sigmoid', 'Tanh'].map((activation, index) => ({
    title: `_FusedConv2D with a bias and ${activation}`,
    shape: [1, 7, 5, 3],
    constants: {
      filter: floats(
        [3, 2, 3, 4],
        randomFloats(72, 7).map((weight) => 4 * weight),
      ),
      bias: random([4], 9),
    },
    nodes: [
      {
        name: 'y',
        op: '_FusedConv2D',
        inputs: ['x', 'filter', 'bias'],
        attributes: { padding: 'SAME', strides: [1, 2, 1, 1], fused_ops: ['BiasAdd', activation], leakyrelu_alpha: 0.1 + index },
      },
    ],
  })),
  {
    title: 'FusedDepthwiseConv2dNative with a bias and Relu6',
    shape: [1, 7, 5, 3],
    constants: { filter: random([3, 3, 3, 1], 7), bias: random([3], 9) },
    nodes: [
      {
        name: 'y',
        op: 'FusedDepthwiseConv2dNative',
        inputs: ['x', 'filter', 'bias'],
        attributes: { padding: 'SAME', strides: [1, 2, 2, 1], fused_ops: ['BiasAdd', 'Relu6'] },
      },
    ],
  },
  {
    title: 'Conv2D with explicit, uneven padding',
    shape: [1, 6, 7, 3],
    constants: filter3,
    nodes: [{ ...conv, name: 'y', attributes: { ...plain, padding: 'EXPLICIT', explicit_paddings: [0, 0, 2, 1, 0, 1, 0, 0] } }],
  },
  {
    title: 'a channel vector added to a convolution',
    shape: [1, 6, 7, 3],
    constants: { ...filter3, bias: random([4], 3) },
    nodes: [conv, { name: 'y', op: 'BiasAdd', inputs: ['conv', 'bias'] }],
  },
  {
    title: 'a channel vector added to a convolution that somebody else reads without it',
    shape: [1, 6, 7, 3],
    constants: { ...filter3, bias: random([4], 3) },
    nodes: [conv, { name: 'y', op: 'AddV2', inputs: ['conv', 'bias'] }, { name: 'z', op: 'Relu', inputs: ['conv'] }],
    outputs: ['y', 'z'],
  },
  {
    title: 'a row vector as long as there are channels, added to a transposed convolution',
    shape: [1, 6, 6, 3],
    constants: { ...filter3, bias: random([4], 3), order: CHANNELS_FIRST },
    nodes: [conv, { name: 'moved', op: 'Transpose', inputs: ['conv', 'order'] }, { name: 'y', op: 'Add', inputs: ['moved', 'bias'] }],
  },
  {
    title: 'zeros padded around a convolution',
    shape: [1, 6, 7, 3],
    constants: { ...filter3, amounts: floats([4, 2], []) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'] },
    ],
  },
].map((entry) =>
  'amounts' in (entry.constants ?? {})
    ? { ...entry, constants: { ...entry.constants, amounts: { ...integers(0, 0, 1, 2, 2, 1, 0, 0), shape: [4, 2] } } }
    : entry,
);

const amounts = (...list: readonly number[]): ConstTensor => ({ ...integers(...list), shape: [list.length / 2, 2] });

const paddings: OperatorCase[] = [
  {
    title: 'Pad of every axis',
    shape: [1, 3, 2, 4],
    constants: { amounts: amounts(1, 0, 0, 2, 3, 1, 0, 1) },
    nodes: [{ name: 'y', op: 'Pad', inputs: ['x', 'amounts'] }],
  },
  {
    title: 'a padding larger than the window of the convolution that reads it',
    shape: [1, 4, 4, 3],
    constants: { ...filter3, amounts: amounts(0, 0, 4, 5, 3, 3, 0, 0) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'] },
    ],
  },
  {
    title: 'a padding that is not zero, before a convolution',
    shape: [1, 4, 4, 3],
    constants: { ...filter3, amounts: amounts(0, 0, 1, 1, 1, 1, 0, 0), fill: floats([], [0.5]) },
    nodes: [
      { name: 'pad', op: 'PadV2', inputs: ['x', 'amounts', 'fill'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'] },
    ],
  },
  {
    title: 'a padding of channels before a convolution',
    shape: [1, 5, 4, 2],
    constants: { ...filter3, amounts: amounts(0, 0, 1, 1, 1, 1, 0, 1) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'] },
    ],
  },
  {
    title: 'a padding before a convolution that pads itself as well',
    shape: [1, 5, 4, 3],
    constants: { ...filter3, amounts: amounts(0, 0, 1, 2, 0, 1, 0, 0) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'], attributes: { ...plain, padding: 'SAME', strides: [1, 2, 2, 1] } },
    ],
  },
  {
    title: 'a padding read by a convolution and by others',
    shape: [1, 5, 4, 3],
    constants: { ...filter3, amounts: amounts(0, 0, 1, 1, 1, 1, 0, 0) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { ...conv, name: 'y', inputs: ['pad', 'filter'] },
      { name: 'z', op: 'Tanh', inputs: ['pad'] },
    ],
    outputs: ['y', 'z', 'pad'],
  },
  {
    title: 'the lowest single padded around a maximum, channels first in between',
    shape: [1, 3, 6, 5],
    constants: { amounts: amounts(0, 0, 0, 0, 1, 1, 1, 0), fill: floats([], [-3.4028234663852886e38]), last: CHANNELS_LAST },
    nodes: [
      { name: 'pad', op: 'PadV2', inputs: ['x', 'amounts', 'fill'] },
      { name: 'moved', op: 'Transpose', inputs: ['pad', 'last'] },
      { name: 'y', op: 'MaxPool', inputs: ['moved'], attributes: { padding: 'VALID', ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1] } },
    ],
  },
  {
    title: 'zeros padded around a maximum of negative numbers',
    shape: [1, 5, 5, 2],
    constants: { amounts: amounts(0, 0, 1, 1, 1, 1, 0, 0), minus: floats([], [-3]) },
    nodes: [
      { name: 'low', op: 'Add', inputs: ['x', 'minus'] },
      { name: 'pad', op: 'Pad', inputs: ['low', 'amounts'] },
      { name: 'y', op: 'MaxPool', inputs: ['pad'], attributes: { padding: 'VALID', ksize: [1, 3, 3, 1], strides: [1, 1, 1, 1] } },
    ],
  },
  {
    title: 'zeros padded around an average, which count',
    shape: [1, 5, 5, 2],
    constants: { amounts: amounts(0, 0, 1, 1, 1, 1, 0, 0) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { name: 'y', op: 'AvgPool', inputs: ['pad'], attributes: { padding: 'VALID', ksize: [1, 3, 3, 1], strides: [1, 1, 1, 1] } },
    ],
  },
];

const pools: OperatorCase[] = ['MaxPool', 'AvgPool'].flatMap((op) =>
  ['SAME', 'VALID'].flatMap((padding) =>
    [
      [2, 2],
      [3, 2],
      [3, 1],
      [2, 3],
    ].map(([size = 1, stride = 1]) => ({
      title: `${op} ${padding}, window ${size}, stride ${stride}`,
      shape: [1, 7, 10, 3],
      nodes: [{ name: 'y', op, inputs: ['x'], attributes: { padding, ksize: [1, size, size, 1], strides: [1, stride, stride, 1] } }],
    })),
  ),
);

const resizes: OperatorCase[] = ['ResizeBilinear', 'ResizeNearestNeighbor'].flatMap((op) =>
  [{}, { half_pixel_centers: true }, { align_corners: true }].flatMap((attributes) =>
    [
      [10, 14],
      [13, 9],
      [3, 4],
      [5, 7],
    ].map(([rows = 1, columns = 1]) => ({
      title: `${op} of 5x7 to ${rows}x${columns}, ${Object.keys(attributes)[0] ?? 'corners at the origin'}`,
      shape: [1, 5, 7, 3],
      constants: { size: integers(rows, columns) },
      nodes: [{ name: 'y', op, inputs: ['x', 'size'], attributes }],
    })),
  ),
);

const elementwise: OperatorCase[] = [
  ...['Relu', 'Relu6', 'LeakyRelu', 'Elu', 'Sigmoid', 'Tanh'].map((op) => ({
    title: op,
    shape: [2, 3, 5],
    constants: { nine: floats([], [9]) },
    nodes: [
      { name: 'wide', op: 'Mul', inputs: ['x', 'nine'] },
      { name: 'y', op, inputs: ['wide'], attributes: op === 'LeakyRelu' ? { alpha: 0.1 } : {} },
    ],
  })),
  {
    title: 'Softmax over channels, after a convolution',
    shape: [1, 5, 4, 3],
    constants: filter3,
    nodes: [conv, { name: 'y', op: 'Softmax', inputs: ['conv'] }],
  },
  ...['Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Maximum', 'Minimum'].flatMap((op) => [
    {
      title: `${op} of tensors that lie differently in memory`,
      shape: [1, 5, 5, 3],
      constants: { filter: random([1, 1, 3, 3], 5) },
      nodes: [{ ...conv }, { name: 'y', op, inputs: ['conv', 'x'] }],
    },
    ...[[], [4], [1, 4], [2, 1], [1, 3, 2, 4], [3, 1, 1]].map((shape, index) => ({
      title: `${op} with a constant of shape [${shape.join()}], after a convolution`,
      shape: [1, 5, 4, 3],
      constants: { ...filter3, other: random(shape, 21 + index) },
      nodes: [conv, { name: 'y', op, inputs: index % 2 === 0 ? ['other', 'conv'] : ['conv', 'other'] }],
    })),
  ]),
  {
    title: 'Sub of a tensor of lower rank',
    shape: [1, 5, 4, 3],
    constants: { ...filter3, axes: integers(0, 1) },
    nodes: [conv, { name: 'row', op: 'Mean', inputs: ['conv', 'axes'] }, { name: 'y', op: 'Sub', inputs: ['row', 'conv'] }],
  },
];

const arrangements: OperatorCase[] = [
  ...[1, 2, 3, -1, -2].map((axis) => ({
    title: `ConcatV2 along axis ${axis} of tensors that lie differently in memory`,
    shape: [1, 5, 5, 3],
    constants: { filter: random([1, 1, 3, 3], 5), axis: integers(axis), constant: random([1, 5, 5, 3], 8) },
    nodes: [conv, { name: 'y', op: 'ConcatV2', inputs: ['conv', 'x', 'constant', 'axis'] }],
  })),
  ...[1, 3, -1].map((axis) => ({
    title: `Split along axis ${axis} after a convolution`,
    shape: [1, 6, 5, 3],
    constants: { ...filter3, axis: integers(axis) },
    nodes: [conv, { name: 'y', op: 'Split', inputs: ['axis', 'conv'], attributes: { num_split: 2 } }],
    outputs: ['y:0', 'y:1'],
  })),
  {
    title: 'SplitV where one size takes what is left',
    shape: [1, 6, 5, 3],
    constants: { ...filter3, sizes: integers(1, -1, 1), axis: integers(3) },
    nodes: [conv, { name: 'y', op: 'SplitV', inputs: ['conv', 'sizes', 'axis'], attributes: { num_split: 3 } }],
    outputs: ['y:2', 'y:0', 'y:1'],
  },
  ...[
    [3, 1, 0, 2],
    [0, 1, 2, 3],
    [2, 3, 1, 0],
  ].map((order) => ({
    title: `Transpose [${order.join()}] after a convolution`,
    shape: [1, 6, 5, 3],
    constants: { ...filter3, order: integers(...order) },
    nodes: [conv, { name: 'y', op: 'Transpose', inputs: ['conv', 'order'] }],
  })),
  {
    title: 'a convolution between transpositions, as frameworks with channels first are exported',
    shape: [1, 3, 6, 5],
    constants: { ...filter3, first: CHANNELS_FIRST, last: CHANNELS_LAST, amounts: amounts(0, 0, 0, 0, 1, 1, 1, 1) },
    nodes: [
      { name: 'pad', op: 'Pad', inputs: ['x', 'amounts'] },
      { name: 'in', op: 'Transpose', inputs: ['pad', 'last'] },
      { ...conv, inputs: ['in', 'filter'] },
      { name: 'y', op: 'Transpose', inputs: ['conv', 'first'] },
    ],
  },
  {
    title: 'Reshape after a convolution',
    shape: [1, 6, 5, 3],
    constants: { ...filter3, shape: integers(1, -1, 2) },
    nodes: [conv, { name: 'y', op: 'Reshape', inputs: ['conv', 'shape'] }],
  },
  ...[true, false].flatMap((keeps) =>
    [[1, 2], [3], [-3, 0]].map((axes) => ({
      title: `Mean over [${axes.join()}] after a convolution, ${keeps ? 'keeping' : 'dropping'} the axes`,
      shape: [1, 6, 5, 3],
      constants: { ...filter3, axes: integers(...axes) },
      nodes: [conv, { name: 'y', op: 'Mean', inputs: ['conv', 'axes'], attributes: { keep_dims: keeps } }],
    })),
  ),
  {
    title: 'Identity, and one tensor as two outputs',
    shape: [1, 4, 4, 3],
    constants: filter3,
    nodes: [conv, { name: 'y', op: 'Identity', inputs: ['conv'] }, { name: 'z', op: 'Identity', inputs: ['conv'] }],
    outputs: ['y', 'z'],
  },
  {
    title: 'a shape computed from constants',
    shape: [2, 6],
    constants: {
      base: integers(4, -1),
      places: { dtype: 'int32', shape: [1, 1], data: Int32Array.of(0) },
      size: integers(2),
      value: integers(-1),
      zero: { dtype: 'int32', shape: [], data: Int32Array.of(0) },
    },
    nodes: [
      { name: 'change', op: 'SparseToDense', inputs: ['places', 'size', 'value', 'zero'] },
      { name: 'shape', op: 'AddV2', inputs: ['base', 'change'] },
      { name: 'y', op: 'Reshape', inputs: ['x', 'shape'] },
    ],
  },
];

/** Every operator the converter knows, by itself and where its place in a graph matters, on odd sizes and strides. */
export const OPERATOR_CASES: readonly OperatorCase[] = [
  ...convolutions(),
  ...fusions,
  ...paddings,
  ...pools,
  ...resizes,
  ...elementwise,
  ...arrangements,
];
