import { joined, type LayerList, picture, resized, type Shape } from './layer-list.ts';
import { inverted } from './mobile.ts';

/** Rows of 3 x 3 at full size: DnCNN (Zhang et al. 2017). */
export function denoiser(list: LayerList, input: Shape, layers: number): void {
  let x = input;
  for (let layer = 0; layer < layers - 1; layer += 1) x = list.conv(x, 64, 3);
  list.conv(x, input.c, 3);
}

/** Zero-DCE (Guo et al. 2020). */
export function lightCurves(list: LayerList, input: Shape): void {
  const first = list.conv(input, 32, 3);
  const second = list.conv(first, 32, 3);
  const third = list.conv(second, 32, 3);
  const fourth = list.conv(third, 32, 3);
  const fifth = list.conv(joined(third, fourth), 32, 3);
  const sixth = list.conv(joined(second, fifth), 32, 3);
  const curves = list.conv(joined(first, sixth), 24, 3);
  // Eight times x + r (x x - x), one after the other at full size.
  for (let turn = 0; turn < 24; turn += 1) list.sum({ ...curves, c: 3 });
}

/** ESPCN (Shi et al. 2016). */
export function subPixel(list: LayerList, input: Shape, times: number): void {
  list.conv(list.conv(list.conv(input, 64, 5), 32, 3), times * times, 3);
}

/** Real-ESRGAN x2 (Wang et al. 2021): 23 blocks of three dense blocks behind a pixel unshuffle. */
export function superResolution(list: LayerList, side: number): void {
  const half = side / 2;
  let x = list.conv({ h: half, w: half, c: 12 }, 64, 3);
  for (let block = 0; block < 69; block += 1) {
    let dense = x;
    for (let layer = 0; layer < 4; layer += 1) dense = joined(dense, list.conv(dense, 32, 3));
    x = list.sum(list.conv(dense, 64, 3));
  }
  x = list.conv(x, 64, 3);
  for (let turn = 0; turn < 2; turn += 1) x = list.conv(resized(x), 64, 3);
  list.conv(list.conv(x, 64, 3), 3, 3);
}

/** R3D-18 (Tran et al. 2018): frames lie beside each other, windows reach over three of them. */
export function video18(list: LayerList, side = 112, frames = 16): void {
  const at = (size: number, count: number, c: number): Shape => ({ h: size * count, w: size, c });
  list.layers.push({ m: (side / 2) ** 2 * frames, n: 64, k: 3 * 3 * 49, groups: 1, reads: side * side * frames * 3 });
  let [size, count, channels] = [side / 2, frames, 64];
  [64, 128, 256, 512].forEach((n, stage) => {
    for (let block = 0; block < 2; block += 1) {
      const isFirst = stage > 0 && block === 0;
      const reads = at(size, count, channels);
      if (isFirst) [size, count] = [size / 2, count / 2];
      if (isFirst) list.layers.push({ m: size * size * count, n, k: channels, groups: 1, reads: reads.h * reads.w * channels });
      list.layers.push({ m: size * size * count, n, k: channels * 27, groups: 1, reads: reads.h * reads.w * channels });
      list.layers.push({ m: size * size * count, n, k: n * 27, groups: 1, reads: size * size * count * n });
      channels = n;
    }
  });
  list.dense(512, 400);
}

/** MobileFaceNet (Chen et al. 2018), twice as wide, as InsightFace has it. */
export function mobileFace(list: LayerList): void {
  let x = list.depthwise(list.conv(picture(112), 128, 3, { stride: 2 }), 3);
  for (const [hidden, out, count] of [
    [128, 128, 4],
    [256, 256, 6],
    [512, 256, 2],
  ] as const) {
    x = inverted(list, x, { hidden, kernel: 3, out, stride: 2 }, true);
    for (let block = 0; block < count; block += 1) x = inverted(list, x, { hidden: out, kernel: 3, out, stride: 1 }, true);
  }
  const wide = list.conv(x, 512, 1);
  list.layers.push({ m: 1, n: 1, k: wide.h * wide.w, groups: 512, reads: wide.h * wide.w * 512 });
  list.dense(512, 512);
}

/** OSNet x1.0 (Zhou et al. 2019): four streams of one to four light layers, and a gate. */
export function omniScale(list: LayerList): void {
  const light = (x: Shape, n: number): Shape => list.depthwise(list.conv(x, n, 1), 3);
  let x = list.pool(list.conv({ h: 256, w: 128, c: 3 }, 64, 7, { stride: 2 }), 2);
  for (const [n, isLast] of [
    [256, 0],
    [384, 0],
    [512, 1],
  ] as const) {
    for (let block = 0; block < 2; block += 1) {
      const inner = n / 4;
      const begun = list.conv(x, inner, 1);
      for (let stream = 1; stream <= 4; stream += 1) {
        let y = begun;
        for (let layer = 0; layer < stream; layer += 1) y = light(y, inner);
        list.sum(list.sum(list.squeeze(y, Math.max(1, inner / 16))));
      }
      if (x.c !== n) list.conv(x, n, 1);
      x = list.sum(list.conv(begun, n, 1));
    }
    if (isLast === 0) x = list.pool(list.conv(x, n, 1), 2);
  }
  list.conv(x, 512, 1);
  list.dense(512, 512);
}
