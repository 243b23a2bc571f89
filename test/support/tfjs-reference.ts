import type { TensorRef, TfGraph, TfNode } from '../../tools/tfjs-to-onnx/graph-model.ts';
import {
  combine,
  concat,
  convolve,
  mean,
  pad,
  pool,
  positive,
  resize,
  softmax,
  sparseToDense,
  split,
  type Tensor,
  tensor,
  transpose,
  unary,
} from './tfjs-kernels.ts';

/**
 * Evaluates a TF.js graph operator by operator as TensorFlow defines them: channels last, one loop per axis, sums in double precision.
 * It shares nothing with the converter but the reader of the file, so that the converter is not checked against itself, and it is plain
 * rather than fast: NanoDet takes seconds.
 * Outputs come in the order of `graph.outputs`.
 */
export function evaluateGraph(graph: TfGraph, feeds: Readonly<Record<string, Tensor>>): Tensor[] {
  const results = new Map<string, readonly Tensor[]>();
  const read = (ref: TensorRef): Tensor => {
    const value = results.get(ref.node)?.[ref.output];
    if (value === undefined) throw new Error(`nothing has computed ${ref.node}:${ref.output}`);
    return value;
  };
  for (const node of graph.nodes) {
    const constant = graph.constants.get(node.name);
    const feed = feeds[node.name];
    if (constant !== undefined) results.set(node.name, [tensor(constant.shape, constant.data)]);
    else if (feed !== undefined) results.set(node.name, [feed]);
    else results.set(node.name, evaluateNode(node, node.inputs.map(read)));
  }
  return graph.outputs.map((output) => read(output.tensor));
}

function evaluateNode(node: TfNode, inputs: readonly Tensor[]): readonly Tensor[] {
  const input = (index: number): Tensor => {
    const value = inputs[index];
    if (value === undefined) throw new Error(`${node.op} ${node.name} has no input ${index}`);
    return value;
  };
  const attributes = node.attributes;
  switch (node.op) {
    case 'Identity':
      return [input(0)];
    case 'Conv2D':
      return [convolve(node, input(0), input(1), false)];
    case 'DepthwiseConv2dNative':
      return [convolve(node, input(0), input(1), true)];
    case '_FusedConv2D':
    case 'FusedDepthwiseConv2dNative': {
      const plain = convolve(node, input(0), input(1), node.op !== '_FusedConv2D');
      return [
        attributes
          .texts('fused_ops')
          .reduce((value, op) => (op === 'BiasAdd' ? combine('Add', value, input(2)) : unary(node, op, value)), plain),
      ];
    }
    case 'Add':
    case 'AddV2':
    case 'BiasAdd':
    case 'Sub':
    case 'Mul':
    case 'RealDiv':
    case 'Maximum':
    case 'Minimum':
      return [combine(node.op, input(0), input(1))];
    case 'Relu':
    case 'Relu6':
    case 'LeakyRelu':
    case 'Elu':
    case 'Sigmoid':
    case 'Tanh':
      return [unary(node, node.op, input(0))];
    case 'Softmax':
      return [softmax(input(0))];
    case 'Pad':
    case 'PadV2':
      return [pad(input(0), input(1).data, node.op === 'PadV2' ? (input(2).data[0] ?? 0) : 0)];
    case 'MaxPool':
    case 'AvgPool':
      return [pool(node, input(0))];
    case 'ConcatV2':
      return [concat(inputs.slice(0, -1), inputs.at(-1)?.data[0] ?? 0)];
    case 'Split': {
      const parts = attributes.number('num_split', 1);
      const axis = positive(input(0).data[0] ?? 0, input(1).shape.length);
      return split(input(1), axis, new Array<number>(parts).fill((input(1).shape[axis] ?? 0) / parts));
    }
    case 'SplitV': {
      const axis = positive(input(2).data[0] ?? 0, input(0).shape.length);
      const asked = Array.from(input(1).data);
      const left = (input(0).shape[axis] ?? 0) - asked.filter((size) => size !== -1).reduce((sum, size) => sum + size, 0);
      return split(
        input(0),
        axis,
        asked.map((size) => (size === -1 ? left : size)),
      );
    }
    case 'Transpose':
      return [transpose(input(0), Array.from(input(1).data))];
    case 'Reshape': {
      const asked = Array.from(input(1).data);
      const known = asked.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
      return [
        tensor(
          asked.map((size) => (size === -1 ? input(0).data.length / known : size)),
          input(0).data,
        ),
      ];
    }
    case 'Mean':
      return [
        mean(
          input(0),
          Array.from(input(1).data, (axis) => positive(axis, input(0).shape.length)),
          attributes.flag('keep_dims', false),
        ),
      ];
    case 'ResizeBilinear':
    case 'ResizeNearestNeighbor':
      return [resize(node, input(0), input(1).data)];
    case 'SparseToDense':
      return [sparseToDense(input(0), input(1), input(2), input(3))];
    default:
      throw new Error(`the reference does not know ${node.op}`);
  }
}
