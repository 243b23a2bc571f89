import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import { completeSize, pyramidLayers } from '../../../../src/models/network/described-network.ts';

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

  it('puts out as many results in as many layers as it is told, depthwise ones among them', () => {
    const size = {
      macs: 0.3e9,
      parameters: 3.5e6,
      height: 224,
      width: 224,
      channels: 3,
      results: 6.7e6,
      depthwiseResults: 2.3e6,
      layers: 53,
    };
    const layers = pyramidLayers({ ...size, style: 'depthwise' }, 'int8');
    const resultsOf = (some: typeof layers): number => sum(some.map(({ m, n, groups }) => m * n * groups));
    const depthwise = layers.filter(({ n, groups }) => n === 1 && groups > 1);
    expect(resultsOf(depthwise) / 2.3e6).toBeCloseTo(1, 6);
    expect(resultsOf(layers.filter((one) => !depthwise.includes(one) && one.name !== 'dense')) / 4.4e6).toBeCloseTo(1, 2);
    expect(Math.abs(layers.length - 53)).toBeLessThan(6);
    expect(sum(layers.map((layer) => layer.macs)) / size.macs).toBeCloseTo(1, 9);
    expect(depthwise.every(({ isMean, k }) => isMean === undefined && k === 9)).toBe(true);
  });

  it.each([
    ['ResNet-50', { macs: 4.1e9, height: 224, width: 224 }, 11.1e6, 54],
    ['YOLOv8s', { macs: 14.3e9, height: 640, width: 640 }, 27.4e6, 63],
    ['VGG-16', { macs: 15.5e9, height: 224, width: 224 }, 13.6e6, 16],
    ['MobileNet v2', { macs: 0.3e9, height: 224, width: 224, style: 'depthwise' as const }, 6.7e6, 53],
  ])('estimates of %s what it is not told, results within twice and layers within four times', (_, size, results, layers) => {
    const whole = completeSize({ parameters: 1e6, channels: 3, ...size });
    expect(Math.abs(Math.log(whole.results / results))).toBeLessThan(Math.log(2));
    expect(Math.abs(Math.log(whole.layers / layers))).toBeLessThan(Math.log(4));
  });

  it('has a product of results where there is attention, and curves where it is told', () => {
    const size = { macs: 1e9, parameters: 5e6, height: 224, width: 224, channels: 3 };
    const isProduct = ({ macs, weightBytes }: LayerCost): boolean => macs > 0 && weightBytes === 0;
    expect(pyramidLayers(size, 'int8').some(isProduct)).toBe(false);
    const attention = pyramidLayers({ ...size, style: 'attention', hasCurves: true }, 'int8');
    expect(attention.some(isProduct)).toBe(true);
    expect(sum(attention.map((layer) => layer.macs)) / 1e9).toBeCloseTo(1, 9);
    const [first] = attention;
    expect((first?.elementOps ?? 0) / (first?.curves ?? 1)).toBeCloseTo(5, 9);
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
