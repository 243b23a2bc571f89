import { unsupported } from './conversion-error.ts';
import type { Padding, Value } from './graph-builder.ts';
import { at, type OperatorContext } from './operator.ts';

/** The geometry of a sliding window (convolution or pooling) over the two spatial axes of an NHWC tensor. */
export interface SlidingWindow {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** ONNX order: top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  /** Spatial size of the output, rows then columns. */
  readonly size: readonly [number, number];
  /** The input, less the padding the window has taken over. */
  readonly input: Value;
}

/**
 * Reads strides, dilations and padding of a node. Padding the input still owes is taken over by the window where that gives the same
 * numbers: `absorbs` says which fill value the operator's own padding stands for.
 */
export function slidingWindow(
  context: OperatorContext,
  value: Value,
  kernel: readonly [number, number],
  absorbs: (fill: number) => boolean,
): SlidingWindow {
  const { attributes } = context.node;
  const format = attributes.text('data_format', 'NHWC');
  if (format !== 'NHWC') throw unsupported(`${context.describe()} has data format ${format}; only NHWC can be converted`);
  if (value.shape.length !== 4)
    throw unsupported(`${context.describe()} reads a tensor of rank ${value.shape.length}; only 4 can be converted`);
  const strides = spatialPair(context, 'strides');
  const dilations = spatialPair(context, 'dilations');
  const scheme = attributes.text('padding', 'VALID');
  const reach = [(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1] as const;
  const owed = scheme === 'VALID' ? takeOver(value, reach, absorbs) : undefined;
  const input = owed?.input ?? context.builder.settled(value);
  const height = at(input.shape, 1);
  const width = at(input.shape, 2);
  const pads = owed?.pads ?? ownPads(context, scheme, [height, width], reach, strides);
  const rows = Math.floor((height + pads[0] + pads[2] - reach[0]) / strides[0]) + 1;
  const columns = Math.floor((width + pads[1] + pads[3] - reach[1]) / strides[1]) + 1;
  if (rows < 1 || columns < 1) throw unsupported(`${context.describe()} has a window larger than its input`);
  return { kernel, strides, dilations, pads, size: [rows, columns], input };
}

function spatialPair(context: OperatorContext, name: string): readonly [number, number] {
  const list = context.node.attributes.integers(name) ?? [1, 1, 1, 1];
  if (list.length !== 4 || list[0] !== 1 || list[3] !== 1)
    throw unsupported(`${context.describe()} has ${name} [${list.join()}]; batch and channel must be 1`);
  return [at(list, 1), at(list, 2)];
}

/** TF's SAME: the output has ceil(input / stride) positions, and an odd amount of padding puts the extra row or column at the end. */
function ownPads(
  context: OperatorContext,
  scheme: string,
  size: readonly [number, number],
  reach: readonly [number, number],
  strides: readonly [number, number],
): readonly [number, number, number, number] {
  if (scheme === 'VALID') return [0, 0, 0, 0];
  if (scheme === 'EXPLICIT') {
    const list = context.node.attributes.integers('explicit_paddings') ?? [];
    if (list.length !== 8) throw unsupported(`${context.describe()} has ${list.length} explicit paddings; 8 are needed`);
    return [at(list, 2), at(list, 4), at(list, 3), at(list, 5)];
  }
  if (scheme !== 'SAME') throw unsupported(`${context.describe()} has padding ${scheme}; known are SAME, VALID and EXPLICIT`);
  const total = (axis: 0 | 1) => Math.max((Math.ceil(size[axis] / strides[axis]) - 1) * strides[axis] + reach[axis] - size[axis], 0);
  const [rows, columns] = [total(0), total(1)];
  return [rows >> 1, columns >> 1, rows - (rows >> 1), columns - (columns >> 1)];
}

/** Only spatial padding smaller than the window: then every window still sees a real element. */
function takeOver(value: Value, reach: readonly [number, number], absorbs: (fill: number) => boolean) {
  const padding: Padding | undefined = value.padding;
  if (padding === undefined || !absorbs(padding.fill)) return undefined;
  const { before, after } = padding;
  if (at(before, 0) + at(after, 0) + at(before, 3) + at(after, 3) > 0) return undefined;
  const pads = [at(before, 1), at(before, 2), at(after, 1), at(after, 2)] as const;
  if (Math.max(pads[0], pads[2]) >= reach[0] || Math.max(pads[1], pads[3]) >= reach[1]) return undefined;
  const shape = value.shape.map((size, axis) => size - at(before, axis) - at(after, axis));
  return { input: { name: value.name, shape, order: value.order } satisfies Value, pads };
}
