import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import { compileSplit } from '../../../../src/devices/sim/split-cost.ts';
import { twoCores } from '../../../support/soc-profiles.ts';

/** Four cores in a cluster: 1e6 multiply-accumulates a microsecond in an array of 10 x 10 x 10, so 1000 cycles and 100 000 bytes of operands; the bus never matters. */
const chip = twoCores({
  coresPerCluster: 4,
  core: { ...twoCores().core, array: { m: 10, n: 10, k: 10, groups: 10 } },
  localMemoryBytes: 1e9,
  dram: { bytesPerSecond: 1e18, efficiencyRatio: 1, memoryBytes: 16e9 },
});
const BARRIER_US = 1;
const LOCAL_BYTES_PER_US = 100_000;

/** A product of [m, k] x [k, n], `groups` times, whose input is read once. */
function product(m: number, n: number, k: number, more: Partial<LayerCost> = {}): LayerCost {
  const groups = more.groups ?? 1;
  return {
    ...{ name: 'product', operator: 'MatMul', type: 'int8', elementOps: 0, macs: m * n * k * groups, m, n, k, groups },
    ...{ weightBytes: n * k * groups, inputBytes: m * k * groups, outputBytes: m * n * groups },
    ...more,
  };
}

const usOf = (layers: readonly LayerCost[], ways: number, clusters = 1): number => compileSplit(layers, chip, { ways, clusters }).computeUs;

describe('a split segment', () => {
  it('takes an n-th where its sizes divide, by rows where there are many', () => {
    expect(usOf([product(4000, 10, 1000)], 4)).toBe(10);
  });

  it('is divided by columns where there is one row', () => {
    // 400 boxes of columns by 100 of terms: 40 000 cycles of a nanosecond.
    expect(usOf([product(1, 4000, 1000)], 4)).toBe(10);
  });

  it('wastes what its sizes leave over', () => {
    // 30 rows on four cores: 8 each, one box of 10, as on three cores; 10 columns on four cores: 3 each, one box again.
    expect(usOf([product(30, 10, 10_000)], 4)).toBe(usOf([product(30, 10, 10_000)], 3));
    expect(usOf([product(10, 10, 10_000)], 4)).toBe(1);
  });

  it('waits at a border for what the others have computed, all of it where the next layer is divided by columns', () => {
    const layers = [product(1, 4000, 1000), product(1, 1000, 4000)];
    expect(usOf(layers, 4)).toBeCloseTo(10 + 10 + BARRIER_US + (4000 * 3) / 4 / LOCAL_BYTES_PER_US, 9);
  });

  it('fetches the rows at the seams where both layers are divided by rows', () => {
    // A 3 x 3 convolution over 100 x 100 pixels reads each byte nine times: the seams are two rows of the hundred.
    const convolution = product(10_000, 10, 90, { inputBytes: 100_000, weightBytes: 900 });
    expect(usOf([product(10_000, 10, 10), convolution], 4)).toBeCloseTo(0.25 + 2.25 + BARRIER_US + 2000 / LOCAL_BYTES_PER_US, 9);
  });

  it('fetches nothing where groups follow groups, or a layer without multiplications follows anything', () => {
    const depthwise = product(100, 1, 10, { groups: 400, inputBytes: 40_000, weightBytes: 4000 });
    const activation: LayerCost = { ...product(0, 0, 0), macs: 0, elementOps: 4e6, m: 0, n: 0, k: 0, weightBytes: 0 };
    const alone = usOf([depthwise], 4);
    expect(usOf([depthwise, depthwise], 4)).toBeCloseTo(2 * alone, 9);
    // The vector unit makes a million element operations a microsecond.
    expect(usOf([depthwise, activation], 4)).toBeCloseTo(alone + 1, 9);
    expect(usOf([activation], 4)).toBe(1);
  });

  it('reads its weights once, whoever needs them', () => {
    const cost = compileSplit([product(4000, 10, 1000)], chip, { ways: 4, clusters: 1 });
    // With the first input and the last output.
    expect(cost.bytes).toBe(10_000 + 4_000_000 + 40_000);
  });

  it('writes what crosses a border between clusters to DRAM, and reads it there', () => {
    const layers = [product(1, 4000, 1000), product(1, 1000, 4000)];
    const [near, far] = [1, 2].map((clusters) => compileSplit(layers, chip, { ways: 4, clusters }).bytes);
    expect((far ?? 0) - (near ?? 0)).toBe(2 * 4000);
  });

  it('keeps its activations where the local memory of all its cores has room for them', () => {
    // An input and an output of 100 000 bytes in between; a core has room for 150 000, half of which is for activations.
    const small = { ...chip, localMemoryBytes: 4 * 150_000 };
    const layers = [product(10_000, 10, 10), product(10_000, 10, 10), product(10_000, 10, 10)];
    const bytes = (ways: number): number => compileSplit(layers, small, { ways, clusters: 1 }).bytes;
    const [outer, weights] = [200_000, 300];
    expect(bytes(4)).toBe(outer + weights);
    expect(bytes(2)).toBe(outer + weights + 50_000);
  });
});
