import { describe, expect, it } from 'vitest';
import { pyramidLayers } from '../../../../src/models/network/pyramid.ts';

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('a network of which only the size is known', () => {
  it.each([
    ['YOLOv8m', 39.465e9, 25.9e6, 640, 640],
    ['ResNet-50', 3.49e9, 25.53e6, 224, 224],
    ['MobileNet v2', 0.31e9, 3.49e6, 224, 224],
    ['FCN8 on 1024 x 1920', 71.41e9, 11.2e6, 1024, 1920],
    ['VGG-16, most of whose weights are dense', 15.5e9, 138.4e6, 224, 224],
  ])('%s has the multiply-accumulates and weights that were published', (_, macs, parameters, height, width) => {
    const layers = pyramidLayers({ macs, parameters, height, width, channels: 3 }, 'int8');
    expect(sum(layers.map((layer) => layer.macs)) / macs).toBeCloseTo(1, 9);
    expect(sum(layers.map((layer) => layer.weightBytes)) / parameters).toBeCloseTo(1, 3);
    for (const { m, n, k, groups, macs: own } of layers) expect((m * n * k * groups) / own).toBeCloseTo(1, 9);
    expect(layers[0]?.inputBytes).toBe(height * width * 3);
  });

  it('halves its bytes with each halving of the type', () => {
    const size = { macs: 4e9, parameters: 3e6, height: 640, width: 640, channels: 3 };
    const [int8, fp16, int4] = (['int8', 'fp16', 'int4'] as const).map((type) =>
      sum(pyramidLayers(size, type).map((layer) => layer.weightBytes)),
    );
    expect(fp16).toBe(2 * (int8 ?? 0));
    expect(int4).toBe((int8 ?? 0) / 2);
  });

  it('is finite for sizes that no network has', () => {
    for (const [macs, parameters, side] of [
      [1, 1e12, 1],
      [1e15, 1, 65_536],
      [1e3, 1e3, 1],
    ] as const) {
      const layers = pyramidLayers({ macs, parameters, height: side, width: side, channels: 1 }, 'int8');
      expect(
        layers.every((layer) => Object.values(layer).every((value) => typeof value !== 'number' || (Number.isFinite(value) && value >= 0))),
      ).toBe(true);
    }
  });
});
