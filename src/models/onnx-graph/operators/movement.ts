import { GRAPH_LIMITS } from '../graph.ts';
import { broadcastShape, pick, stretch, stridesOf } from '../indexing.ts';
import type { OperatorCall, OperatorRule } from '../operator-call.ts';
import { elementsOf, type TensorSketch } from '../tensor.ts';

/** Operators that copy elements from place to place cost bytes and no operations. */

const transpose: OperatorRule = (call) => {
  const { type, shape, data, quantizedFrom } = call.input(0);
  const order = (call.numbers('perm') ?? shape.map((_, axis) => shape.length - 1 - axis)).map((axis) => call.axis(axis, shape.length));
  if (order.length !== shape.length || new Set(order).size !== order.length)
    call.fail(`perm [${order.join(',')}] is not an order of its axes`);
  const turned = order.map((axis) => shape[axis] as number);
  const strides = stridesOf(shape);
  const moved = pick(data, turned, (axis, at) => at * (strides[order[axis] as number] as number));
  return { outputs: [{ type, shape: turned, data: moved, quantizedFrom }] };
};

/** Data of tensors laid one after another along `axis`, for those that are small and known. */
function concatenated(parts: readonly TensorSketch[], axis: number): number[] | undefined {
  const [first] = parts;
  const count = parts.reduce((sum, part) => sum + elementsOf(part.shape), 0);
  if (first === undefined || count > GRAPH_LIMITS.knownValues || parts.some((part) => part.data === undefined)) return undefined;
  // Nothing at all can still stand in millions of empty blocks.
  if (count === 0) return [];
  const blocks = elementsOf(first.shape.slice(0, axis));
  const joined: number[] = [];
  for (let block = 0; block < blocks; block += 1) {
    for (const { shape, data } of parts) {
      const length = elementsOf(shape.slice(axis));
      for (let at = 0; at < length; at += 1) joined.push(data?.[block * length + at] ?? 0);
    }
  }
  return joined;
}

export function concat(call: OperatorCall, parts: readonly TensorSketch[]): TensorSketch {
  const [first] = parts;
  if (first === undefined) return call.fail('it has no inputs');
  const axis = call.axis(call.number('axis', call.opset < 4 ? 1 : Number.NaN), first.shape.length);
  const shape = [...first.shape];
  for (const part of parts.slice(1)) {
    const fits = part.shape.length === shape.length && part.shape.every((size, at) => at === axis || size === shape[at]);
    if (!fits) call.fail(`[${part.shape.join(',')}] cannot be laid beside [${first.shape.join(',')}] along axis ${axis}`);
    shape[axis] = (shape[axis] as number) + (part.shape[axis] as number);
  }
  return { type: first.type, shape, data: concatenated(parts, axis), quantizedFrom: first.quantizedFrom };
}

/** Sizes come as an input, as an attribute before operator set 13, or are equal parts of which the last may be smaller. */
const split: OperatorRule = (call) => {
  const { type, shape, data, quantizedFrom } = call.input(0);
  const axis = call.axis(call.number('axis', 0), shape.length);
  const whole = shape[axis] as number;
  const count = call.number('num_outputs', call.node.outputs.length);
  if (!(count >= 1 && count <= call.node.outputs.length)) call.fail(`${count} parts for ${call.node.outputs.length} outputs`);
  const part = Math.ceil(whole / count);
  const equal = Array.from({ length: count }, (_, index) => Math.max(0, Math.min(part, whole - index * part)));
  const sizes = call.numbers('split') ?? call.optionalValues(1) ?? equal;
  if (sizes.reduce((sum, size) => sum + size, 0) !== whole) call.fail(`the parts [${sizes.join(',')}] do not add up to ${whole}`);
  const strides = stridesOf(shape);
  let start = 0;
  const outputs = sizes.map((size) => {
    const from = start;
    start += size;
    const partShape = shape.with(axis, size);
    const offset = (at: number, coordinate: number): number => (coordinate + (at === axis ? from : 0)) * (strides[at] as number);
    return { type, shape: partShape, data: pick(data, partShape, offset), quantizedFrom };
  });
  return { outputs };
};

interface Range {
  readonly start: number;
  readonly step: number;
  readonly size: number;
}

/** Bounds are clamped into the tensor as the specification of Slice says; INT64_MAX stands for "to the end". */
function sliceRange(call: OperatorCall, size: number, start: number, end: number, step: number): Range {
  if (step === 0 || !Number.isInteger(step)) call.fail(`a step of ${step}`);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (value: number, least: number): number => Math.min(high, Math.max(least, value < 0 ? value + size : value));
  const from = clamp(start, step > 0 ? low : 0);
  const to = clamp(end, low);
  return { start: from, step, size: Math.max(0, Math.ceil((to - from) / step)) };
}

const slice: OperatorRule = (call) => {
  const { type, shape, data, quantizedFrom } = call.input(0);
  const isOld = call.opset < 10;
  const starts = (isOld ? call.numbers('starts') : call.values(1)) ?? call.fail('it names no starts');
  const ends = (isOld ? call.numbers('ends') : call.values(2)) ?? call.fail('it names no ends');
  const axes = (isOld ? call.numbers('axes') : call.optionalValues(3)) ?? starts.map((_, axis) => axis);
  const steps = isOld ? undefined : call.optionalValues(4);
  const ranges: Range[] = shape.map((size) => ({ start: 0, step: 1, size }));
  axes.forEach((given, index) => {
    const axis = call.axis(given, shape.length);
    const [start, end] = [
      starts[index] ?? call.fail('it has fewer starts than axes'),
      ends[index] ?? call.fail('it has fewer ends than axes'),
    ];
    ranges[axis] = sliceRange(call, shape[axis] as number, start, end, steps?.[index] ?? 1);
  });
  const cut = ranges.map((range) => range.size);
  const strides = stridesOf(shape);
  const moved = pick(data, cut, (axis, at) => {
    const { start, step } = ranges[axis] as Range;
    return (start + at * step) * (strides[axis] as number);
  });
  return { outputs: [{ type, shape: cut, data: moved, quantizedFrom }], work: { elementsRead: [elementsOf(cut)] } };
};

const gather: OperatorRule = (call) => {
  const { type, shape, data, quantizedFrom } = call.input(0);
  const indices = call.input(1);
  const axis = call.axis(call.number('axis', 0), shape.length);
  const gathered = [...shape.slice(0, axis), ...indices.shape, ...shape.slice(axis + 1)];
  const strides = stridesOf(shape);
  const indexStrides = stridesOf(indices.shape);
  const isIndex = (at: number): boolean => at >= axis && at < axis + indices.shape.length;
  // The offset along the axis depends on all index coordinates together, so they are added up first and looked up last.
  const moved = indices.data === undefined ? undefined : gatherKnown(indices.data);
  return { outputs: [{ type, shape: gathered, data: moved, quantizedFrom }], work: { elementsRead: [elementsOf(gathered)] } };

  function gatherKnown(known: readonly number[]): number[] | undefined {
    const lookups = pick(known, gathered, (at, coordinate) => (isIndex(at) ? coordinate * (indexStrides[at - axis] as number) : 0));
    const rest = pick(data === undefined ? undefined : data.map((_, index) => index), gathered, (at, coordinate) =>
      isIndex(at) ? 0 : coordinate * (strides[at < axis ? at : at - indices.shape.length + 1] as number),
    );
    if (lookups === undefined || rest === undefined) return undefined;
    const size = shape[axis] as number;
    return rest.map((offset, at) => {
      const index = lookups[at] as number;
      return data?.[offset + (index < 0 ? index + size : index) * (strides[axis] as number)] ?? 0;
    });
  }
};

/** As many elements as there are indices. */
const gatherElements: OperatorRule = (call) => {
  const { elements, shape } = call.input(1);
  return { outputs: [{ type: call.input(0).type, shape }], work: { elementsRead: [elements] } };
};

const gatherNd: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  const indices = call.shape(1);
  const batch = call.number('batch_dims', 0);
  const depth = indices.at(-1) ?? call.fail('its indices are a scalar');
  if (batch + depth > shape.length) call.fail(`indices of ${depth} behind ${batch} batch axes do not fit ${shape.length} axes`);
  const gathered = [...indices.slice(0, -1), ...shape.slice(batch + depth)];
  return { outputs: [{ type, shape: gathered }], work: { elementsRead: [elementsOf(gathered)] } };
};

/** The output is the first input with some places overwritten. */
const scatter: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  return { outputs: [{ type, shape }] };
};

const expand: OperatorRule = (call) => {
  const { type, shape, data } = call.input(0);
  const stretched = broadcastShape(call, [shape, call.values(1)]);
  return { outputs: [{ type, shape: stretched, data: stretch(data, shape, stretched) }] };
};

const tile: OperatorRule = (call) => {
  const { type, shape, data } = call.input(0);
  const repeats = call.values(1);
  if (repeats.length !== shape.length) call.fail(`${repeats.length} repeats for ${shape.length} axes`);
  const tiled = shape.map((size, axis) => size * (repeats[axis] as number));
  const strides = stridesOf(shape);
  const moved = pick(data, tiled, (axis, at) => (at % (shape[axis] as number)) * (strides[axis] as number));
  return { outputs: [{ type, shape: tiled, data: moved }] };
};

/** Begins and ends of every axis, or of those that `axes` names (operator set 18). Negative pads crop. */
const pad: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  const pads = call.numbers('pads') ?? call.numbers('paddings') ?? call.values(1);
  const axes = (call.optionalValues(3) ?? shape.map((_, axis) => axis)).map((axis) => call.axis(axis, shape.length));
  if (pads.length !== axes.length * 2) call.fail(`${pads.length} pads for ${axes.length} axes; two for each are needed`);
  const padded = [...shape];
  axes.forEach((axis, index) => {
    padded[axis] = (padded[axis] as number) + (pads[index] as number) + (pads[index + axes.length] as number);
  });
  return { outputs: [{ type, shape: padded }] };
};

const blocks = (isDeepening: boolean): OperatorRule => {
  return (call) => {
    const { type, shape, quantizedFrom } = call.input(0);
    const [batch, channels, height, width] = shape;
    const size = call.number('blocksize', 0);
    if (batch === undefined || channels === undefined || height === undefined || width === undefined || shape.length !== 4 || size < 1)
      return call.fail(`it needs [N,C,H,W] and a block size, which is ${size}`);
    const moved = isDeepening
      ? [batch, channels * size * size, height / size, width / size]
      : [batch, channels / (size * size), height * size, width * size];
    return { outputs: [{ type, shape: moved, quantizedFrom }] };
  };
};

const oneHot: OperatorRule = (call) => {
  const shape = call.shape(0);
  const axis = call.axis(call.number('axis', -1), shape.length + 1);
  const depth = call.values(1)[0] ?? call.fail('its depth is empty');
  return { outputs: [{ type: call.input(2).type, shape: shape.toSpliced(axis, 0, depth) }] };
};

const triangle: OperatorRule = (call) => {
  const { type, shape } = call.input(0);
  return { outputs: [{ type, shape }] };
};

export const movementRules: Readonly<Record<string, OperatorRule>> = {
  Transpose: transpose,
  Concat: (call) => ({
    outputs: [
      concat(
        call,
        call.inputs.map((_, index) => call.input(index)),
      ),
    ],
  }),
  Split: split,
  Slice: slice,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherNd,
  Scatter: scatter,
  ScatterElements: scatter,
  ScatterND: scatter,
  Expand: expand,
  Tile: tile,
  Pad: pad,
  DepthToSpace: blocks(false),
  SpaceToDepth: blocks(true),
  OneHot: oneHot,
  Trilu: triangle,
  ReverseSequence: triangle,
};
