import { describe, expect, it } from 'vitest';
import { chipAsOf, clusterOf, coreCountOf, coreKindsOf, firstKindCountOf } from '../../../src/core/soc-profile.ts';
import { shippedSoc } from '../../support/shipped.ts';
import { twoCores } from '../../support/soc-profiles.ts';

describe('a chip with cores of several kinds', () => {
  const mixed = shippedSoc('example-mixed');

  it('numbers them kind after kind, clusters too', () => {
    expect(coreKindsOf(mixed).map(({ kind }) => kind)).toEqual(['npu', 'dsp', 'gpu']);
    expect([coreCountOf(mixed), firstKindCountOf(mixed)]).toEqual([7, 4]);
    expect(Array.from({ length: 7 }, (_, core) => chipAsOf(mixed, core).kind)).toEqual(['npu', 'npu', 'npu', 'npu', 'dsp', 'dsp', 'gpu']);
    expect(Array.from({ length: 8 }, (_, core) => clusterOf(mixed, core))).toEqual([0, 0, 0, 0, 1, 2, 3, 4]);
  });

  it('is told as any of its cores sees it: other cores, the same bus and memory', () => {
    expect(chipAsOf(mixed, 3)).toBe(mixed);
    const dsp = chipAsOf(mixed, 5);
    expect(dsp.core.opsPerSecond).toEqual({ int8: 0.5e12, int16: 0.25e12 });
    expect([dsp.localMemoryBytes, dsp.doWeightsStay]).toEqual([2 ** 20, true]);
    expect([dsp.dram, dsp.id]).toEqual([mixed.dram, mixed.id]);
  });

  it('may as well have one kind', () => {
    const plain = twoCores();
    expect([coreCountOf(plain), firstKindCountOf(plain), coreKindsOf(plain).length]).toEqual([2, 2, 1]);
    expect([chipAsOf(plain, 1), clusterOf(plain, 1)]).toEqual([plain, 0]);
  });
});
