import type { OperatorCall } from '../operator-call.ts';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins, then ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
}

/** The sliding window of a convolution or pooling over `axes` spatial axes. */
export function readWindow(call: OperatorCall, kernel: readonly number[]): Window {
  const axes = kernel.length;
  const list = (name: string, length: number, fallback: number): readonly number[] => {
    const values = call.numbers(name) ?? new Array<number>(length).fill(fallback);
    return values.length === length ? values : call.fail(`${name} has ${values.length} numbers; ${length} are needed`);
  };
  const strides = list('strides', axes, 1);
  const dilations = list('dilations', axes, 1);
  if ([...kernel, ...strides, ...dilations].some((size) => size < 1)) call.fail('a kernel size, stride or dilation below 1');
  return { kernel, strides, dilations, pads: list('pads', axes * 2, 0), autoPad: call.text('auto_pad', 'NOTSET') };
}

/** Spatial output sizes of a window that slides over `sizes`. With `isCeil` a last window that starts inside the input or its begin pad counts too. */
export function slide(call: OperatorCall, sizes: readonly number[], window: Window, isCeil = false): number[] {
  const { kernel, strides, dilations, pads, autoPad } = window;
  return sizes.map((size, axis) => {
    const stride = strides[axis] as number;
    const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') return Math.ceil(size / stride);
    const [begin, end] = autoPad === 'VALID' ? [0, 0] : [pads[axis] as number, pads[axis + sizes.length] as number];
    const steps = (size + begin + end - reach) / stride;
    if (steps < 0) call.fail(`its window of ${reach} is larger than its padded input of ${size + begin + end}`);
    if (!isCeil) return Math.floor(steps) + 1;
    const count = Math.ceil(steps) + 1;
    return (count - 1) * stride >= size + begin ? count - 1 : count;
  });
}

/** Spatial output sizes of a transposed convolution. */
export function slideBack(call: OperatorCall, sizes: readonly number[], window: Window): number[] {
  const { kernel, strides, dilations, pads, autoPad } = window;
  const wanted = call.numbers('output_shape');
  const extra = call.numbers('output_padding');
  return sizes.map((size, axis) => {
    const given = wanted?.[axis + (wanted.length - sizes.length)];
    if (given !== undefined) return given;
    const stride = strides[axis] as number;
    if (autoPad === 'SAME_UPPER' || autoPad === 'SAME_LOWER') return size * stride;
    const reach = ((kernel[axis] as number) - 1) * (dilations[axis] as number) + 1;
    const cut = autoPad === 'VALID' ? 0 : (pads[axis] as number) + (pads[axis + sizes.length] as number);
    return (size - 1) * stride + (extra?.[axis] ?? 0) + reach - cut;
  });
}
