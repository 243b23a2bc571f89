import type { OnnxGraph, OnnxNode } from './graph.ts';
import { numberOf, numbersOf } from './node-attributes.ts';
import { operatorName } from './operators/registry.ts';
import { knownValues } from './read-constant.ts';
import type { Tensor } from './tensor.ts';

/** What has to be done for an output to be computed for its last row alone. */
export interface LastRow {
  /** Each is to be cut to its last row for the nodes that read it there, named by their first outputs; others read it whole. */
  readonly cuts: ReadonlyMap<string, ReadonlySet<string>>;
  /** Values that have one row then. */
  readonly narrowed: ReadonlySet<string>;
}

export interface LastRowOptions {
  /** Of rows `[1, rows, width]`. */
  readonly output: string;
  /** A number that no width of the graph has, with which the shapes were inferred. */
  readonly rows: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Goes from the output back through nodes that make each row from the same row of what they read and are read by such nodes alone. Where that ends is where to cut: in a decoder
 * behind the attention of its last layer, and in the sum that goes past it. Undefined when not even the node of the output is of that kind.
 *
 *     x ----------------------- x[last] -- Add -- .. -- Add -- Norm -- MatMul -> logits of one token
 *      `- Norm -- Attention -- a[last] ---'
 */
export function lastRow(graph: OnnxGraph, { output, rows, tensors }: LastRowOptions): LastRow | undefined {
  if (graph.nodes.some(({ attributes }) => [...attributes.values()].some(({ kind }) => kind === 'block'))) return undefined;
  const isRows = (name: string): boolean => {
    const { shape, origin } = tensors.get(name) ?? {};
    return shape?.length === 3 && shape[0] === 1 && shape[1] === rows && origin !== 'weight';
  };
  const shapeOf = (name: string): readonly number[] | undefined => (graph.constants.get(name) ?? tensors.get(name))?.shape;
  const numbersIn = (name: string): readonly number[] | undefined => knownNumbers(graph, tensors, name);
  const readers = readersOf(graph.nodes);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const nodes = new Set<OnnxNode>();
  const isForLastRow = (name: string): boolean =>
    isRows(name) &&
    (outputs.has(name) ? name === output && !readers.has(name) : (readers.get(name) ?? []).every((node) => nodes.has(node)));
  for (const node of graph.nodes.toReversed()) {
    const made = node.outputs.filter((name) => name !== '');
    const isRead = made.some((name) => name === output || readers.has(name));
    if (isRead && made.every(isForLastRow) && isRowByRow(node, { isRows, shapeOf, numbersIn })) nodes.add(node);
  }
  if (nodes.size === 0) return undefined;
  const narrowed = new Set([...nodes].flatMap((node) => node.outputs.filter((name) => name !== '')));
  const cuts = new Map<string, Set<string>>();
  for (const node of nodes)
    for (const name of node.inputs)
      if (isRows(name) && !narrowed.has(name)) cuts.set(name, (cuts.get(name) ?? new Set()).add(firstOutput(node)));
  return { cuts, narrowed };
}

const firstOutput = ({ outputs }: OnnxNode): string => outputs.find((name) => name !== '') ?? '';

function readersOf(nodes: readonly OnnxNode[]): ReadonlyMap<string, readonly OnnxNode[]> {
  const readers = new Map<string, OnnxNode[]>();
  for (const node of nodes)
    for (const name of node.inputs) {
      const known = readers.get(name);
      if (known === undefined) readers.set(name, [node]);
      else known.push(node);
    }
  return readers;
}

/** Operators that compute each element from those at its place, as far as their inputs are stretched. */
const BY_ELEMENT: ReadonlySet<string> = new Set([
  ...['Add', 'Sub', 'Mul', 'Div', 'Pow', 'Sqrt', 'Reciprocal', 'Neg', 'Exp', 'Tanh', 'Erf', 'Relu', 'Sigmoid', 'Gelu', 'Cast', 'Identity'],
  ...['com.microsoft.Gelu', 'com.microsoft.FastGelu', 'com.microsoft.QuickGelu', 'com.microsoft.BiasGelu'],
]);
/** Of the last axis, one tensor. */
const NORMS: ReadonlySet<string> = new Set([
  ...['LayerNormalization', 'RMSNormalization', 'SimplifiedLayerNormalization', 'com.microsoft.SimplifiedLayerNormalization'],
]);
/** Of the last axis, the sum of two tensors. */
const SUM_NORMS: ReadonlySet<string> = new Set(['com.microsoft.SkipLayerNormalization', 'com.microsoft.SkipSimplifiedLayerNormalization']);

interface Values {
  readonly isRows: (name: string) => boolean;
  readonly shapeOf: (name: string) => readonly number[] | undefined;
  readonly numbersIn: (name: string) => readonly number[] | undefined;
}

function isRowByRow(node: OnnxNode, { isRows, shapeOf, numbersIn }: Values): boolean {
  const operator = operatorName(node);
  const inputs = node.inputs.filter((name) => name !== '');
  const [first = '', second = '', ...rest] = node.inputs;
  const areVectors = (names: readonly string[]): boolean => names.every((name) => name === '' || (shapeOf(name)?.length ?? 2) <= 1);
  if (BY_ELEMENT.has(operator))
    return inputs.every((name) => isRows(name) || isSameForAllRows(shapeOf(name))) && inputs.some((name) => isRows(name));
  if (operator === 'MatMul') return isRows(first) && shapeOf(second)?.length === 2;
  if (operator === 'com.microsoft.MatMulNBits') return isRows(first) && !node.inputs.slice(1).some(isRows);
  if (NORMS.has(operator)) return isRows(first) && areVectors([second, ...rest]) && isLastAxis(numberOf(node, 'axis') ?? -1);
  if (SUM_NORMS.has(operator)) return isRows(first) && isRows(second) && areVectors(rest);
  if (operator !== 'ReduceMean') return false;
  const axes = second === '' ? numbersOf(node, 'axes') : numbersIn(second);
  return isRows(first) && (numberOf(node, 'keepdims') ?? 1) === 1 && axes?.length === 1 && isLastAxis(axes[0]);
}

const isLastAxis = (axis: number | undefined): boolean => axis === -1 || axis === 2;

function isSameForAllRows(shape: readonly number[] | undefined): boolean {
  return shape !== undefined && shape.length <= 3 && (shape.at(-2) ?? 1) === 1;
}

function knownNumbers(graph: OnnxGraph, tensors: ReadonlyMap<string, Tensor>, name: string): readonly number[] | undefined {
  const constant = graph.constants.get(name);
  return constant === undefined ? tensors.get(name)?.data : knownValues(constant);
}
