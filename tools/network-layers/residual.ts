import { type LayerList, picture, type Shape } from './layer-list.ts';

export interface ResidualOptions {
  readonly blocks: readonly number[];
  readonly isBottleneck: boolean;
  readonly groups?: number;
  readonly widthPerGroup?: number;
  /** Dilation instead of stride in the last stages. */
  readonly dilations?: readonly number[];
  /** Where in a stage of bottlenecks the stride is: in the first 1 x 1, in the window, or (TensorFlow slim) in the window of its last block. */
  readonly strideAt?: 'first' | 'window' | 'last';
}

/** He et al. 2015, its wide form and Xie et al. 2016; the pictures after each stage. */
export function residualStages(list: LayerList, input: Shape, options: ResidualOptions): readonly Shape[] {
  const { blocks, isBottleneck, groups = 1, widthPerGroup = 64, dilations = [1, 1, 1, 1], strideAt = 'window' } = options;
  let x = list.pool(list.conv(input, 64, 7, { stride: 2 }), 2);
  const stages: Shape[] = [];
  let dilation = 1;
  blocks.forEach((count, stage) => {
    const planes = 64 * 2 ** stage;
    const isDilated = (dilations[stage] ?? 1) > 1;
    const before = dilation;
    if (isDilated) dilation = dilations[stage] ?? 1;
    for (let block = 0; block < count; block += 1) {
      const strides = stage > 0 && !isDilated && strideAt !== 'last' ? 0 : -1;
      const isLast = strideAt === 'last' && stage < blocks.length - 1 && block === count - 1;
      const stride = block === strides || isLast ? 2 : 1;
      const own = block === 0 ? before : dilation;
      if (isBottleneck) {
        const width = Math.floor((planes * widthPerGroup) / 64) * groups;
        const out = planes * 4;
        if (x.c !== out) list.conv(x, out, 1, { stride });
        const inner = list.conv(x, width, 1, { stride: strideAt === 'first' ? stride : 1 });
        const windowed = list.conv(inner, width, 3, { stride: strideAt === 'first' ? 1 : stride, groups, dilation: own });
        x = list.sum(list.conv(windowed, out, 1));
      } else {
        if (stride !== 1 || x.c !== planes) list.conv(x, planes, 1, { stride });
        x = list.sum(list.conv(list.conv(x, planes, 3, { stride, dilation: own }), planes, 3, { dilation }));
      }
    }
    stages.push(x);
  });
  return stages;
}

export const RESIDUAL_18: ResidualOptions = { blocks: [2, 2, 2, 2], isBottleneck: false };
export const RESIDUAL_34: ResidualOptions = { blocks: [3, 4, 6, 3], isBottleneck: false };
export const RESIDUAL_50: ResidualOptions = { blocks: [3, 4, 6, 3], isBottleneck: true };
export const RESIDUAL_101: ResidualOptions = { blocks: [3, 4, 23, 3], isBottleneck: true };

export function residualNetwork(list: LayerList, options: ResidualOptions, side = 224): void {
  const last = residualStages(list, picture(side), options)[3];
  list.dense(last?.c ?? 0, 1000);
}

export interface RegularOptions {
  readonly depths: readonly number[];
  readonly widths: readonly number[];
  readonly groupWidth: number;
}

export const REGULAR_800: RegularOptions = { depths: [1, 3, 7, 5], widths: [64, 128, 288, 672], groupWidth: 16 };

/** RegNetX (Radosavovic et al. 2020). */
export function regularStages(list: LayerList, input: Shape, { depths, widths, groupWidth }: RegularOptions): readonly Shape[] {
  let x = list.conv(input, 32, 3, { stride: 2 });
  return depths.map((depth, stage) => {
    const width = widths[stage] ?? 0;
    const groups = Math.max(1, width / Math.min(groupWidth, width));
    for (let block = 0; block < depth; block += 1) {
      const stride = block === 0 ? 2 : 1;
      if (block === 0) list.conv(x, width, 1, { stride });
      x = list.sum(list.conv(list.conv(list.conv(x, width, 1), width, 3, { stride, groups }), width, 1));
    }
    return x;
  });
}

export function regularNetwork(list: LayerList, options: RegularOptions): void {
  list.dense(regularStages(list, picture(224), options)[3]?.c ?? 0, 1000);
}

/** RepVGG as it is deployed: one 3 x 3 a block (Ding et al. 2021). */
export function plainStages(list: LayerList, input: Shape, widths: readonly number[], depths: readonly number[]): readonly Shape[] {
  let x = list.conv(input, Math.min(64, widths[0] ?? 64), 3, { stride: 2 });
  return depths.map((depth, stage) => {
    for (let block = 0; block < depth; block += 1) x = list.conv(x, widths[stage] ?? 0, 3, { stride: block === 0 ? 2 : 1 });
    return x;
  });
}

export function plainNetwork(list: LayerList, widths: readonly number[], depths: readonly number[]): void {
  list.dense(plainStages(list, picture(224), widths, depths)[3]?.c ?? 0, 1000);
}
