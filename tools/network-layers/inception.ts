import { joined, type LayerList, picture, type Shape } from './layer-list.ts';

/** GoogLeNet (Szegedy et al. 2014) as torchvision has it, with 3 x 3 in place of 5 x 5; as first published with 5 x 5. */
const GOOGLE = [
  [64, 96, 128, 16, 32, 32, 0],
  [128, 128, 192, 32, 96, 64, 1],
  [192, 96, 208, 16, 48, 64, 0],
  [160, 112, 224, 24, 64, 64, 0],
  [128, 128, 256, 24, 64, 64, 0],
  [112, 144, 288, 32, 64, 64, 0],
  [256, 160, 320, 32, 128, 128, 1],
  [256, 160, 320, 32, 128, 128, 0],
  [384, 192, 384, 48, 128, 128, 0],
] as const;

export function inception1(list: LayerList, large: 3 | 5): void {
  let x = list.pool(list.conv(picture(224), 64, 7, { stride: 2 }), 2);
  x = list.pool(list.conv(list.conv(x, 64, 1), 192, 3), 2);
  for (const [one, threeIn, three, fiveIn, five, pool, isLast] of GOOGLE) {
    const a = list.conv(x, one, 1);
    const b = list.conv(list.conv(x, threeIn, 1), three, 3);
    const c = list.conv(list.conv(x, fiveIn, 1), five, large);
    x = joined(a, b, c, list.conv(list.pool(x), pool, 1));
    if (isLast === 1) x = list.pool(x, 2);
  }
  list.dense(1024, 1000);
}

export function inception3(list: LayerList): void {
  const valid = { isValid: true };
  const valid2 = { isValid: true, stride: 2 };
  const shrunk = ({ h, w, c }: Shape): Shape => ({ h: Math.floor((h - 3) / 2) + 1, w: Math.floor((w - 3) / 2) + 1, c });
  let x = list.conv(list.conv(list.conv(picture(299), 32, 3, valid2), 32, 3, valid), 64, 3);
  x = shrunk(list.conv(list.conv(shrunk(x), 80, 1, valid), 192, 3, valid));
  for (const pool of [32, 64, 64]) {
    const a = list.conv(x, 64, 1);
    const b = list.conv(list.conv(x, 48, 1), 64, 5);
    const c = list.conv(list.conv(list.conv(x, 64, 1), 96, 3), 96, 3);
    x = joined(a, b, c, list.conv(list.pool(x), pool, 1));
  }
  const d = list.conv(x, 384, 3, valid2);
  x = joined(d, list.conv(list.conv(list.conv(x, 64, 1), 96, 3), 96, 3, valid2), { ...d, c: x.c });
  for (const c7 of [128, 160, 160, 192]) {
    const a = list.conv(x, 192, 1);
    const b = list.conv(list.conv(list.conv(x, c7, 1), c7, [1, 7]), 192, [7, 1]);
    let c = list.conv(list.conv(x, c7, 1), c7, [7, 1]);
    c = list.conv(list.conv(list.conv(c, c7, [1, 7]), c7, [7, 1]), 192, [1, 7]);
    x = joined(a, b, c, list.conv(list.pool(x), 192, 1));
  }
  const e = list.conv(list.conv(x, 192, 1), 320, 3, valid2);
  const f = list.conv(list.conv(list.conv(list.conv(x, 192, 1), 192, [1, 7]), 192, [7, 1]), 192, 3, valid2);
  x = joined(e, f, { ...e, c: x.c });
  for (let block = 0; block < 2; block += 1) {
    const a = list.conv(x, 320, 1);
    const b = list.conv(x, 384, 1);
    const c = list.conv(list.conv(x, 448, 1), 384, 3);
    const parts = [b, c].flatMap((part) => [list.conv(part, 384, [1, 3]), list.conv(part, 384, [3, 1])]);
    x = joined(a, ...parts, list.conv(list.pool(x), 192, 1));
  }
  list.dense(x.c, 1000);
}

/** SqueezeNet 1.1 (Iandola et al. 2016). */
export function squeezeNet(list: LayerList): void {
  const shrunk = (shape: Shape): Shape => {
    const [h, w] = [shape.h, shape.w].map((side) => Math.ceil((side - 3) / 2) + 1) as [number, number];
    return list.pool({ h, w, c: shape.c });
  };
  let x = shrunk(list.conv(picture(224), 64, 3, { stride: 2, isValid: true }));
  for (const [squeezed, wide, isLast] of [
    [16, 64, 0],
    [16, 64, 1],
    [32, 128, 0],
    [32, 128, 1],
    [48, 192, 0],
    [48, 192, 0],
    [64, 256, 0],
    [64, 256, 0],
  ] as const) {
    const inner = list.conv(x, squeezed, 1);
    x = joined(list.conv(inner, wide, 1), list.conv(inner, wide, 3));
    if (isLast === 1) x = shrunk(x);
  }
  list.conv(x, 1000, 1);
}

export function vgg16(list: LayerList): void {
  let x: Shape = picture(224);
  for (const [n, count] of [
    [64, 2],
    [128, 2],
    [256, 3],
    [512, 3],
    [512, 3],
  ] as const) {
    for (let layer = 0; layer < count; layer += 1) x = list.conv(x, n, 3);
    x = list.pool(x, 2);
  }
  list.dense(list.dense(list.dense(x.h * x.w * x.c, 4096).c, 4096).c, 1000);
}

export function dense121(list: LayerList): void {
  let x = list.pool(list.conv(picture(224), 64, 7, { stride: 2 }), 2);
  [6, 12, 24, 16].forEach((count, stage) => {
    for (let layer = 0; layer < count; layer += 1) x = joined(x, list.conv(list.conv(x, 128, 1), 32, 3));
    if (stage < 3) x = list.pool(list.conv(x, x.c / 2, 1), 2);
  });
  list.dense(x.c, 1000);
}
