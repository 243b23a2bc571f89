import { CURVE_OPS } from '../../../core/layer-cost.ts';
import { type ElementType, isInteger } from '../element-type.ts';
import { GRAPH_LIMITS } from '../graph.ts';
import { broadcastShape, stretch } from '../indexing.ts';
import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf, type TensorSketch } from '../tensor.ts';

/**
 * Vector operations per element. A simple one (add, compare, clamp) counts 1; those that hardware makes of a table or a short polynomial are counted as curves,
 * so that cores with tables can take less.
 */
const SIMPLE = 1;
const TRANSCENDENTAL = CURVE_OPS;

type Fold = (...values: number[]) => number;

/** Output as the first input. */
const unary = (opsPerElement: number, fold?: Fold): OperatorRule => {
  return (call) => {
    const { type, shape, elements, data, quantizedFrom } = call.input(0);
    const folded = fold === undefined ? undefined : data?.map((value) => fold(value));
    const curves = opsPerElement === TRANSCENDENTAL ? { curves: elements } : {};
    return { outputs: [{ type, shape, data: folded, quantizedFrom }], work: { elementOps: elements * opsPerElement, ...curves } };
  };
};

/** Any number of inputs, stretched to each other. */
const broadcast = (fold?: Fold, output?: ElementType, typeFrom = 0): OperatorRule => {
  return (call) => {
    const type = output ?? call.input(typeFrom).type;
    const shape = broadcastShape(
      call,
      call.inputs.map((_, index) => call.shape(index)),
    );
    const operands = Math.max(1, call.inputs.length - 1);
    return { outputs: [{ type, shape, data: folded(call, shape, type, fold) }], work: { elementOps: elementsOf(shape) * operands } };
  };
};

function folded(call: OperatorCall, shape: readonly number[], type: ElementType, fold: Fold | undefined): number[] | undefined {
  const count = elementsOf(shape);
  if (fold === undefined || count > GRAPH_LIMITS.knownValues) return undefined;
  const operands = call.inputs.map((input) => stretch(input?.data, input?.shape ?? [], shape));
  if (operands.some((values) => values === undefined)) return undefined;
  return Array.from({ length: count }, (_, at) => {
    const value = fold(...operands.map((values) => values?.[at] ?? 0));
    return isInteger(type) ? Math.trunc(value) : value;
  });
}

const truth = (holds: boolean): number => (holds ? 1 : 0);
const simple = unary(SIMPLE);
const transcendental = unary(TRANSCENDENTAL);

/** ONNX Mod takes the sign of the divisor unless `fmod` is set. */
const modulo: OperatorRule = (call) =>
  call.number('fmod', 0) === 1 ? broadcast((a, b) => a % b)(call) : broadcast((a, b) => a - Math.floor(a / b) * b)(call);

/** Bounds come as inputs or, in old operator sets, as attributes; either way the output is as the input. */
const clip: OperatorRule = (call) => {
  const { type, shape, elements, data } = call.input(0);
  const low = call.inputs[1]?.data?.[0] ?? call.number('min', Number.NEGATIVE_INFINITY);
  const high = call.inputs[2]?.data?.[0] ?? call.number('max', Number.POSITIVE_INFINITY);
  const clipped = data?.map((value) => Math.min(high, Math.max(low, value)));
  return { outputs: [{ type, shape, data: clipped }], work: { elementOps: 2 * elements } };
};

/** The second output is the mask. */
const dropout: OperatorRule = (call) => {
  const { type, shape, data } = call.input(0);
  const mask: TensorSketch = { type: 'bool', shape };
  return { outputs: [{ type, shape, data }, mask], isView: true };
};

/** Gelu of a sum with a bias of the last axis. */
const biasGelu: OperatorRule = (call) => {
  const { type, shape, elements } = call.input(0);
  return { outputs: [{ type, shape }], work: { elementOps: elements * (TRANSCENDENTAL + SIMPLE), curves: elements } };
};

const toBool: OperatorRule = (call) => {
  const { shape, elements } = call.input(0);
  return { outputs: [{ type: 'bool', shape }], work: { elementOps: elements } };
};

const simpleNames = ['LeakyRelu', 'HardSigmoid', 'HardSwish', 'ThresholdedRelu', 'BitwiseNot', 'Shrink', 'Round'];
const transcendentalNames = [
  'Sigmoid',
  'Tanh',
  'Erf',
  'Gelu',
  'FastGelu',
  'QuickGelu',
  'Elu',
  'Selu',
  'Celu',
  'Softplus',
  'Softsign',
  'Mish',
  'Swish',
];
const trigonometricNames = ['Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan', 'Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh'];

export const elementwiseRules: Readonly<Record<string, OperatorRule>> = {
  ...Object.fromEntries(simpleNames.map((name) => [name, simple])),
  ...Object.fromEntries([...transcendentalNames, ...trigonometricNames].map((name) => [name, transcendental])),
  'com.microsoft.FastGelu': biasGelu,
  'com.microsoft.BiasGelu': biasGelu,
  'com.microsoft.Gelu': transcendental,
  'com.microsoft.QuickGelu': transcendental,
  Relu: unary(SIMPLE, (value) => Math.max(0, value)),
  Abs: unary(SIMPLE, Math.abs),
  Neg: unary(SIMPLE, (value) => -value),
  Floor: unary(SIMPLE, Math.floor),
  Ceil: unary(SIMPLE, Math.ceil),
  Sign: unary(SIMPLE, Math.sign),
  Sqrt: unary(TRANSCENDENTAL, Math.sqrt),
  Exp: unary(TRANSCENDENTAL, Math.exp),
  Log: unary(TRANSCENDENTAL, Math.log),
  Reciprocal: unary(TRANSCENDENTAL, (value) => 1 / value),
  Not: unary(SIMPLE, (value) => truth(value === 0)),
  IsNaN: toBool,
  IsInf: toBool,
  Clip: clip,
  Dropout: dropout,
  Mod: modulo,
  Add: broadcast((a, b) => a + b),
  Sub: broadcast((a, b) => a - b),
  Mul: broadcast((a, b) => a * b),
  Div: broadcast((a, b) => a / b),
  Pow: broadcast((a, b) => a ** b),
  Min: broadcast(Math.min),
  Max: broadcast(Math.max),
  Sum: broadcast((...values) => values.reduce((sum, value) => sum + value, 0)),
  Mean: broadcast(),
  PRelu: broadcast(),
  BitShift: broadcast(),
  BitwiseAnd: broadcast(),
  BitwiseOr: broadcast(),
  BitwiseXor: broadcast(),
  Equal: broadcast((a, b) => truth(a === b), 'bool'),
  Less: broadcast((a, b) => truth(a < b), 'bool'),
  LessOrEqual: broadcast((a, b) => truth(a <= b), 'bool'),
  Greater: broadcast((a, b) => truth(a > b), 'bool'),
  GreaterOrEqual: broadcast((a, b) => truth(a >= b), 'bool'),
  And: broadcast((a, b) => truth(a !== 0 && b !== 0), 'bool'),
  Or: broadcast((a, b) => truth(a !== 0 || b !== 0), 'bool'),
  Xor: broadcast((a, b) => truth((a !== 0) !== (b !== 0)), 'bool'),
  Where: broadcast((condition, a, b) => (condition !== 0 ? a : b), undefined, 1),
};
