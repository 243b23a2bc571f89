import { joined, type LayerList, picture, pooled, resized, type Shape } from './layer-list.ts';
import { efficientStages, mobile1Stages, mobile2Stages } from './mobile.ts';
import { RESIDUAL_18, RESIDUAL_50, type ResidualOptions, residualStages } from './residual.ts';

/** Fully convolutional (Long et al. 2015) as torchvision has it: dilation 2 and 4 for the last two strides. */
export function fcn(list: LayerList, options: ResidualOptions, side: number): void {
  const last = residualStages(list, picture(side), { ...options, dilations: [1, 1, 2, 4] })[3] as Shape;
  list.conv(list.conv(last, 512, 3), 21, 1);
}

export function fcn8(list: LayerList, { h, w }: { h: number; w: number }): void {
  const [, p3, p4, p5] = residualStages(list, { h, w, c: 3 }, RESIDUAL_18) as [Shape, Shape, Shape, Shape];
  for (const stage of [p3, p4, p5]) list.conv(stage, 19, 1);
}

/** DeepLabv3+ on MobileNet v2 with output stride 16, as jfzhang95/pytorch-deeplab-xception has it. */
export function deepLabPlus(list: LayerList, side = 513): void {
  const stages = mobile2Stages(list, picture(side), { strideMax: 16 });
  const [, low, , , last] = [stages[0], stages[1], stages[2], stages[2], stages[stages.length - 1]] as Shape[];
  const pyramid = atrous(list, last as Shape, [6, 12, 18], 256);
  const x = joined(resized(list.conv(pyramid, 256, 1), 4), list.conv({ ...(low as Shape), c: 24 }, 48, 1));
  const wide = { h: (low as Shape).h, w: (low as Shape).w, c: x.c };
  list.conv(list.conv(list.conv(wide, 256, 3), 256, 3), 21, 1);
}

function atrous(list: LayerList, x: Shape, dilations: readonly number[], n: number): Shape {
  list.conv(x, n, 1);
  for (const dilation of dilations) list.conv(x, n, 3, { dilation });
  list.dense(x.c, n);
  return { ...x, c: n * (dilations.length + 2) };
}

/** DeepLabv3 on MobileNet v2 as TensorFlow's research models have it for phones. */
export function deepLabMobile(list: LayerList, strideMax: number, side = 513): void {
  const stages = mobile2Stages(list, picture(side), { strideMax });
  const last = stages[stages.length - 1] as Shape;
  list.dense(last.c, 256);
  list.conv(list.conv({ ...list.conv(last, 256, 1), c: 512 }, 256, 1), 21, 1);
}

/** SSD (Liu et al. 2016) on MobileNet v1 at 300, as TensorFlow's object detection has it. */
export function ssdMobile1(list: LayerList, side = 300): void {
  const [, , , p4, p5] = mobile1Stages(list, picture(side)) as [Shape, Shape, Shape, Shape, Shape];
  const outs = [p4, p5];
  let x = p5;
  for (const [inner, n] of [
    [256, 512],
    [128, 256],
    [128, 256],
    [64, 128],
  ] as const) {
    x = list.conv(list.conv(x, inner, 1), n, 3, { stride: 2 });
    outs.push(x);
  }
  outs.forEach((out, index) => {
    const boxes = index === 0 ? 3 : 6;
    list.conv(out, boxes * 4, 1);
    list.conv(out, boxes * 91, 1);
  });
}

/** RetinaFace: a pyramid of three levels, context by two and three windows, three heads. */
function retinaHead(list: LayerList, stages: readonly Shape[], n: number): void {
  const levels = stages.map((stage) => list.conv(stage, n, 1));
  list.conv(levels[1] as Shape, n, 3);
  list.conv(levels[0] as Shape, n, 3);
  for (const level of levels) {
    list.conv(level, n / 2, 3);
    const five = list.conv(level, n / 4, 3);
    list.conv(five, n / 4, 3);
    list.conv(list.conv(five, n / 4, 3), n / 4, 3);
    for (const outputs of [4, 8, 20]) list.conv(level, outputs, 1);
  }
}

export function retinaFace50(list: LayerList, side: number): void {
  const [, p3, p4, p5] = residualStages(list, picture(side), RESIDUAL_50) as [Shape, Shape, Shape, Shape];
  retinaHead(list, [p3, p4, p5], 256);
}

export function retinaFaceMobile(list: LayerList, input: Shape): void {
  const [, , p3, p4, p5] = mobile1Stages(list, input) as [Shape, Shape, Shape, Shape, Shape];
  retinaHead(list, [p3, p4, p5], 64);
}

/** CenterNet (Zhou et al. 2019): three transposed convolutions and three heads. */
export function centerNet(list: LayerList, options: ResidualOptions, side = 512): void {
  let x = residualStages(list, picture(side), options)[3] as Shape;
  for (const n of [256, 128, 64]) x = list.up(list.conv(x, n, 3), n, 4);
  for (const outputs of [80, 2, 2]) list.conv(list.conv(x, 64, 3), outputs, 1);
}

export function efficientDet(
  list: LayerList,
  side: number,
  width: number,
  depth: number,
  pyramid: { n: number; cells: number; heads: number },
): void {
  const { n, cells, heads } = pyramid;
  const [, , p3, p4, p5] = efficientStages(list, { width, depth, side, isLite: true }) as [Shape, Shape, Shape, Shape, Shape];
  const levels = [p3, p4, p5].map((stage) => list.conv(stage, n, 1));
  const sixth = pooled(list.conv(p5, n, 1));
  const all = [...levels, sixth, pooled(sixth)];
  for (let cell = 0; cell < cells; cell += 1)
    for (const level of [...all.slice(0, 4), ...all.slice(1)]) list.separable(list.sum(level), n, 3);
  for (const level of all) {
    for (const outputs of [810, 36]) {
      let x = level;
      for (let layer = 0; layer < heads; layer += 1) x = list.separable(x, n, 3);
      list.separable(x, outputs, 3);
    }
  }
}
