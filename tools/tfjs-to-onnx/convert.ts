import { malformed, unsupported } from './conversion-error.ts';
import { foldConstants } from './fold.ts';
import { GraphBuilder, identityOrder, type NodeDraft, type Value } from './graph-builder.ts';
import type { ConstTensor, TensorRef, TfGraph, TfNode } from './graph-model.ts';
import { encodeOnnxModel, type OnnxPort } from './onnx-model.ts';
import { isConstant, type Operator, OperatorContext } from './operator.ts';
import { activationNode, softmax } from './operators/activation.ts';
import { arithmetic } from './operators/arithmetic.ts';
import { concat, identity, mean, pad, reshape, resize, split, splitV, transpose } from './operators/arrangement.ts';
import { conv2d, depthwiseConv2d } from './operators/convolution.ts';
import { avgPool, maxPool } from './operators/pooling.ts';

/** Opset 17: understood by every ONNX Runtime since 1.12, and the newest in which ReduceMean's axes are an attribute. */
const OPSET = 17;

/** One line per TF operator that can be converted. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  Add: arithmetic,
  AddV2: arithmetic,
  AvgPool: avgPool,
  BiasAdd: arithmetic,
  ConcatV2: concat,
  Conv2D: conv2d,
  DepthwiseConv2dNative: depthwiseConv2d,
  Elu: activationNode,
  FusedDepthwiseConv2dNative: depthwiseConv2d,
  Identity: identity,
  LeakyRelu: activationNode,
  Maximum: arithmetic,
  MaxPool: maxPool,
  Mean: mean,
  Minimum: arithmetic,
  Mul: arithmetic,
  Pad: pad,
  PadV2: pad,
  RealDiv: arithmetic,
  Relu: activationNode,
  Relu6: activationNode,
  Reshape: reshape,
  ResizeBilinear: resize,
  ResizeNearestNeighbor: resize,
  Sigmoid: activationNode,
  Softmax: softmax,
  Split: split,
  SplitV: splitV,
  Sub: arithmetic,
  Tanh: activationNode,
  Transpose: transpose,
  _FusedConv2D: conv2d,
};

export const CONVERTIBLE_OPERATORS: readonly string[] = Object.keys(OPERATORS);

export interface ConversionOptions {
  readonly graphName: string;
  /** Names in the ONNX file by names in the TF signature, such as `{ 'input_1': 'image' }`. Others keep theirs. */
  readonly inputNames?: Readonly<Record<string, string>>;
  /** Such as `{ 'Identity:0': 'scores_8' }`. Outputs come in the order of this record, those it does not name after them. */
  readonly outputNames?: Readonly<Record<string, string>>;
}

type Operand = Value | ConstTensor;

/**
 * Converts a TF.js graph model to ONNX with float32 weights. The result is a function of its arguments alone, byte for byte.
 * Throws {@link ConversionError} `unsupported` naming the operator or attribute it does not know, `malformed` if the graph contradicts itself.
 */
export function convertGraphModel(graph: TfGraph, options: ConversionOptions): Uint8Array {
  refuseUnknownOperators(graph);
  const builder = new GraphBuilder();
  const results = new Map<string, readonly Operand[]>();
  const readers = countReaders(graph);
  const inputs = graph.inputs.map((input) => declareInput(input, options, builder, results));
  for (const output of graph.outputs) builder.reserve(options.outputNames?.[output.name] ?? output.name);
  for (const node of graph.nodes) {
    if (results.has(node.name)) continue;
    results.set(node.name, translate(node, builder, graph, results, readers));
  }
  const outputs = declareOutputs(graph, options, builder, results);
  return encodeOnnxModel({
    opset: OPSET,
    producer: 'coxswain tfjs-to-onnx',
    graphName: options.graphName,
    inputs,
    outputs,
    initializers: builder.initializers,
    nodes: builder.nodes,
  });
}

function refuseUnknownOperators(graph: TfGraph): void {
  const known = new Set([...CONVERTIBLE_OPERATORS, 'Const', 'Placeholder', 'SparseToDense']);
  const unknown = [...new Set(graph.nodes.map((node) => node.op).filter((op) => !known.has(op)))].sort();
  if (unknown.length > 0)
    throw unsupported(`the graph uses ${unknown.join(', ')}, which cannot be converted; known are ${[...known].sort().join(', ')}`);
}

/** How often each tensor is read, by nodes and as an output of the graph. */
function countReaders(graph: TfGraph): ReadonlyMap<string, number> {
  const readers = new Map<string, number>();
  const count = (ref: TensorRef) => readers.set(`${ref.node}:${ref.output}`, (readers.get(`${ref.node}:${ref.output}`) ?? 0) + 1);
  for (const node of graph.nodes) for (const input of node.inputs) count(input);
  for (const output of graph.outputs) count(output.tensor);
  return readers;
}

function declareInput(
  input: TfGraph['inputs'][number],
  options: ConversionOptions,
  builder: GraphBuilder,
  results: Map<string, readonly Operand[]>,
): OnnxPort {
  const name = options.inputNames?.[input.name] ?? input.name;
  if (input.shape.some((size) => !(size >= 1)))
    throw unsupported(`input ${input.name} has shape [${input.shape.join()}]; every size must be fixed`);
  builder.reserve(name);
  results.set(input.name, [{ name, shape: input.shape, order: identityOrder(input.shape.length) }]);
  return { name, shape: input.shape };
}

function translate(
  node: TfNode,
  builder: GraphBuilder,
  graph: TfGraph,
  results: ReadonlyMap<string, readonly Operand[]>,
  readers: ReadonlyMap<string, number>,
): readonly Operand[] {
  if (node.op === 'Const') {
    const constant = graph.constants.get(node.name);
    if (constant === undefined) throw malformed(`constant ${node.name} has no weights`);
    return [constant];
  }
  const operands = node.inputs.map((input) => resolve(input, results));
  if (operands.length > 0 && operands.every(isConstant)) {
    const folded = foldConstants(node, operands);
    if (folded !== undefined) return [folded];
  }
  const operator = OPERATORS[node.op];
  if (operator === undefined) throw unsupported(`${node.op} "${node.name}" can only be converted where all its inputs are constants`);
  const first = node.inputs[0];
  return operator(
    new OperatorContext(node, builder, operands, first === undefined ? 0 : (readers.get(`${first.node}:${first.output}`) ?? 0)),
  );
}

function resolve(ref: TensorRef, results: ReadonlyMap<string, readonly Operand[]>): Operand {
  const operand = results.get(ref.node)?.[ref.output];
  if (operand === undefined) throw malformed(`nothing produces ${ref.node}:${ref.output}`);
  return operand;
}

function asValue(operand: Operand, builder: GraphBuilder, name: string): Value {
  if (!isConstant(operand)) return operand;
  return {
    name: builder.floats(`${name}/constant`, Float32Array.from(operand.data), operand.shape),
    shape: operand.shape,
    order: identityOrder(operand.shape.length),
  };
}

/** Gives each tensor its output's name where it is some node's own, and copies it where it is not or already has another output's name. */
function declareOutputs(
  graph: TfGraph,
  options: ConversionOptions,
  builder: GraphBuilder,
  results: ReadonlyMap<string, readonly Operand[]>,
): readonly OnnxPort[] {
  const order = Object.keys(options.outputNames ?? {});
  const position = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const values = graph.outputs
    .toSorted((a, b) => position(a.name) - position(b.name))
    .map((output) => {
      const value = asValue(resolve(output.tensor, results), builder, output.name);
      return { name: options.outputNames?.[output.name] ?? output.name, value: builder.inOrder(value, identityOrder(value.shape.length)) };
    });
  const renamed = new Map<string, string>();
  return values.map(({ name, value }) => {
    const producer = builder.producer(value.name);
    const source = renamed.get(value.name) ?? value.name;
    if (graph.inputs.some((input) => (options.inputNames?.[input.name] ?? input.name) === name)) {
      throw unsupported(`${name} is an input and an output; ONNX needs two names, so give one in outputNames`);
    }
    if (producer === undefined || source !== value.name) {
      builder.nodes.push({ name, type: 'Identity', inputs: [source], outputs: [name], attributes: {} });
    } else if (value.name !== name) {
      rename(builder.nodes, producer, value.name, name);
      renamed.set(value.name, name);
    }
    return { name, shape: value.shape };
  });
}

function rename(nodes: readonly NodeDraft[], producer: NodeDraft, from: string, to: string): void {
  producer.outputs = producer.outputs.map((output) => (output === from ? to : output));
  for (const node of nodes) node.inputs = node.inputs.map((input) => (input === from ? to : input));
}
