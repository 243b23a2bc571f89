import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../src/core/layer-cost.ts';
import { compileSegment, rooflineUs } from '../../../src/devices/sim/segment-cost.ts';
import { compileSplit } from '../../../src/devices/sim/split-cost.ts';
import { twoCores } from '../../support/soc-profiles.ts';

const size = fc.integer({ min: 1, max: 400 });
const layer: fc.Arbitrary<LayerCost> = fc
  .record({ m: size, n: size, k: size, groups: fc.constantFrom(1, 1, 2, 7, 64), isElement: fc.boolean(), isProduct: fc.boolean() })
  .map(({ m, n, k, groups, isElement, isProduct }) => ({
    ...{ name: 'any', operator: 'Any', type: 'int8' as const, elementOps: m * n },
    ...(isElement ? { macs: 0, m: 0, n: 0, k: 0, groups: 1, weightBytes: 0 } : { macs: m * n * k * groups, m, n, k, groups }),
    ...(isElement || isProduct ? { weightBytes: 0 } : { weightBytes: n * k * groups }),
    ...{ inputBytes: m * k + (isProduct ? n * k * groups : 0), outputBytes: m * n * groups },
  }));
const layers = fc.array(layer, { minLength: 1, maxLength: 8, size: 'max' });
const split = fc.record({ ways: fc.integer({ min: 2, max: 8 }), clusters: fc.constant(1) });

const chip = twoCores({
  coresPerCluster: 4,
  core: { ...twoCores().core, array: { m: 16, n: 16, k: 16, groups: 16 }, dispatchUs: 3 },
  localMemoryBytes: 4 * 50_000,
});
const busUs = (cost: Parameters<typeof rooflineUs>[0]): number => rooflineUs(cost, chip.dram.bytesPerSecond / 1e6);

describe('a split segment', () => {
  it('does the same work as one core would, in an n-th of the time at best', () => {
    fc.assert(
      fc.property(layers, split, (list, how) => {
        const [alone, shared] = [compileSegment(list, chip), compileSplit(list, chip, how)];
        expect(shared.macs).toBe(alone.macs);
        expect(shared.energyMacs).toBe(alone.energyMacs);
        expect(shared.weightBytes).toBe(alone.weightBytes);
        const { dispatchUs } = chip.core;
        expect(shared.computeUs).toBeGreaterThanOrEqual(dispatchUs + ((alone.computeUs - dispatchUs) / how.ways) * (1 - 1e-9));
        expect(shared.utilisationRatio).toBeLessThanOrEqual(1 + 1e-9);
      }),
    );
  });

  it('reads every weight once and, in one cluster, moves no more than one core would', () => {
    fc.assert(
      fc.property(layers, split, (list, how) => {
        const [alone, shared] = [compileSegment(list, chip), compileSplit(list, chip, how)];
        expect(shared.bytes).toBeGreaterThanOrEqual(shared.weightBytes);
        expect(shared.bytes).toBeLessThanOrEqual(alone.bytes);
      }),
    );
  });

  it('is never sooner in two clusters than in one', () => {
    fc.assert(
      fc.property(layers, split, (list, how) => {
        const [near, far] = [compileSplit(list, chip, how), compileSplit(list, chip, { ...how, clusters: 2 })];
        expect(busUs(far)).toBeGreaterThanOrEqual(busUs(near) * (1 - 1e-9));
      }),
    );
  });

  it('gains by every layer that is left out, and never more than that layer and a border more would take', () => {
    fc.assert(
      fc.property(layers, split, (list, how) => {
        fc.pre(list.length > 1);
        const [all, fewer] = [compileSplit(list, chip, how), compileSplit(list.slice(0, -1), chip, how)];
        const last = compileSplit(list.slice(-1), chip, how);
        expect(all.computeUs).toBeGreaterThan(0);
        // Apart, both fetch and write what now stays in local memory or is fetched from the others.
        const input = list.at(-1)?.inputBytes ?? 0;
        const borderUs = 1 + input / (chip.core.array.m * chip.core.array.k * (1e6 / 4096));
        expect(busUs(all)).toBeLessThanOrEqual(busUs(fewer) + busUs(last) + borderUs + 1e-6);
      }),
    );
  });
});
