import { malformed } from './conversion-error.ts';
import type { ConstTensor, TfNode } from './graph-model.ts';

/**
 * Evaluates a node all of whose inputs are constants, or says undefined if it is not one of the few that shape arithmetic uses.
 * Results are small: shapes, axes and paddings.
 */
export function foldConstants(node: TfNode, inputs: readonly ConstTensor[]): ConstTensor | undefined {
  const [first, second] = inputs;
  switch (node.op) {
    case 'Identity':
      return first;
    case 'Add':
    case 'AddV2':
      return first && second && elementwise(node, first, second, (a, b) => a + b);
    case 'Sub':
      return first && second && elementwise(node, first, second, (a, b) => a - b);
    case 'Mul':
      return first && second && elementwise(node, first, second, (a, b) => a * b);
    case 'SparseToDense':
      return sparseToDense(node, inputs);
    default:
      return undefined;
  }
}

function elementwise(node: TfNode, a: ConstTensor, b: ConstTensor, combine: (a: number, b: number) => number): ConstTensor | undefined {
  if (a.dtype !== b.dtype) throw malformed(`${node.op} "${node.name}" mixes ${a.dtype} with ${b.dtype}`);
  const isScalar = a.data.length === 1 || b.data.length === 1;
  if (!isScalar && a.shape.join() !== b.shape.join()) return undefined;
  const larger = a.data.length >= b.data.length ? a : b;
  const data = larger.data.map((_, index) =>
    combine(a.data[a.data.length === 1 ? 0 : index] ?? 0, b.data[b.data.length === 1 ? 0 : index] ?? 0),
  );
  return { dtype: larger.dtype, shape: larger.shape, data };
}

/** Inputs: indices [n] or [n, rank], output shape, values (n or one), default value. */
function sparseToDense(node: TfNode, inputs: readonly ConstTensor[]): ConstTensor | undefined {
  const [indices, outputShape, values, fallback] = inputs;
  if (!indices || !outputShape || !values || !fallback) return undefined;
  const shape = Array.from(outputShape.data);
  const data = new Int32Array(shape.reduce((product, size) => product * size, 1)).fill(fallback.data[0] ?? 0);
  const count = indices.shape[0] ?? 0;
  for (let entry = 0; entry < count; entry++) {
    let offset = 0;
    for (const [axis, size] of shape.entries()) {
      const index = indices.data[entry * shape.length + axis] ?? -1;
      if (index < 0 || index >= size) throw malformed(`SparseToDense "${node.name}" writes at ${index} of ${size}`);
      offset = offset * size + index;
    }
    data[offset] = values.data[values.data.length === 1 ? 0 : entry] ?? 0;
  }
  return { dtype: 'int32', shape, data };
}
