import type { NumberType } from '../../../core/layer-cost.ts';
import type { ElementType } from '../element-type.ts';
import { broadcastShape } from '../indexing.ts';
import type { Inference, MatrixProduct, OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf, shapeText } from '../tensor.ts';

/**
 * numpy's matmul: a vector on either side gets an axis that the result loses, leading axes stretch to each other. When the right side has no leading axes
 * its matrix is shared and the left's fold into `m`; otherwise each pair of matrices is a group.
 */
function matrixProduct(call: OperatorCall, a: readonly number[], b: readonly number[]): { shape: number[]; product: MatrixProduct } {
  if (a.length === 0 || b.length === 0) call.fail('a scalar cannot be multiplied as a matrix');
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  const [rows, k] = left.slice(-2) as [number, number];
  const [inner, n] = right.slice(-2) as [number, number];
  if (k !== inner) call.fail(`${shapeText(a)} x ${shapeText(b)}: the inner sizes ${k} and ${inner} differ`);
  const lead = broadcastShape(call, [left.slice(0, -2), right.slice(0, -2)]);
  const isShared = elementsOf(right.slice(0, -2)) === 1;
  const pairs = elementsOf(lead);
  const product = isShared ? { m: pairs * rows, n, k, groups: 1 } : { m: rows, n, k, groups: pairs };
  const shape = [...lead, ...(a.length === 1 ? [] : [rows]), ...(b.length === 1 ? [] : [n])];
  return { shape, product };
}

const turned = (shape: readonly number[], isTurned: boolean): readonly number[] =>
  isTurned && shape.length > 1 ? [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number] : shape;

const matmul = (bIndex: number, output?: ElementType, type?: NumberType): OperatorRule => {
  return (call) => {
    const { shape, product } = matrixProduct(call, call.shape(0), call.shape(bIndex));
    const work = type === undefined ? { product } : { product, type };
    return { outputs: [{ type: output ?? call.input(0).type, shape }], work };
  };
};

const fusedMatmul: OperatorRule = (call) => {
  if (call.number('transBatchA', 0) === 1 || call.number('transBatchB', 0) === 1) call.unknown('its transBatch layout is not read');
  const a = turned(call.shape(0), call.number('transA', 0) === 1);
  const b = turned(call.shape(1), call.number('transB', 0) === 1);
  const { shape, product } = matrixProduct(call, a, b);
  return { outputs: [{ type: call.input(0).type, shape }], work: { product } };
};

const gemm = (bIndex: number, type?: NumberType): OperatorRule => {
  return (call) => {
    const a = turned(call.shape(0), call.number('transA', 0) === 1);
    const b = turned(call.shape(bIndex), call.number('transB', 0) === 1);
    if (a.length !== 2 || b.length !== 2) call.fail('it needs two matrices');
    const { shape, product } = matrixProduct(call, a, b);
    const bias = call.inputs[2] !== undefined && bIndex === 1 ? elementsOf(shape) : 0;
    const work = { product, elementOps: bias };
    return { outputs: [{ type: call.input(0).type, shape }], work: type === undefined ? work : { ...work, type } };
  };
};

/** Weights of `bits` in blocks with a scale each, the transposed matrix [N, K] packed; sizes are attributes. The activation stays a float. */
const blockQuantizedMatmul: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  const [k, n, bits] = [call.number('K', 0), call.number('N', 0), call.number('bits', 4)];
  if (shape.at(-1) !== k || n < 1) call.fail(`its attributes say K=${k}, N=${n}`);
  const result = [...shape.slice(0, -1), n];
  const product = { m: elementsOf(shape.slice(0, -1)), n, k, groups: 1 };
  return { outputs: [{ type, shape: result }], work: { product, type: bits <= 4 ? 'int4' : 'int8' } };
};

/** Einstein summation: every letter is a loop. With two operands, letters only in the first, only in the second, and summed give m, n and k. */
const einsum: OperatorRule = (call) => {
  const equation = call.text('equation', '').replaceAll(' ', '');
  const [left = '', written] = equation.split('->');
  const terms = left.split(',');
  if (equation.includes('.')) call.unknown('an equation with an ellipsis is not read');
  const sizes = new Map<string, number>();
  terms.forEach((term, index) => {
    const shape = call.shape(index);
    if (shape.length !== term.length) call.fail(`${equation}: ${term} names ${term.length} axes, its input has ${shape.length}`);
    [...term].forEach((letter, axis) => {
      const size = shape[axis] as number;
      const known = sizes.get(letter) ?? 1;
      if (known !== 1 && size !== 1 && known !== size) call.fail(`${equation}: ${letter} is both ${known} and ${size}`);
      sizes.set(letter, Math.max(known, size));
    });
  });
  const once = [...sizes.keys()].filter((letter) => left.split(letter).length === 2).sort();
  const result = [...(written ?? once.join(''))];
  const size = (letters: Iterable<string>): number => elementsOf([...letters].map((letter) => sizes.get(letter) ?? call.fail(equation)));
  const { type } = call.input(0);
  const outputs = [{ type, shape: result.map((letter) => size([letter])) }];
  const [a = '', b = ''] = terms;
  const letters = [...sizes.keys()];
  if (terms.length !== 2) return { outputs, work: { elementOps: size(letters) * terms.length } };
  const product = {
    m: size(letters.filter((letter) => !b.includes(letter) && result.includes(letter))),
    n: size(letters.filter((letter) => !a.includes(letter) && result.includes(letter))),
    k: size(letters.filter((letter) => !result.includes(letter))),
    groups: size(letters.filter((letter) => a.includes(letter) && b.includes(letter) && result.includes(letter))),
  };
  return { outputs, work: { product } };
};

/** The float input is quantised on the fly, the product is int8, the output is float again. */
const dynamicQuantized: OperatorRule = (call) => {
  const inference: Inference = matmul(1, undefined, 'int8')(call);
  const { elements } = call.input(0);
  // Finding the range, scaling and rounding each element.
  return { ...inference, work: { ...inference.work, elementOps: 4 * elements } };
};

export const matrixRules: Readonly<Record<string, OperatorRule>> = {
  MatMul: matmul(1),
  Gemm: gemm(1),
  Einsum: einsum,
  MatMulInteger: matmul(1, 'int32', 'int8'),
  QLinearMatMul: matmul(3, undefined, 'int8'),
  'com.microsoft.FusedMatMul': fusedMatmul,
  'com.microsoft.FusedGemm': gemm(1),
  'com.microsoft.QGemm': gemm(3, 'int8'),
  'com.microsoft.MatMulNBits': blockQuantizedMatmul,
  'com.microsoft.DynamicQuantizeMatMul': dynamicQuantized,
  'com.microsoft.MatMulIntegerToFloat': (call) => matmul(1, call.input(2).type, 'int8')(call),
};
