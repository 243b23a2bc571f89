import type { TfNode } from '../../tools/tfjs-to-onnx/graph-model.ts';

/** The operators of TensorFlow that the reference evaluator knows, each as plainly as its definition. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function tensor(shape: readonly number[], data: ArrayLike<number>): Tensor {
  const size = shape.reduce((product, count) => product * count, 1);
  if (size !== data.length) throw new Error(`shape [${shape.join()}] holds ${size} numbers, not ${data.length}`);
  return { shape, data: Float64Array.from(data) };
}

export const positive = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);

function dims4(value: Tensor): [number, number, number, number] {
  const [a = 0, b = 0, c = 0, d = 0] = value.shape;
  if (value.shape.length !== 4) throw new Error(`rank ${value.shape.length} where 4 is needed`);
  return [a, b, c, d];
}

/** Number of positions along one axis and how far the first one starts before the input (tensorflow.org, "SAME" and "VALID"). */
function positions(size: number, reach: number, stride: number, scheme: string, explicit: readonly [number, number]): [number, number] {
  if (scheme === 'SAME') {
    const count = Math.ceil(size / stride);
    const last = size % stride === 0 ? stride : size % stride;
    return [count, Math.floor(Math.max(reach - last, 0) / 2)];
  }
  const [before, after] = scheme === 'EXPLICIT' ? explicit : [0, 0];
  return [Math.ceil((size + before + after - reach + 1) / stride), before];
}

function windowOf(node: TfNode, height: number, width: number, kernelRows: number, kernelColumns: number) {
  const [, strideY = 1, strideX = 1] = node.attributes.integers('strides') ?? [];
  const [, dilationY = 1, dilationX = 1] = node.attributes.integers('dilations') ?? [];
  const scheme = node.attributes.text('padding', '');
  const [, , top = 0, bottom = 0, left = 0, right = 0] = node.attributes.integers('explicit_paddings') ?? [];
  const [rows, offsetY] = positions(height, (kernelRows - 1) * dilationY + 1, strideY, scheme, [top, bottom]);
  const [columns, offsetX] = positions(width, (kernelColumns - 1) * dilationX + 1, strideX, scheme, [left, right]);
  return { strideY, strideX, dilationY, dilationX, rows, columns, offsetY, offsetX };
}

export function convolve(node: TfNode, input: Tensor, filter: Tensor, isDepthwise: boolean): Tensor {
  const [batch, height, width, channels] = dims4(input);
  const [kernelRows, kernelColumns, filterChannels, filterOutputs] = dims4(filter);
  const outputs = isDepthwise ? filterChannels * filterOutputs : filterOutputs;
  const w = windowOf(node, height, width, kernelRows, kernelColumns);
  const result = new Float64Array(batch * w.rows * w.columns * outputs);
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < w.rows; y++)
      for (let x = 0; x < w.columns; x++) {
        const target = ((b * w.rows + y) * w.columns + x) * outputs;
        for (let ky = 0; ky < kernelRows; ky++)
          for (let kx = 0; kx < kernelColumns; kx++) {
            const row = y * w.strideY + ky * w.dilationY - w.offsetY;
            const column = x * w.strideX + kx * w.dilationX - w.offsetX;
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const source = ((b * height + row) * width + column) * channels;
            for (let c = 0; c < channels; c++) {
              const value = input.data[source + c] ?? 0;
              const weights = ((ky * kernelColumns + kx) * filterChannels + c) * filterOutputs;
              const first = isDepthwise ? target + c * filterOutputs : target;
              for (let o = 0; o < filterOutputs; o++)
                result[first + o] = (result[first + o] ?? 0) + value * (filter.data[weights + o] ?? 0);
            }
          }
      }
  return tensor([batch, w.rows, w.columns, outputs], result);
}

/** Positions outside the input do not count, neither for the maximum nor for the average. */
export function pool(node: TfNode, input: Tensor): Tensor {
  const [batch, height, width, channels] = dims4(input);
  const [, kernelRows = 1, kernelColumns = 1] = node.attributes.integers('ksize') ?? [];
  const w = windowOf(node, height, width, kernelRows, kernelColumns);
  const result: number[] = [];
  for (let b = 0; b < batch; b++)
    for (let y = 0; y < w.rows; y++)
      for (let x = 0; x < w.columns; x++)
        for (let c = 0; c < channels; c++) {
          const seen: number[] = [];
          for (let ky = 0; ky < kernelRows; ky++)
            for (let kx = 0; kx < kernelColumns; kx++) {
              const [row, column] = [y * w.strideY + ky - w.offsetY, x * w.strideX + kx - w.offsetX];
              if (row >= 0 && row < height && column >= 0 && column < width)
                seen.push(input.data[((b * height + row) * width + column) * channels + c] ?? 0);
            }
          result.push(node.op === 'MaxPool' ? Math.max(...seen) : seen.reduce((sum, value) => sum + value, 0) / seen.length);
        }
  return tensor([batch, w.rows, w.columns, channels], result);
}

export function unary(node: TfNode, op: string, input: Tensor): Tensor {
  const slope = node.op.includes('Conv') ? node.attributes.number('leakyrelu_alpha', 0.2) : node.attributes.number('alpha', 0.2);
  const functions: Readonly<Record<string, (x: number) => number>> = {
    Relu: (x) => Math.max(x, 0),
    Relu6: (x) => Math.min(Math.max(x, 0), 6),
    LeakyRelu: (x) => (x < 0 ? slope * x : x),
    Elu: (x) => (x < 0 ? Math.exp(x) - 1 : x),
    Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    Tanh: (x) => Math.tanh(x),
  };
  const apply = functions[op];
  if (apply === undefined) throw new Error(`the reference does not know ${op}`);
  return tensor(input.shape, input.data.map(apply));
}

/** Calls `visit` with every index of a tensor of that shape, in row-major order. The array is reused: it must not be kept. */
function forEachIndex(shape: readonly number[], visit: (index: readonly number[]) => void): void {
  if (shape.some((size) => size === 0)) return;
  const index = shape.map(() => 0);
  while (true) {
    visit(index);
    let axis = shape.length - 1;
    while (axis >= 0 && (index[axis] ?? 0) + 1 === shape[axis]) index[axis--] = 0;
    if (axis < 0) return;
    index[axis] = (index[axis] ?? 0) + 1;
  }
}

function offsetOf(shape: readonly number[], index: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < shape.length; axis++) offset = offset * (shape[axis] ?? 0) + (index[axis] ?? 0);
  return offset;
}

function collect(shape: readonly number[], valueAt: (index: readonly number[]) => number): Tensor {
  const data = new Float64Array(shape.reduce((product, size) => product * size, 1));
  let next = 0;
  forEachIndex(shape, (index) => {
    data[next++] = valueAt(index);
  });
  return { shape, data };
}

/** NumPy's broadcasting: shapes are aligned at their ends. */
export function combine(op: string, a: Tensor, b: Tensor): Tensor {
  const functions: Readonly<Record<string, (x: number, y: number) => number>> = {
    Add: (x, y) => x + y,
    AddV2: (x, y) => x + y,
    BiasAdd: (x, y) => x + y,
    Sub: (x, y) => x - y,
    Mul: (x, y) => x * y,
    RealDiv: (x, y) => x / y,
    Maximum: Math.max,
    Minimum: Math.min,
  };
  const apply = functions[op];
  if (apply === undefined) throw new Error(`the reference does not know ${op}`);
  const rank = Math.max(a.shape.length, b.shape.length);
  const sizeAt = (value: Tensor, axis: number) => value.shape[axis - rank + value.shape.length] ?? 1;
  const wide = Array.from({ length: rank }, (_, axis) => Math.max(sizeAt(a, axis), sizeAt(b, axis)));
  const read = (value: Tensor, index: readonly number[]) => {
    const own = value.shape.map((size, axis) => (size === 1 ? 0 : (index[axis + rank - value.shape.length] ?? 0)));
    return value.data[offsetOf(value.shape, own)] ?? 0;
  };
  return collect(wide, (index) => apply(read(a, index), read(b, index)));
}

export function softmax(input: Tensor): Tensor {
  const size = input.shape.at(-1) ?? 1;
  const data = new Float64Array(input.data.length);
  for (let start = 0; start < data.length; start += size) {
    const row = input.data.subarray(start, start + size);
    const powers = row.map((value) => Math.exp(value - Math.max(...row)));
    const total = powers.reduce((sum, value) => sum + value, 0);
    data.set(
      powers.map((value) => value / total),
      start,
    );
  }
  return tensor(input.shape, data);
}

export function pad(input: Tensor, amounts: Float64Array, fill: number): Tensor {
  const shape = input.shape.map((size, axis) => size + (amounts[2 * axis] ?? 0) + (amounts[2 * axis + 1] ?? 0));
  const source = [...shape];
  return collect(shape, (index) => {
    let isInside = true;
    for (let axis = 0; axis < index.length; axis++) {
      const at = (index[axis] ?? 0) - (amounts[2 * axis] ?? 0);
      source[axis] = at;
      isInside &&= at >= 0 && at < (input.shape[axis] ?? 0);
    }
    return isInside ? (input.data[offsetOf(input.shape, source)] ?? 0) : fill;
  });
}

export function concat(inputs: readonly Tensor[], signedAxis: number): Tensor {
  const [first] = inputs;
  if (first === undefined) throw new Error('nothing to concatenate');
  const axis = positive(signedAxis, first.shape.length);
  const shape = first.shape.map((size, at) => (at === axis ? inputs.reduce((sum, part) => sum + (part.shape[axis] ?? 0), 0) : size));
  return collect(shape, (index) => {
    const own = [...index];
    for (const part of inputs) {
      if ((own[axis] ?? 0) < (part.shape[axis] ?? 0)) return part.data[offsetOf(part.shape, own)] ?? 0;
      own[axis] = (own[axis] ?? 0) - (part.shape[axis] ?? 0);
    }
    throw new Error('index past the end');
  });
}

export function split(input: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    const from = start;
    start += size;
    const shape = input.shape.map((whole, at) => (at === axis ? size : whole));
    return collect(
      shape,
      (index) =>
        input.data[
          offsetOf(
            input.shape,
            index.map((at, own) => (own === axis ? at + from : at)),
          )
        ] ?? 0,
    );
  });
}

export function transpose(input: Tensor, permutation: readonly number[]): Tensor {
  const shape = permutation.map((axis) => input.shape[axis] ?? 0);
  const source = input.shape.map(() => 0);
  return collect(shape, (index) => {
    for (let at = 0; at < permutation.length; at++) source[permutation[at] ?? 0] = index[at] ?? 0;
    return input.data[offsetOf(input.shape, source)] ?? 0;
  });
}

export function mean(input: Tensor, axes: readonly number[], keeps: boolean): Tensor {
  const kept = input.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const sums = new Float64Array(kept.reduce((product, size) => product * size, 1));
  forEachIndex(input.shape, (index) => {
    const at = offsetOf(
      kept,
      index.map((value, axis) => (axes.includes(axis) ? 0 : value)),
    );
    sums[at] = (sums[at] ?? 0) + (input.data[offsetOf(input.shape, index)] ?? 0);
  });
  const count = input.data.length / sums.length;
  return tensor(
    keeps ? kept : input.shape.filter((_, axis) => !axes.includes(axis)),
    sums.map((sum) => sum / count),
  );
}

/** tensorflow/core/kernels/image: the source position of an output pixel for each of the three conventions, then two neighbours or the nearest. */
export function resize(node: TfNode, input: Tensor, size: Float64Array): Tensor {
  const [batch, height, width, channels] = dims4(input);
  const [rows = 0, columns = 0] = size;
  const isAligned = node.attributes.flag('align_corners', false);
  const isHalfPixel = node.attributes.flag('half_pixel_centers', false);
  const scale = (from: number, to: number) => (isAligned && to > 1 ? (from - 1) / (to - 1) : from / to);
  const neighbours = (position: number, from: number, to: number): [number, number, number] => {
    const ratio = scale(from, to);
    if (node.op === 'ResizeNearestNeighbor') {
      const exact = isHalfPixel ? (position + 0.5) * ratio : position * ratio;
      const nearest = Math.min(isAligned ? Math.floor(exact + 0.5) : Math.floor(exact), from - 1);
      return [nearest, nearest, 0];
    }
    const exact = isHalfPixel ? (position + 0.5) * ratio - 0.5 : position * ratio;
    return [Math.max(Math.floor(exact), 0), Math.min(Math.ceil(exact), from - 1), exact - Math.floor(exact)];
  };
  return collect([batch, rows, columns, channels], ([b = 0, y = 0, x = 0, c = 0]) => {
    const [top, bottom, down] = neighbours(y, height, rows);
    const [left, right, across] = neighbours(x, width, columns);
    const read = (row: number, column: number) => input.data[((b * height + row) * width + column) * channels + c] ?? 0;
    const upper = read(top, left) + (read(top, right) - read(top, left)) * across;
    const lower = read(bottom, left) + (read(bottom, right) - read(bottom, left)) * across;
    return upper + (lower - upper) * down;
  });
}

export function sparseToDense(places: Tensor, shape: Tensor, values: Tensor, fallback: Tensor): Tensor {
  const sizes = Array.from(shape.data);
  const result = new Float64Array(sizes.reduce((product, size) => product * size, 1)).fill(fallback.data[0] ?? 0);
  const count = places.shape[0] ?? 0;
  for (let entry = 0; entry < count; entry++) {
    const index = Array.from(places.data.subarray(entry * sizes.length, (entry + 1) * sizes.length));
    result[offsetOf(sizes, index)] = values.data[values.data.length === 1 ? 0 : entry] ?? 0;
  }
  return tensor(sizes, result);
}
