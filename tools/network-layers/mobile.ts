import { type LayerList, picture, roundedTo8, type Shape } from './layer-list.ts';

/** MobileNet v1 (Howard et al. 2017): the pictures at strides 2, 4, 8, 16 and 32. */
export function mobile1Stages(list: LayerList, input: Shape, width = 1): readonly Shape[] {
  const at = (channels: number): number => roundedTo8(channels * width);
  let x = list.conv(input, at(32), 3, { stride: 2 });
  const steps: readonly (readonly [number, number])[] = [
    ...([
      [64, 1],
      [128, 2],
      [128, 1],
      [256, 2],
      [256, 1],
      [512, 2],
    ] as const),
    ...([
      [512, 1],
      [512, 1],
      [512, 1],
      [512, 1],
      [512, 1],
      [1024, 2],
      [1024, 1],
    ] as const),
  ];
  const stages: Shape[] = [];
  for (const [channels, stride] of steps) {
    if (stride === 2) stages.push(x);
    x = list.separable(x, at(channels), 3, { stride });
  }
  return [...stages, x];
}

/** One inverted bottleneck: expansion, kernel, channels out, stride; hidden channels of squeeze and excitation; dilation. */
export interface Inverted {
  readonly hidden: number;
  readonly kernel: number;
  readonly out: number;
  readonly stride: number;
  readonly squeeze?: number;
  readonly dilation?: number;
  /** The first 1 x 1 and the depthwise layer are one full convolution, and the last 1 x 1 has the stride (EfficientNet-EdgeTPU). */
  readonly isFused?: boolean;
}

/** `doesExpand`: the first 1 x 1 is there even where it widens nothing. */
export function inverted(list: LayerList, x: Shape, block: Inverted, doesExpand = false): Shape {
  const { hidden, kernel, out, stride, squeeze, dilation = 1, isFused = false } = block;
  if (isFused) {
    const narrow = list.conv(list.conv(x, hidden, kernel), out, 1, { stride });
    return stride === 1 && out === x.c ? list.sum(narrow) : narrow;
  }
  const wide = hidden === x.c && !doesExpand ? x : list.conv(x, hidden, 1);
  const middle = list.depthwise(wide, kernel, { stride, dilation });
  if (squeeze !== undefined) list.sum(list.squeeze(middle, squeeze));
  const narrow = list.conv(middle, out, 1);
  return stride === 1 && out === x.c ? list.sum(narrow) : narrow;
}

/** Expansion, channels, repeats, stride: MobileNet v2 (Sandler et al. 2018). */
const MOBILE_2 = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** The pictures at strides 2, 4, 8, 16 and 32 (or less where the last strides are dilations). */
export function mobile2Stages(list: LayerList, input: Shape, { strideMax = 32, width = 1 } = {}): readonly Shape[] {
  let x = list.conv(input, roundedTo8(32 * width), 3, { stride: 2 });
  let [reached, dilation] = [2, 1];
  const stages: Shape[] = [];
  for (const [expansion, channels, repeats, first] of MOBILE_2) {
    for (let block = 0; block < repeats; block += 1) {
      let stride = block === 0 ? first : 1;
      const own = dilation;
      if (stride === 2 && reached >= strideMax) {
        dilation *= 2;
        stride = 1;
      } else if (stride === 2) {
        stages.push(x);
        reached *= 2;
      }
      const shape = { hidden: x.c * expansion, kernel: 3, out: roundedTo8(channels * width), stride };
      x = inverted(list, x, { ...shape, dilation: block === 0 ? own : dilation });
    }
  }
  return [...stages, x];
}

export function mobile2Network(list: LayerList): void {
  const last = mobile2Stages(list, picture(224))[4] as Shape;
  list.dense(list.conv(last, 1280, 1).c, 1000);
}

/** Kernel, hidden, out, squeezed, stride: MobileNet v3 large (Howard et al. 2019). */
const MOBILE_3 = [
  [3, 16, 16, 0, 1],
  [3, 64, 24, 0, 2],
  [3, 72, 24, 0, 1],
  [5, 72, 40, 1, 2],
  [5, 120, 40, 1, 1],
  [5, 120, 40, 1, 1],
  [3, 240, 80, 0, 2],
  [3, 200, 80, 0, 1],
  [3, 184, 80, 0, 1],
  [3, 184, 80, 0, 1],
  [3, 480, 112, 1, 1],
  [3, 672, 112, 1, 1],
  [5, 672, 160, 1, 2],
  [5, 960, 160, 1, 1],
  [5, 960, 160, 1, 1],
] as const;

/** Minimalistic: windows of 3 x 3 only, nothing squeezed. */
export function mobile3Network(list: LayerList, isMinimalistic: boolean): void {
  let x = list.conv(picture(224), 16, 3, { stride: 2 });
  for (const [kernel, hidden, out, isSqueezed, stride] of MOBILE_3) {
    const squeeze = isSqueezed === 1 && !isMinimalistic ? { squeeze: roundedTo8(hidden / 4) } : {};
    x = inverted(list, x, { hidden, kernel: isMinimalistic ? 3 : kernel, out, stride, ...squeeze });
  }
  list.conv(x, 960, 1);
  list.dense(list.dense(960, 1280).c, 1000);
}

export interface EfficientOptions {
  readonly width: number;
  readonly depth: number;
  readonly side: number;
  /** Lite: nothing squeezed, and the first and last layers are not scaled. */
  readonly isLite: boolean;
}

/** Kernel, expansion, channels, repeats, stride: EfficientNet (Tan and Le 2019). */
const EFFICIENT = [
  [3, 1, 16, 1, 1],
  [3, 6, 24, 2, 2],
  [5, 6, 40, 2, 2],
  [3, 6, 80, 3, 2],
  [5, 6, 112, 3, 1],
  [5, 6, 192, 4, 2],
  [3, 6, 320, 1, 1],
] as const;

export function efficientStages(list: LayerList, { width, depth, side, isLite }: EfficientOptions): readonly Shape[] {
  let x = list.conv(picture(side), isLite ? 32 : roundedTo8(32 * width), 3, { stride: 2 });
  const stages: Shape[] = [];
  EFFICIENT.forEach(([kernel, expansion, channels, repeats, first], stage) => {
    const isEnd = stage === 0 || stage === EFFICIENT.length - 1;
    const count = isLite && isEnd ? repeats : Math.ceil(repeats * depth);
    for (let block = 0; block < count; block += 1) {
      const stride = block === 0 ? first : 1;
      if (stride === 2) stages.push(x);
      const squeeze = isLite ? {} : { squeeze: Math.max(1, Math.floor(x.c / 4)) };
      x = inverted(list, x, { hidden: x.c * expansion, kernel, out: roundedTo8(channels * width), stride, ...squeeze });
    }
  });
  return [...stages, x];
}

export function efficientNetwork(list: LayerList, options: EfficientOptions): void {
  const last = efficientStages(list, options)[4] as Shape;
  list.dense(list.conv(last, options.isLite ? 1280 : roundedTo8(1280 * options.width), 1).c, 1000);
}

/** Fused, kernel, expansion, channels, repeats, stride: EfficientNet-EdgeTPU. */
const EDGE = [
  [1, 3, 4, 24, 1, 1],
  [1, 3, 8, 32, 2, 2],
  [1, 3, 8, 48, 4, 2],
  [0, 5, 8, 96, 5, 2],
  [0, 5, 8, 144, 4, 1],
  [0, 5, 8, 192, 2, 2],
] as const;

export function edgeNetwork(list: LayerList, { width, depth, side }: Omit<EfficientOptions, 'isLite'>): void {
  let x = list.conv(picture(side), roundedTo8(32 * width), 3, { stride: 2 });
  for (const [fused, kernel, expansion, channels, repeats, first] of EDGE) {
    for (let block = 0; block < Math.ceil(repeats * depth); block += 1) {
      const out = roundedTo8(channels * width);
      // The first block is widened from what it puts out.
      const hidden = (expansion === 4 ? out : x.c) * expansion;
      x = inverted(list, x, { hidden, kernel, out, stride: block === 0 ? first : 1, isFused: fused === 1 });
    }
  }
  list.dense(list.conv(x, roundedTo8(1280 * width), 1).c, 1000);
}
