import { GRAPH_LIMITS } from '../graph.ts';
import { stridesOf } from '../indexing.ts';
import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf } from '../tensor.ts';

type Fold = (values: readonly number[]) => number;

const reduce = (fold?: Fold, opsPerElement = 1): OperatorRule => {
  return (call) => {
    const { type, shape, data, elements } = call.input(0);
    const axes = reducedAxes(call, shape.length);
    const isKept = call.number('keepdims', 1) === 1;
    const reduced = shape.flatMap((size, axis) => (!axes.has(axis) ? [size] : isKept ? [1] : []));
    const folded = data === undefined || fold === undefined ? undefined : foldAxes(data, shape, axes, fold);
    return { outputs: [{ type, shape: reduced, data: folded }], work: { elementOps: elements * opsPerElement } };
  };
};

/** No axes at all means every axis, unless `noop_with_empty_axes`. */
function reducedAxes(call: OperatorCall, rank: number): Set<number> {
  const given = call.axes(1)?.map((axis) => call.axis(axis, rank));
  if (given !== undefined && given.length > 0) return new Set(given);
  const isNothing = call.number('noop_with_empty_axes', 0) === 1;
  return new Set(isNothing ? [] : Array.from({ length: rank }, (_, axis) => axis));
}

function foldAxes(data: readonly number[], shape: readonly number[], axes: ReadonlySet<number>, fold: Fold): number[] | undefined {
  const count = elementsOf(shape.filter((_, axis) => !axes.has(axis)));
  if (Math.max(count, data.length) > GRAPH_LIMITS.knownValues) return undefined;
  const strides = stridesOf(shape);
  const keptStrides = stridesOf(shape.map((size, axis) => (axes.has(axis) ? 1 : size)));
  const cells: number[][] = Array.from({ length: count }, () => []);
  data.forEach((value, flat) => {
    let cell = 0;
    shape.forEach((size, axis) => {
      const coordinate = Math.floor(flat / (strides[axis] as number)) % size;
      if (!axes.has(axis)) cell += coordinate * (keptStrides[axis] as number);
    });
    cells[cell]?.push(value);
  });
  return cells.map((values) => fold(values));
}

const sum: Fold = (values) => values.reduce((total, value) => total + value, 0);

const argument: OperatorRule = (call) => {
  const { shape, elements } = call.input(0);
  const axis = call.axis(call.number('axis', 0), shape.length);
  const reduced = call.number('keepdims', 1) === 1 ? shape.with(axis, 1) : shape.toSpliced(axis, 1);
  return { outputs: [{ type: 'int64', shape: reduced }], work: { elementOps: elements } };
};

/** `k` was an attribute before operator set 10. A selection costs about two comparisons an element plus a heap of k. */
const topK: OperatorRule = (call) => {
  const { type, shape, elements } = call.input(0);
  const axis = call.axis(call.number('axis', -1), shape.length);
  const k = call.opset < 10 ? call.number('k', 1) : (call.values(1)[0] ?? call.fail('its k is empty'));
  if (!(k >= 0 && k <= (shape[axis] as number))) call.fail(`k is ${k} on an axis of ${shape[axis]}`);
  const kept = shape.with(axis, k);
  const outputs = [
    { type, shape: kept },
    { type: 'int64' as const, shape: kept },
  ];
  return { outputs, work: { elementOps: elements * (2 + Math.ceil(Math.log2(Math.max(2, k)))) } };
};

const cumulative: OperatorRule = (call) => {
  const { type, shape, elements } = call.input(0);
  return { outputs: [{ type, shape }], work: { elementOps: elements } };
};

export const reductionRules: Readonly<Record<string, OperatorRule>> = {
  ReduceSum: reduce(sum),
  ReduceProd: reduce((values) => values.reduce((product, value) => product * value, 1)),
  ReduceMax: reduce((values) => Math.max(...values)),
  ReduceMin: reduce((values) => Math.min(...values)),
  ReduceMean: reduce(),
  ReduceL1: reduce(undefined, 2),
  ReduceL2: reduce(undefined, 2),
  ReduceSumSquare: reduce(undefined, 2),
  ReduceLogSum: reduce(),
  ReduceLogSumExp: reduce(undefined, 5),
  ArgMax: argument,
  ArgMin: argument,
  TopK: topK,
  CumSum: cumulative,
};
