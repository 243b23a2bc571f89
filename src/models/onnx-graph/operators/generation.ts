import { type ElementType, elementTypeOf, isFloat, isInteger } from '../element-type.ts';
import { GRAPH_LIMITS } from '../graph.ts';
import { stridesOf } from '../indexing.ts';
import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { knownValues } from '../read-constant.ts';
import { elementsOf, isShape } from '../tensor.ts';

const constant: OperatorRule = (call) => {
  const value = call.attribute('value');
  if (value?.kind === 'constant') {
    const { type, shape } = value.constant;
    return { outputs: [{ type, shape, data: knownValues(value.constant) }] };
  }
  for (const [name, type] of [
    ['value_int', 'int64'],
    ['value_float', 'float32'],
  ] as const)
    if (call.attribute(name) !== undefined) return { outputs: [{ type, shape: [], data: [call.number(name, 0)] }] };
  for (const [name, type] of [
    ['value_ints', 'int64'],
    ['value_floats', 'float32'],
  ] as const) {
    const data = call.numbers(name);
    if (data !== undefined) return { outputs: [{ type, shape: [data.length], data }] };
  }
  if (call.attribute('value_string') !== undefined) return { outputs: [{ type: 'string', shape: [] }] };
  return call.fail('it holds no value that can be read');
};

/** Only its shape is kept when it is large: 200 000 x 200 000 ones cost nothing here. */
const constantOfShape: OperatorRule = (call) => {
  const shape = call.values(0);
  if (!isShape(shape)) call.fail(`the shape [${shape.join(',')}] is not one, or exceeds ${GRAPH_LIMITS.elements} elements`);
  const value = call.attribute('value');
  const filling = value?.kind === 'constant' ? value.constant : undefined;
  const fill = filling === undefined ? 0 : knownValues(filling)?.[0];
  const count = elementsOf(shape);
  const isKnown = fill !== undefined && count <= GRAPH_LIMITS.knownValues;
  return { outputs: [{ type: filling?.type ?? 'float32', shape, data: isKnown ? new Array<number>(count).fill(fill) : undefined }] };
};

/** `start` and `end` cut the list of sizes since operator set 15. */
const shapeOf: OperatorRule = (call) => {
  const shape = call.shape(0);
  const end = call.attribute('end') === undefined ? undefined : call.number('end', 0);
  const data = shape.slice(call.number('start', 0), end);
  return { outputs: [{ type: 'int64', shape: [data.length], data }] };
};

const sizeOf: OperatorRule = (call) => ({ outputs: [{ type: 'int64', shape: [], data: [call.input(0).elements] }] });

const range: OperatorRule = (call) => {
  const [start, limit, step] = [0, 1, 2].map((index) => call.values(index)[0] ?? call.fail('an empty bound')) as [number, number, number];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!isShape([count])) call.fail(`it counts from ${start} to ${limit} by ${step}`);
  const data = count <= GRAPH_LIMITS.knownValues ? Array.from({ length: count }, (_, index) => start + index * step) : undefined;
  return { outputs: [{ type: call.input(0).type, shape: [count], data }] };
};

/** Numbers cast between integers of different widths are taken to fit, as sizes do. */
const castTo = (call: OperatorCall, type: ElementType): ReturnType<OperatorRule> => {
  const { shape, data, elements } = call.input(0);
  const cast = (value: number): number => (type === 'bool' ? (value === 0 ? 0 : 1) : isInteger(type) ? Math.trunc(value) : value);
  return { outputs: [{ type, shape, data: data?.map(cast) }], work: { elementOps: elements } };
};

const cast: OperatorRule = (call) => {
  const code = call.number('to', 0);
  return castTo(call, elementTypeOf(code) ?? call.fail(`it casts to the unknown type ${code}`));
};

const eye: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  return { outputs: [{ type: elementTypeOf(call.number('dtype', 0)) ?? type, shape }] };
};

/** Noise: a shape from an attribute, or that of the input. */
const random: OperatorRule = (call) => {
  const shape = call.numbers('shape') ?? call.shape(0);
  const like = call.inputs[0]?.type;
  const type = elementTypeOf(call.number('dtype', 0)) ?? (like !== undefined && isFloat(like) ? like : 'float32');
  // A generator takes about ten operations for a number.
  return { outputs: [{ type, shape }], work: { elementOps: elementsOf(shape) * 10 } };
};

/** How many elements differ from zero depends on the values; masks that exporters write as constants are small and known. */
const nonZero: OperatorRule = (call) => {
  const { shape } = call.input(0);
  const data = call.values(0);
  const strides = stridesOf(shape);
  const found = data.flatMap((value, flat) => (value === 0 ? [] : [flat]));
  const places = shape.flatMap((size, axis) => found.map((flat) => Math.floor(flat / (strides[axis] as number)) % size));
  return { outputs: [{ type: 'int64', shape: [shape.length, found.length], data: places }] };
};

const dependsOnData: OperatorRule = (call) => call.unknown('the size of its output depends on the data');

export const generationRules: Readonly<Record<string, OperatorRule>> = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Shape: shapeOf,
  Size: sizeOf,
  Range: range,
  Cast: cast,
  CastLike: (call) => castTo(call, call.input(1).type),
  EyeLike: eye,
  RandomNormal: random,
  RandomNormalLike: random,
  RandomUniform: random,
  RandomUniformLike: random,
  Bernoulli: random,
  NonZero: nonZero,
  NonMaxSuppression: dependsOnData,
  Unique: dependsOnData,
  Compress: dependsOnData,
};
