import { joined, type LayerList, picture, resized, type Shape } from './layer-list.ts';

/** Cross-stage block with three 1 x 1 (YOLOv5's C3, YOLOX's CSP layer). */
function crossStage(list: LayerList, x: Shape, n: number, count: number, hasSums = false): Shape {
  const half = n / 2;
  let a = list.conv(x, half, 1);
  for (let block = 0; block < count; block += 1) {
    a = list.conv(list.conv(a, half, 1), half, 3);
    if (hasSums) list.sum(a);
  }
  return list.conv(joined(a, list.conv(x, half, 1)), n, 1);
}

const deep = (count: number, depth: number): number => Math.max(1, Math.round(count * depth));
const wide = (channels: number, width: number): number => Math.ceil((channels * width) / 8) * 8;

export interface ScaledOptions {
  readonly width: number;
  readonly depth: number;
  readonly side?: number;
}

/** Three pictures from a pyramid's top-down and bottom-up paths, of YOLOv5's and YOLOX's kind. */
function crossStageNeck(list: LayerList, [p3, p4, p5]: readonly [Shape, Shape, Shape], count: number): readonly [Shape, Shape, Shape] {
  const top = list.conv(p5, p4.c, 1);
  const middle = crossStage(list, joined(resized(top), p4), p4.c, count);
  const low = list.conv(middle, p3.c, 1);
  const out3 = crossStage(list, joined(resized(low), p3), p3.c, count);
  const out4 = crossStage(list, joined(list.conv(out3, p3.c, 3, { stride: 2 }), low), p4.c, count);
  const out5 = crossStage(list, joined(list.conv(out4, p4.c, 3, { stride: 2 }), top), p5.c, count);
  return [out3, out4, out5];
}

export interface Yolo5Options extends ScaledOptions {
  /** Releases before 6 begin with Focus and pool in parallel. */
  readonly isOld?: boolean;
  readonly hasMasks?: boolean;
}

export function yolo5(list: LayerList, { width, depth, side = 640, isOld = false, hasMasks = false }: Yolo5Options): void {
  const w = (channels: number): number => wide(channels, width);
  let x = isOld ? list.conv({ h: side / 2, w: side / 2, c: 12 }, w(64), 3) : list.conv(picture(side), w(64), 6, { stride: 2 });
  const stages: Shape[] = [];
  for (const [channels, count] of [
    [128, 3],
    [256, isOld ? 9 : 6],
    [512, 9],
    [1024, 3],
  ] as const) {
    x = list.conv(x, w(channels), 3, { stride: 2 });
    if (channels === 1024 && isOld) x = spatialPooling(list, x);
    x = crossStage(list, x, w(channels), deep(count, depth), channels < 1024 || !isOld);
    stages.push(x);
  }
  const p5 = isOld ? x : spatialPooling(list, x);
  const outs = crossStageNeck(list, [stages[1] as Shape, stages[2] as Shape, p5], deep(3, depth));
  for (const out of outs) list.conv(out, 3 * (85 + (hasMasks ? 32 : 0)), 1);
  if (hasMasks) prototypes(list, outs[0], w(256));
}

function spatialPooling(list: LayerList, x: Shape): Shape {
  const half = list.conv(x, x.c / 2, 1);
  for (let turn = 0; turn < 3; turn += 1) list.pool(half);
  return list.conv({ ...half, c: half.c * 4 }, x.c, 1);
}

/** Masks of YOLACT's kind: 32 prototypes at stride 4. */
function prototypes(list: LayerList, p3: Shape, n: number): void {
  list.conv(list.conv(resized(list.conv(p3, n, 3)), n, 3), 32, 1);
}

export function yolox(list: LayerList, { width, depth, side = 640 }: ScaledOptions): void {
  const w = (channels: number): number => wide(channels, width);
  let x = list.conv({ h: side / 2, w: side / 2, c: 12 }, w(64), 3);
  const stages: Shape[] = [];
  for (const [channels, count] of [
    [128, 3],
    [256, 9],
    [512, 9],
    [1024, 3],
  ] as const) {
    x = list.conv(x, w(channels), 3, { stride: 2 });
    if (channels === 1024) x = spatialPooling(list, x);
    x = crossStage(list, x, w(channels), deep(count, depth), channels < 1024);
    stages.push(x);
  }
  const outs = crossStageNeck(list, [stages[1], stages[2], stages[3]] as [Shape, Shape, Shape], deep(3, depth));
  for (const out of outs) {
    const stem = list.conv(out, w(256), 1);
    const named = list.conv(list.conv(stem, stem.c, 3), stem.c, 3);
    const placed = list.conv(list.conv(stem, stem.c, 3), stem.c, 3);
    list.conv(named, 80, 1);
    list.conv(placed, 5, 1);
  }
}

/** YOLOv8's cross-stage block, with all its pieces joined. */
function splitStage(list: LayerList, x: Shape, n: number, count: number, hasSums = false): Shape {
  const begun = list.conv(x, n, 1);
  const piece = { ...begun, c: n / 2 };
  for (let block = 0; block < count; block += 1) {
    const made = list.conv(list.conv(piece, n / 2, 3), n / 2, 3);
    if (hasSums) list.sum(made);
  }
  return list.conv({ ...begun, c: ((2 + count) * n) / 2 }, n, 1);
}

/** C3k with two bottlenecks of 3 x 3. */
function nestedStage(list: LayerList, x: Shape, n: number): void {
  const half = n / 2;
  let a = list.conv(x, half, 1);
  for (let block = 0; block < 2; block += 1) a = list.sum(list.conv(list.conv(a, half, 3), half, 3));
  list.conv(joined(a, list.conv(x, half, 1)), n, 1);
}

export interface Yolo8Options extends ScaledOptions {
  /** Channels of the last stage before width. */
  readonly lastChannels: number;
  readonly task?: 'detect' | 'masks' | 'pose' | 'boxes';
}

export function yolo8(list: LayerList, { width, depth, side = 640, lastChannels, task = 'detect' }: Yolo8Options): void {
  const w = (channels: number): number => wide(Math.min(channels, lastChannels), width);
  const count = (blocks: number): number => deep(blocks, depth);
  let x = list.conv(picture(side), w(64), 3, { stride: 2 });
  const stages: Shape[] = [];
  for (const [channels, blocks] of [
    [128, 3],
    [256, 6],
    [512, 6],
    [1024, 3],
  ] as const) {
    x = splitStage(list, list.conv(x, w(channels), 3, { stride: 2 }), w(channels), count(blocks), true);
    stages.push(x);
  }
  const [, p3, p4, last] = stages as [Shape, Shape, Shape, Shape];
  const p5 = spatialPooling(list, last);
  const middle = splitStage(list, joined(resized(p5), p4), p4.c, count(3));
  const out3 = splitStage(list, joined(resized(middle), p3), p3.c, count(3));
  const out4 = splitStage(list, joined(list.conv(out3, out3.c, 3, { stride: 2 }), middle), p4.c, count(3));
  const out5 = splitStage(list, joined(list.conv(out4, out4.c, 3, { stride: 2 }), p5), p5.c, count(3));
  detectHead(list, [out3, out4, out5], task);
}

function detectHead(list: LayerList, outs: readonly Shape[], task: Yolo8Options['task']): void {
  const narrow = outs[0]?.c ?? 0;
  const classes = task === 'pose' ? 1 : task === 'boxes' ? 15 : 80;
  const boxWidth = Math.max(16, Math.floor(narrow / 4), 64);
  const classWidth = Math.max(narrow, Math.min(classes, 100));
  for (const out of outs) {
    list.conv(list.conv(list.conv(out, boxWidth, 3), boxWidth, 3), 64, 1);
    list.conv(list.conv(list.conv(out, classWidth, 3), classWidth, 3), classes, 1);
    const extra = { detect: 0, masks: 32, pose: 51, boxes: 1 }[task ?? 'detect'];
    if (extra === 0) continue;
    const own = Math.max(Math.floor(narrow / 4), extra);
    list.conv(list.conv(list.conv(out, own, 3), own, 3), extra, 1);
  }
  if (task === 'masks') {
    const [p3] = outs as [Shape];
    list.conv(list.conv(list.up(list.conv(p3, narrow, 3), narrow, 2), narrow, 3), 32, 1);
  }
}

/** Attention over the last stage of YOLOv10 and v11: 1 x 1 layers, scores between them, a depthwise layer. */
function attentionBlock(list: LayerList, x: Shape, blocks: number): Shape {
  const half = x.c / 2;
  const heads = Math.max(1, Math.floor(half / 64));
  const begun = list.conv(x, x.c, 1);
  const piece = { ...begun, c: half };
  for (let block = 0; block < blocks; block += 1) {
    list.conv(piece, half * 2, 1);
    list.attention(piece, heads, half / heads / 2, half / heads);
    list.depthwise(piece, 3);
    list.sum(list.conv(piece, half, 1));
    list.sum(list.conv(list.conv(piece, half * 2, 1), half, 1));
  }
  return list.conv(begun, x.c, 1);
}

export interface Yolo11Options extends ScaledOptions {
  readonly lastChannels: number;
  /** Blocks of blocks everywhere (m, l, x). */
  readonly isNested: boolean;
}

export function yolo11(list: LayerList, { width, depth, side = 640, lastChannels, isNested }: Yolo11Options): void {
  const w = (channels: number): number => wide(Math.min(channels, lastChannels), width);
  const count = (blocks: number): number => deep(blocks, depth);
  const early = isNested ? 'nested' : 'narrow';
  const block = (x: Shape, n: number, blocks: number, inner: 'nested' | 'narrow', ratio = 0.5): Shape => {
    const own = n * ratio;
    const begun = list.conv(x, 2 * own, 1);
    const piece = { ...begun, c: own };
    for (let index = 0; index < blocks; index += 1) {
      if (inner === 'nested') nestedStage(list, piece, own);
      else list.sum(list.conv(list.conv(piece, own / 2, 3), own, 3));
    }
    return list.conv({ ...begun, c: (2 + blocks) * own }, n, 1);
  };
  let x = list.conv(list.conv(picture(side), w(64), 3, { stride: 2 }), w(128), 3, { stride: 2 });
  x = block(x, w(256), count(2), early, 0.25);
  x = block(list.conv(x, w(256), 3, { stride: 2 }), w(512), count(2), early, 0.25);
  const p3 = x;
  x = block(list.conv(x, w(512), 3, { stride: 2 }), w(512), count(2), 'nested');
  const p4 = x;
  x = block(list.conv(x, w(1024), 3, { stride: 2 }), w(1024), count(2), 'nested');
  const p5 = attentionBlock(list, spatialPooling(list, x), count(2));
  const middle = block(joined(resized(p5), p4), w(512), count(2), early);
  const out3 = block(joined(resized(middle), p3), w(256), count(2), early);
  const out4 = block(joined(list.conv(out3, out3.c, 3, { stride: 2 }), middle), w(512), count(2), early);
  const out5 = block(joined(list.conv(out4, out4.c, 3, { stride: 2 }), p5), w(1024), count(2), 'nested');
  lightHead(list, [out3, out4, out5]);
}

/** Classes by separable layers. */
function lightHead(list: LayerList, outs: readonly Shape[]): void {
  const narrow = outs[0]?.c ?? 0;
  const boxWidth = Math.max(16, Math.floor(narrow / 4), 64);
  const classWidth = Math.max(narrow, 80);
  for (const out of outs) {
    list.conv(list.conv(list.conv(out, boxWidth, 3), boxWidth, 3), 64, 1);
    list.conv(list.separable(list.separable(out, classWidth, 3), classWidth, 3), 80, 1);
  }
}

export interface Yolo10Options extends ScaledOptions {
  readonly lastChannels: number;
  /** Which of the blocks (backbone 2, 3, 4, neck 1 to 4) are inverted and compact. */
  readonly compact: readonly boolean[];
}

export function yolo10(list: LayerList, { width, depth, side = 640, lastChannels, compact }: Yolo10Options): void {
  const w = (channels: number): number => wide(Math.min(channels, lastChannels), width);
  const count = (blocks: number): number => deep(blocks, depth);
  const block = (x: Shape, n: number, blocks: number, index: number): Shape =>
    compact[index] === true ? compactStage(list, x, n, blocks) : splitStage(list, x, n, blocks, index < 2);
  /** 1 x 1 to the channels, then the stride depthwise. */
  const down = (x: Shape, n: number): Shape => list.depthwise(list.conv(x, n, 1), 3, { stride: 2 });
  let x = list.conv(list.conv(picture(side), w(64), 3, { stride: 2 }), w(128), 3, { stride: 2 });
  x = splitStage(list, x, w(128), count(3), true);
  const p3 = block(list.conv(x, w(256), 3, { stride: 2 }), w(256), count(6), 0);
  const p4 = block(down(p3, w(512)), w(512), count(6), 1);
  const last = block(down(p4, w(1024)), w(1024), count(3), 2);
  const p5 = attentionBlock(list, spatialPooling(list, last), 1);
  const middle = block(joined(resized(p5), p4), w(512), count(3), 3);
  const out3 = block(joined(resized(middle), p3), w(256), count(3), 4);
  const out4 = block(joined(list.conv(out3, out3.c, 3, { stride: 2 }), middle), w(512), count(3), 5);
  const out5 = block(joined(down(out4, out4.c), p5), w(1024), count(3), 6);
  lightHead(list, [out3, out4, out5]);
}

/** Compact inverted blocks: three depthwise layers around two 1 x 1. */
function compactStage(list: LayerList, x: Shape, n: number, count: number): Shape {
  const begun = list.conv(x, n, 1);
  const piece = { ...begun, c: n / 2 };
  for (let block = 0; block < count; block += 1) {
    const inner = list.depthwise(list.conv(list.depthwise(piece, 3), n, 1), 3);
    list.sum(list.depthwise(list.conv(inner, n / 2, 1), 3));
  }
  return list.conv({ ...begun, c: (2 + count) * (n / 2) }, n, 1);
}
