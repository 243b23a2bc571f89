/** A picture between layers. */
export interface Shape {
  readonly h: number;
  readonly w: number;
  readonly c: number;
}

/** A layer with multiplications as a matrix product `[m, k] x [k, n]`, `groups` times. */
export interface ListedLayer {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly groups: number;
  /** Numbers that it reads besides its weights. */
  readonly reads: number;
  /** Both factors are results, as in attention. */
  readonly isScore?: true;
  /** Of a layer that multiplies nothing (k is 0): operations of each of its results. */
  readonly ops?: number;
}

export interface ConvolutionOptions {
  readonly stride?: number;
  readonly groups?: number;
  readonly dilation?: number;
  /** No padding: the picture shrinks by the window. */
  readonly isValid?: boolean;
}

/** Writes down the layers of one network while its architecture is walked through. */
export class LayerList {
  readonly layers: ListedLayer[] = [];

  conv({ h, w, c }: Shape, n: number, kernel: number | readonly [number, number], options: ConvolutionOptions = {}): Shape {
    const { stride = 1, groups = 1, dilation = 1, isValid = false } = options;
    const [kh, kw] = typeof kernel === 'number' ? [kernel, kernel] : kernel;
    const size = (side: number, window: number): number =>
      isValid ? Math.floor((side - (window - 1) * dilation - 1) / stride) + 1 : Math.ceil(side / stride);
    const out = { h: size(h, kh), w: size(w, kw), c: n };
    this.layers.push({ m: out.h * out.w, n: n / groups, k: (c / groups) * kh * kw, groups, reads: h * w * c });
    return out;
  }

  /** A depthwise convolution. */
  depthwise(shape: Shape, kernel: number, options: ConvolutionOptions = {}): Shape {
    return this.conv(shape, shape.c, kernel, { ...options, groups: shape.c });
  }

  /** Depthwise, then 1 x 1. */
  separable(shape: Shape, n: number, kernel: number, options: ConvolutionOptions = {}): Shape {
    return this.conv(this.depthwise(shape, kernel, options), n, 1);
  }

  /** A transposed convolution: every pixel gives `stride` squared. */
  up({ h, w, c }: Shape, n: number, kernel: number, stride = 2, groups = 1): Shape {
    const out = { h: h * stride, w: w * stride, c: n };
    const k = ((c / groups) * kernel * kernel) / stride ** 2;
    this.layers.push({ m: out.h * out.w, n: n / groups, k, groups, reads: h * w * c });
    return out;
  }

  dense(inputs: number, n: number): Shape {
    this.layers.push({ m: 1, n, k: inputs, groups: 1, reads: inputs });
    return { h: 1, w: 1, c: n };
  }

  /** The sum of two pictures, or the product with a gate. */
  sum({ h, w, c }: Shape): Shape {
    this.layers.push({ m: h * w, n: c, k: 0, groups: 1, reads: 2 * h * w * c, ops: 1 });
    return { h, w, c };
  }

  /** The largest or the mean of a window: chips have units for it that take a result at a time. */
  pool(shape: Shape, stride = 1): Shape {
    const out = pooled(shape, stride);
    this.layers.push({ m: out.h * out.w, n: out.c, k: 0, groups: 1, reads: shape.h * shape.w * shape.c, ops: 1 });
    return out;
  }

  /** Attention of `heads` over the pixels of a picture: each with each, then their weighted sum. */
  attention({ h, w }: Shape, heads: number, keySize: number, valueSize: number): void {
    const m = h * w;
    const shared = { m, groups: heads, isScore: true } as const;
    this.layers.push({ ...shared, n: m, k: keySize, reads: 2 * m * keySize * heads });
    this.layers.push({ ...shared, n: valueSize, k: m, reads: m * (m + valueSize) * heads });
  }

  /** Squeeze and excitation: what it multiplies is two layers on one pixel. */
  squeeze(shape: Shape, hidden: number): Shape {
    this.dense(this.dense(shape.c, hidden).c, shape.c);
    return shape;
  }
}

export const picture = (side: number, c = 3): Shape => ({ h: side, w: side, c });

export const pooled = ({ h, w, c }: Shape, stride = 2): Shape => ({ h: Math.ceil(h / stride), w: Math.ceil(w / stride), c });

export const resized = ({ h, w, c }: Shape, times = 2): Shape => ({ h: h * times, w: w * times, c });

/** Side by side along the channels. */
export function joined(first: Shape, ...others: readonly Shape[]): Shape {
  return { ...first, c: others.reduce((sum, { c }) => sum + c, first.c) };
}

/** To the nearest multiple of 8, never more than a tenth below, as networks of mobile kind are widened. */
export function roundedTo8(channels: number): number {
  const near = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return near < 0.9 * channels ? near + 8 : near;
}
