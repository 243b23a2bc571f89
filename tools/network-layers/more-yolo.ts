import { joined, type LayerList, picture, resized, type Shape } from './layer-list.ts';

export interface Yolo6Options {
  readonly width: number;
  readonly depth: number;
  readonly side?: number;
}

/** YOLOv6 as it is deployed (n and s): RepVGG blocks in backbone and neck, one 3 x 3 a branch in the head. */
export function yolo6(list: LayerList, { width, depth, side = 640 }: Yolo6Options): void {
  const w = (channels: number): number => channels * width;
  const repeats = (count: number): number => Math.max(1, Math.round(count * depth));
  const plain = (start: Shape, n: number, count: number): Shape => {
    let x = start;
    for (let block = 0; block < count; block += 1) x = list.conv(x, n, 3);
    return x;
  };
  let x = list.conv(picture(side), w(64), 3, { stride: 2 });
  const stages: Shape[] = [];
  for (const [channels, count] of [
    [128, 6],
    [256, 12],
    [512, 18],
    [1024, 6],
  ] as const) {
    x = plain(list.conv(x, w(channels), 3, { stride: 2 }), w(channels), repeats(count));
    stages.push(x);
  }
  const [p2, p3, p4, last] = stages as [Shape, Shape, Shape, Shape];
  const half = list.conv(last, last.c / 2, 1);
  for (let turn = 0; turn < 3; turn += 1) list.pool(half);
  const p5 = list.conv({ ...half, c: half.c * 4 }, last.c, 1);
  const top = list.conv(p5, w(256), 1);
  // Pictures of three levels are joined: one from above, one beside, one from below.
  const fused = (above: Shape, beside: Shape, below: Shape, n: number): Shape => {
    list.conv(beside, n, 1);
    list.conv(list.conv(below, n, 1), n, 3, { stride: 2 });
    return list.conv(joined(list.up(above, n, 2), { ...above, c: n }, { ...above, c: n }), n, 1);
  };
  const middle = plain(fused(top, p4, p3, w(256)), w(256), repeats(12));
  const low = list.conv(middle, w(128), 1);
  const out3 = plain(fused(low, p3, p2, w(128)), w(128), repeats(12));
  const out4 = plain(joined(list.conv(out3, w(128), 3, { stride: 2 }), low), w(256), repeats(12));
  const out5 = plain(joined(list.conv(out4, w(256), 3, { stride: 2 }), top), w(512), repeats(12));
  for (const out of [out3, out4, out5]) {
    const stem = list.conv(out, out.c, 1);
    list.conv(list.conv(stem, out.c, 3), 80, 1);
    list.conv(list.conv(stem, out.c, 3), 4, 1);
  }
}

/** Four branches of a long row of 3 x 3 joined (Wang et al. 2022). */
function longStage(list: LayerList, x: Shape, inner: number, n: number, tails: readonly number[], rows: number): Shape {
  const a = list.conv(x, inner, 1);
  let b = list.conv(x, inner, 1);
  const joinedParts: Shape[] = [b];
  const narrow = tails[0] ?? inner;
  for (let row = 1; row <= rows; row += 1) {
    b = list.conv(b, narrow, 3);
    if (tails.length === 1 ? row % 2 === 0 : true) joinedParts.push(b);
  }
  return list.conv(joined(a, ...joinedParts), n, 1);
}

/** Stride by pooling beside stride by a window. */
function twoWayDown(list: LayerList, x: Shape, n: number): Shape {
  const a = list.conv(list.pool(x, 2), n, 1);
  return joined(a, list.conv(list.conv(x, n, 1), n, 3, { stride: 2 }));
}

export function yolo7(list: LayerList, side = 640): void {
  let x = list.conv(list.conv(list.conv(picture(side), 32, 3), 64, 3, { stride: 2 }), 64, 3);
  x = longStage(list, list.conv(x, 128, 3, { stride: 2 }), 64, 256, [64], 4);
  const p3 = longStage(list, twoWayDown(list, x, 128), 128, 512, [128], 4);
  const p4 = longStage(list, twoWayDown(list, p3, 256), 256, 1024, [256], 4);
  const last = longStage(list, twoWayDown(list, p4, 512), 256, 1024, [256], 4);
  list.conv(last, 512, 1);
  const pooling = list.conv(list.conv(list.conv(last, 512, 1), 512, 3), 512, 1);
  for (let turn = 0; turn < 3; turn += 1) list.pool(pooling);
  const after = list.conv(list.conv({ ...pooling, c: 2048 }, 512, 1), 512, 3);
  const p5 = list.conv(joined(after, { ...after, c: 512 }), 512, 1);
  const middle = longStage(list, joined(resized(list.conv(p5, 256, 1)), list.conv(p4, 256, 1)), 256, 256, [128, 128], 4);
  const out3 = longStage(list, joined(resized(list.conv(middle, 128, 1)), list.conv(p3, 128, 1)), 128, 128, [64, 64], 4);
  const out4 = longStage(list, joined(twoWayDown(list, out3, 128), middle), 256, 256, [128, 128], 4);
  const out5 = longStage(list, joined(twoWayDown(list, out4, 256), p5), 512, 512, [256, 256], 4);
  for (const out of [out3, out4, out5]) list.conv(list.conv(out, out.c * 2, 3), 255, 1);
}

export function yolo7Tiny(list: LayerList, side = 640): void {
  let x = list.conv(list.conv(picture(side), 32, 3, { stride: 2 }), 64, 3, { stride: 2 });
  const stage = (input: Shape, inner: number, n: number): Shape => longStage(list, input, inner, n, [inner, inner], 2);
  x = stage(x, 32, 64);
  const p3 = stage(list.pool(x, 2), 64, 128);
  const p4 = stage(list.pool(p3, 2), 128, 256);
  const last = stage(list.pool(p4, 2), 256, 512);
  list.conv(last, 256, 1);
  const inner = list.conv(last, 256, 1);
  for (let turn = 0; turn < 3; turn += 1) list.pool(inner);
  const pooling = list.conv({ ...inner, c: 1024 }, 256, 1);
  const p5 = list.conv(joined(pooling, inner), 256, 1);
  const middle = stage(joined(resized(list.conv(p5, 128, 1)), list.conv(p4, 128, 1)), 64, 128);
  const out3 = stage(joined(resized(list.conv(middle, 64, 1)), list.conv(p3, 64, 1)), 32, 64);
  const out4 = stage(joined(list.conv(out3, 128, 3, { stride: 2 }), middle), 64, 128);
  const out5 = stage(joined(list.conv(out4, 256, 3, { stride: 2 }), p5), 128, 256);
  for (const out of [out3, out4, out5]) list.conv(list.conv(out, out.c * 2, 3), 255, 1);
}

/** Darknet-53 and the heads of YOLOv3. */
export function yolo3(list: LayerList, side = 416): void {
  let x = list.conv(picture(side), 32, 3);
  const stages: Shape[] = [];
  for (const [n, count] of [
    [64, 1],
    [128, 2],
    [256, 8],
    [512, 8],
    [1024, 4],
  ] as const) {
    x = list.conv(x, n, 3, { stride: 2 });
    for (let block = 0; block < count; block += 1) x = list.sum(list.conv(list.conv(x, n / 2, 1), n, 3));
    stages.push(x);
  }
  const head = (input: Shape, n: number): Shape => {
    let y = input;
    for (let layer = 0; layer < 2; layer += 1) y = list.conv(list.conv(y, n / 2, 1), n, 3);
    const kept = list.conv(y, n / 2, 1);
    list.conv(list.conv(kept, n, 3), 255, 1);
    return kept;
  };
  const low = head(stages[4] as Shape, 1024);
  const middle = head(joined(resized(list.conv(low, 256, 1)), stages[3] as Shape), 512);
  head(joined(resized(list.conv(middle, 128, 1)), stages[2] as Shape), 256);
}

export function yolo3Tiny(list: LayerList, side = 416): void {
  let x: Shape = picture(side);
  const stages: Shape[] = [];
  for (const n of [16, 32, 64, 128, 256, 512]) {
    x = list.conv(x, n, 3);
    stages.push(x);
    if (n < 512) x = list.pool(x, 2);
  }
  const inner = list.conv(list.conv(x, 1024, 3), 256, 1);
  list.conv(list.conv(inner, 512, 3), 255, 1);
  const up = joined(resized(list.conv(inner, 128, 1)), stages[4] as Shape);
  list.conv(list.conv(up, 256, 3), 255, 1);
}
