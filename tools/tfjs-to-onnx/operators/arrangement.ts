import { malformed, unsupported } from '../conversion-error.ts';
import { identityOrder, type Value } from '../graph-builder.ts';
import { at, isConstant, type Operator, type OperatorContext } from '../operator.ts';

/** Transpose only renames axes here; memory moves when somebody needs another order. */
export const transpose: Operator = (context) => {
  const value = context.value(0);
  const permutation = context.integers(1).map((axis) => context.axis(axis, value.shape.length));
  if (new Set(permutation).size !== value.shape.length) throw malformed(`${context.describe()} has permutation [${permutation.join()}]`);
  const pick = (sizes: readonly number[]) => permutation.map((axis) => at(sizes, axis));
  const moved: Value = { name: value.name, shape: pick(value.shape), order: value.order.map((axis) => permutation.indexOf(axis)) };
  if (value.padding === undefined) return [moved];
  return [{ ...moved, padding: { before: pick(value.padding.before), after: pick(value.padding.after), fill: value.padding.fill } }];
};

/** Pad (zeros) and PadV2 (a constant). Nothing is emitted yet: see {@link Value.padding}. */
export const pad: Operator = (context) => {
  const value = context.builder.settled(context.value(0));
  const amounts = context.integers(1);
  if (amounts.length !== 2 * value.shape.length)
    throw malformed(`${context.describe()} has ${amounts.length} amounts for rank ${value.shape.length}`);
  if (amounts.some((amount) => amount < 0)) throw malformed(`${context.describe()} has a negative amount`);
  const fill = context.node.op === 'PadV2' ? (context.constant(2).data[0] ?? 0) : 0;
  const before = amounts.filter((_, index) => index % 2 === 0);
  const after = amounts.filter((_, index) => index % 2 === 1);
  const shape = value.shape.map((size, axis) => size + at(before, axis) + at(after, axis));
  return [{ name: value.name, shape, order: value.order, padding: { before, after, fill } }];
};

/** ConcatV2: all inputs but the last, which is the axis. Inputs take the order of the first that is not a constant. */
export const concat: Operator = (context) => {
  const count = context.inputCount - 1;
  const operands = Array.from({ length: count }, (_, index) => context.operand(index));
  const leader = operands.find((operand): operand is Value => !isConstant(operand)) ?? context.value(0);
  const axis = context.axis(at(context.integers(count), 0), leader.shape.length);
  const inputs = operands.map((_, index) => context.builder.inOrder(context.value(index), leader.order));
  const shape = leader.shape.map((size, index) => (index === axis ? inputs.reduce((sum, input) => sum + at(input.shape, axis), 0) : size));
  const name = context.builder.emitOne(
    'Concat',
    context.node.name,
    inputs.map((input) => input.name),
    { axis: leader.order.indexOf(axis) },
  );
  return [{ name, shape, order: leader.order }];
};

/** Split: (axis, value) into `num_split` equal parts. */
export const split: Operator = (context) => {
  const value = context.value(1);
  const axis = context.axis(at(context.integers(0), 0), value.shape.length);
  const parts = context.node.attributes.number('num_split', 1);
  const size = at(value.shape, axis) / parts;
  if (!Number.isInteger(size)) throw malformed(`${context.describe()} splits ${at(value.shape, axis)} into ${parts} parts`);
  return emitSplit(
    context,
    value,
    axis,
    Array.from({ length: parts }, () => size),
  );
};

/** SplitV: (value, sizes, axis); one size may be -1 and takes what is left. */
export const splitV: Operator = (context) => {
  const value = context.value(0);
  const axis = context.axis(at(context.integers(2), 0), value.shape.length);
  const asked = context.integers(1);
  const left = at(value.shape, axis) - asked.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0);
  const sizes = asked.map((size) => (size < 0 ? left : size));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== at(value.shape, axis) || left < 0)
    throw malformed(`${context.describe()} splits ${at(value.shape, axis)} into [${asked.join()}]`);
  return emitSplit(context, value, axis, sizes);
};

function emitSplit(context: OperatorContext, value: Value, axis: number, sizes: readonly number[]): readonly Value[] {
  const input = context.builder.settled(value);
  const inputs = [input.name, context.builder.integers(`${context.node.name}/sizes`, sizes)];
  const names = context.builder.emit('Split', context.node.name, inputs, { axis: input.order.indexOf(axis) }, sizes.length);
  return names.map((name, part) => ({
    name,
    shape: input.shape.map((size, index) => (index === axis ? at(sizes, part) : size)),
    order: input.order,
  }));
}

/** Reshape reads memory in TF's order, so the axes must lie in it. */
export const reshape: Operator = (context) => {
  const value = context.value(0);
  const input = context.builder.inOrder(value, identityOrder(value.shape.length));
  const total = input.shape.reduce((product, size) => product * size, 1);
  const asked = context.integers(1);
  const known = asked.filter((size) => size >= 0).reduce((product, size) => product * size, 1);
  const shape = asked.map((size) => (size < 0 ? total / known : size));
  if (asked.filter((size) => size < 0).length > 1 || shape.reduce((product, size) => product * size, 1) !== total) {
    throw malformed(`${context.describe()} reshapes [${input.shape.join()}] to [${asked.join()}]`);
  }
  const name = context.builder.emitOne('Reshape', context.node.name, [
    input.name,
    context.builder.integers(`${context.node.name}/shape`, shape),
  ]);
  return [{ name, shape, order: identityOrder(shape.length) }];
};

export const identity: Operator = (context) => {
  const { takesBias: _, ...value } = context.value(0);
  return [value];
};

/** Mean over constant axes. */
export const mean: Operator = (context) => {
  const input = context.builder.settled(context.value(0));
  const axes = context.integers(1).map((axis) => context.axis(axis, input.shape.length));
  const keeps = context.node.attributes.flag('keep_dims', false);
  const stored = axes.map((axis) => input.order.indexOf(axis)).sort((a, b) => a - b);
  const name = context.builder.emitOne('ReduceMean', context.node.name, [input.name], { axes: stored, keepdims: keeps ? 1 : 0 });
  if (keeps) return [{ name, shape: input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)), order: input.order }];
  const left = identityOrder(input.shape.length).filter((axis) => !axes.includes(axis));
  const order = input.order.filter((axis) => !axes.includes(axis)).map((axis) => left.indexOf(axis));
  return [{ name, shape: left.map((axis) => at(input.shape, axis)), order }];
};

/**
 * ResizeBilinear and ResizeNearestNeighbor. Where TF takes floor((i + 0.5) * scale) as the nearest pixel, ONNX's half_pixel with
 * round_prefer_ceil takes floor((i + 0.5) * scale - 0.5 + 0.5), which is the same.
 */
export const resize: Operator = (context) => {
  const { attributes, op, name: base } = context.node;
  const value = context.value(0);
  if (value.shape.length !== 4) throw unsupported(`${context.describe()} reads a tensor of rank ${value.shape.length}`);
  const input = context.builder.inOrder(value, [0, 3, 1, 2]);
  const [rows, columns] = [at(context.integers(1), 0), at(context.integers(1), 1)];
  const isHalfPixel = attributes.flag('half_pixel_centers', false);
  const isAligned = attributes.flag('align_corners', false);
  const sizes = context.builder.integers(`${base}/sizes`, [at(input.shape, 0), at(input.shape, 3), rows, columns]);
  const onnxAttributes = {
    mode: op === 'ResizeBilinear' ? 'linear' : 'nearest',
    coordinate_transformation_mode: isAligned ? 'align_corners' : isHalfPixel ? 'half_pixel' : 'asymmetric',
    ...(op === 'ResizeBilinear' ? {} : { nearest_mode: isAligned || isHalfPixel ? 'round_prefer_ceil' : 'floor' }),
  };
  const name = context.builder.emitOne('Resize', base, [input.name, '', '', sizes], onnxAttributes);
  return [{ name, shape: [at(input.shape, 0), rows, columns, at(input.shape, 3)], order: input.order }];
};
