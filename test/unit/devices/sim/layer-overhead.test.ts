import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import type { SocCore, SocProfile } from '../../../../src/core/soc-profile.ts';
import { columnCost } from '../../../../src/devices/sim/column-cost.ts';
import { compileSegment, rooflineUs, type SegmentCost } from '../../../../src/devices/sim/segment-cost.ts';
import { compileSplit } from '../../../../src/devices/sim/split-cost.ts';
import { createLanguageModel } from '../../../../src/models/language/language-model.ts';
import { layer, twoCores } from '../../../support/soc-profiles.ts';

const chip = (core: Partial<SocCore>, more: Partial<SocProfile> = {}): SocProfile =>
  twoCores({ core: { ...twoCores().core, ...core }, ...more });
const usOf = (layers: readonly LayerCost[], profile: SocProfile): number => compileSegment(layers, profile).computeUs;
/** Layers of 1000 us that move nothing. */
const row = (count: number): LayerCost[] => Array.from({ length: count }, () => layer(1000, 0));

describe('the beginning of a layer', () => {
  it('is paid by each layer that multiplies, and by each that nobody knows', () => {
    const profile = chip({ dispatchUs: 7, layerUs: 10 });
    expect(usOf(row(3), profile)).toBe(3 * 1010 + 7);
    const activation = { ...layer(0, 0), elementOps: 1 };
    expect(usOf([...row(1), activation], profile)).toBeCloseTo(1010 + 7 + 1e-6, 9);
    expect(usOf([{ ...activation, isUnknown: true }], profile)).toBeCloseTo(17 + 1e-6, 9);
  });

  it('is not paid by models that stay, which were set up before', () => {
    const profile = chip({ layerUs: 10 }, { doWeightsStay: true, localMemoryBytes: 2000 });
    const small = row(3).map((one) => ({ ...one, weightBytes: 100 }));
    expect(usOf(small, profile)).toBe(3000);
    expect(
      usOf(
        small.map((one) => ({ ...one, weightBytes: 1000 })),
        profile,
      ),
    ).toBe(3030);
  });

  it('is paid by models of too many layers, and by those that multiply what they made, however small', () => {
    const profile = chip({ layerUs: 10 }, { doWeightsStay: true, localMemoryBytes: 2000, stayLayersMax: 3 });
    const small = (count: number) => row(count).map((one) => ({ ...one, weightBytes: 10 }));
    expect([usOf(small(3), profile), usOf(small(4), profile)]).toEqual([3000, 4040]);
    const [first, ...rest] = small(3);
    expect(usOf([{ ...(first as LayerCost), weightBytes: 0 }, ...rest], profile)).toBe(3030);
  });

  it('takes the barrier of all cores with it, when they share the layer', () => {
    const profile = chip({ layerUs: 10, splitUs: 5, array: { m: 1, n: 1, k: 1, groups: 1 } });
    const wide = row(2).map((one) => ({ ...one, m: 1e6, n: 1000 }));
    expect(columnCost(wide, profile).computeUs).toBeCloseTo(2 * (500 + 15), 9);
    expect(columnCost(wide, chip({ layerUs: 10, splitUs: 5 }, { coresPerCluster: 1 })).computeUs).toBeCloseTo(2 * 1010, 9);
  });
});

describe('the dispatch of a segment', () => {
  it('is another one in floating point where the chip tells of one', () => {
    const floats = row(1).map((one) => ({ ...one, type: 'fp32' as const }));
    const without = chip({ dispatchUs: 7 });
    const told = chip({ dispatchUs: 7, floatDispatchUs: 70 });
    expect(usOf(floats, told) - usOf(floats, without)).toBeCloseTo(63, 9);
    expect(usOf(row(1), told)).toBe(usOf(row(1), without));
  });
});

describe('a prompt of a language model', () => {
  const core = { dispatchUs: 7, layerUs: 10, splitUs: 5 };
  const [plain, told] = [chip(core), chip({ ...core, promptRatio: 0.25 })];
  /** The whole bus, in bytes per microsecond. */
  const BUS = 100_000;
  const small = { hidden: 64, layers: 2, heads: 4, kvHeads: 2, headSize: 16, intermediate: 128, vocabulary: 500 };
  const model = createLanguageModel({ ...small, feedForward: 'gated', tiedEmbedding: true, bits: 8, kvBits: 16 });
  const ways: readonly (readonly [string, (layers: readonly LayerCost[], profile: SocProfile) => SegmentCost])[] = [
    ['one core', compileSegment],
    ['the columns of all cores', columnCost],
    ['cores that share each layer', (layers, profile) => compileSplit(layers, profile, { ways: 2, clusters: 1 })],
  ];

  it.each(ways)('takes 1/promptRatio times as long on %s, whatever it waits for, with the same bytes and energy', (_, compile) => {
    const waiting = { ...layer(0, 1e8), operator: 'prefill' };
    const computing = row(2).map((one) => ({ ...one, operator: 'prefill' }));
    for (const prompt of [model.prefillLayers(100, 30), [waiting, ...computing], [waiting], computing]) {
      const [before, after] = [compile(prompt, plain), compile(prompt, told)];
      expect(rooflineUs(after, BUS) / rooflineUs(before, BUS)).toBeCloseTo(4, 9);
      expect([after.bytes, after.macs, after.energyMacs]).toEqual([before.bytes, before.macs, before.energyMacs]);
      expect(after.utilisationRatio).toBeCloseTo(before.utilisationRatio / 4, 12);
    }
  });

  it.each(ways)('says nothing about tokens and networks on %s', (_, compile) => {
    for (const layers of [model.decodeLayers(1, 100), row(3), [layer(0, 1e8)]])
      expect(compile(layers, told)).toEqual(compile(layers, plain));
  });

  it('waits for a shared bus only where even its slow pace is too fast for what is left', () => {
    const prompt = compileSegment([{ ...layer(0, 1e8), operator: 'prefill' }], chip({ promptRatio: 0.25 }));
    expect([1, 0.5, 0.25, 0.125].map((share) => rooflineUs(prompt, BUS * share))).toEqual([4000, 4000, 4000, 8000]);
  });
});

describe('layers that lie beside each other', () => {
  const more = { doWeightsStay: true, localMemoryBytes: 2000 };
  const beside = (layerShareRatio: number, stayLayersMax = 100) => chip({ layerShareRatio }, { ...more, stayLayersMax });
  const weighing = (us: readonly number[]) => us.map((one) => layer(one, 10));

  it('wait for the widest of them, which has only its share of the core', () => {
    expect(usOf(weighing([100, 300, 100, 100]), beside(0.25))).toBeCloseTo(300 / 0.25, 9);
    expect(usOf(weighing([100, 100, 100, 100, 100]), beside(0.25))).toBeCloseTo(500, 9);
    expect(usOf(weighing([100, 300, 100, 100]), beside(1))).toBeCloseTo(600, 9);
  });

  it('wait in each context for the widest of those in it, where all together do not fit', () => {
    // Two contexts of 400: in the first one layer of 400, in the second four of 100.
    expect(usOf(weighing([400, 100, 100, 100, 100]), beside(0.25, 4))).toBeCloseTo(400 / 0.25 + 400, 9);
  });

  it('are a matter of chips on which models stay alone', () => {
    expect(usOf(weighing([100, 300]), chip({ layerShareRatio: 0.25 }))).toBeCloseTo(400, 9);
  });
});

describe('a layer of a core', () => {
  const conv: LayerCost = { ...layer(0, 0), macs: 17 * 17 * 17, m: 17, n: 17, k: 17, groups: 1 };
  const array = { m: 16, n: 16, k: 16, groups: 16 };

  it('of which only means are known is not judged by how it fills the array', () => {
    const profile = chip({ array });
    expect(usOf([{ ...conv, isMean: true }], profile)).toBeCloseTo(17 ** 3 / 1e6, 12);
    expect(usOf([conv], profile)).toBeCloseTo(32 ** 3 / 1e6, 12);
  });

  it('with groups lays as many side by side as the array takes', () => {
    const depthwise: LayerCost = { ...conv, m: 1600, n: 1, k: 16, groups: 32, macs: 1600 * 16 * 32 };
    const at = (groups: number): number => usOf([depthwise], chip({ array: { ...array, groups } }));
    expect(at(1) / at(16)).toBeCloseTo(16, 9);
    expect(at(4) / at(16)).toBeCloseTo(4, 9);
    expect(at(64)).toBe(at(16));
  });

  it('takes less over a curve where a table gives it', () => {
    const curved: LayerCost = { ...layer(0, 0), elementOps: 5e6, curves: 1e6 };
    const at = (curveOps: number): number => usOf([curved], chip({ curveOps }));
    expect([at(4), at(1), at(0)].map((us) => Number(us.toFixed(9)))).toEqual([5, 2, 1]);
  });
});
