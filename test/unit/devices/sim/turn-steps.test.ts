import { describe, expect, it } from 'vitest';
import type { LayerCost } from '../../../../src/core/layer-cost.ts';
import type { SegmentCost } from '../../../../src/devices/sim/segment-cost.ts';
import { rooflineUs } from '../../../../src/devices/sim/segment-cost.ts';
import { createTurnSteps } from '../../../../src/devices/sim/turn-steps.ts';
import { createLanguageModel } from '../../../../src/models/language/language-model.ts';
import { layer, twoCores } from '../../../support/soc-profiles.ts';

const chip = twoCores();
const BUS = 100_000;
const us = (cost: SegmentCost): number => rooflineUs(cost, BUS);

/** A chunk computes for 10 us a token, a token of the answer reads 1 MB of weights and 100 bytes of cache for each one before it. */
const simple = {
  chunkTokens: 100,
  prefillLayers: (tokens: number): readonly LayerCost[] => [layer(tokens * 10, 1_000_000)],
  decodeLayers: (past: number): readonly LayerCost[] => [{ ...layer(1, 1_000_000), inputBytes: past * 100, stateBytes: past * 100 }],
};
const llama = createLanguageModel({
  ...{ layers: 32, hidden: 4096, heads: 32, kvHeads: 8, intermediate: 14336, vocabulary: 128256, bits: 4.5, kvBits: 16 },
});
const real = { chunkTokens: 64, prefillLayers: llama.prefillLayers, decodeLayers: (past: number) => llama.decodeLayers(1, past) };

describe('the steps of a turn', () => {
  it('are the chunks of its prompt, the last of which gives the first token, and one for each further token', () => {
    const steps = createTurnSteps(simple, chip);
    expect(steps({ promptTokens: 250, tokensMax: 50 }).count).toBe(3 + 49);
    expect(steps({ promptTokens: 1, tokensMax: 1 }).count).toBe(1);
    expect(steps(undefined).count).toBe(1);
  });

  it('cost what their tokens cost, the last chunk less when it is shorter', () => {
    const turn = createTurnSteps(simple, chip)({ promptTokens: 250, tokensMax: 50 });
    expect([0, 1, 2].map((step) => Math.round(us(turn.cost(step, 1, false))))).toEqual([1000, 1000, 500]);
    expect(us(turn.cost(0, 3, false))).toBeCloseTo(2500, 6);
  });

  it('of a burst cost as much as one by one, but for a dispatch each', () => {
    const turn = createTurnSteps(real, chip)({ promptTokens: 512, tokensMax: 200 });
    const one = Array.from({ length: 8 }, (_, step) => turn.cost(40 + step, 1, false));
    const burst = turn.cost(40, 8, false);
    expect(us(burst) / one.reduce((sum, cost) => sum + us(cost), 0)).toBeCloseTo(1, 3);
    expect(burst.bytes / one.reduce((sum, cost) => sum + cost.bytes, 0)).toBeCloseTo(1, 3);
    expect(burst.macs / one.reduce((sum, cost) => sum + cost.macs, 0)).toBeCloseTo(1, 3);
    expect(burst.weightBytes).toBe(one[0]?.weightBytes);
  });

  it('read a cache that grows with the turn, to within three thousandths of what it is', () => {
    const turn = createTurnSteps(real, chip)({ promptTokens: 128, tokensMax: 2000 });
    let before = 0;
    for (let told = 1; told < 2000; told += 37) {
      const { bytes } = turn.cost(2 + told - 1, 1, false);
      const exact = llama
        .decodeLayers(1, 128 + told - 1)
        .reduce((sum, { weightBytes, stateBytes = 0 }) => sum + weightBytes + stateBytes, 0);
      expect(bytes).toBeGreaterThanOrEqual(before);
      expect(Math.abs(bytes / exact - 1)).toBeLessThan(3e-3);
      before = bytes;
    }
  });

  it('have nothing to fetch after an interruption, since the cache lies in memory', () => {
    const turn = createTurnSteps(real, chip)({ promptTokens: 512, tokensMax: 200 });
    expect(turn.cost(30, 4, true)).toEqual(turn.cost(30, 4, false));
  });

  it('end where their parts of the time say', () => {
    const turn = createTurnSteps(simple, chip)({ promptTokens: 250, tokensMax: 50 });
    expect([...turn.ends(0, 3)].map((end) => Number(end.toFixed(3)))).toEqual([0.4, 0.8, 1]);
    const tokens = [...turn.ends(10, 4)];
    expect(tokens.map((end) => Number(end.toFixed(2)))).toEqual([0.25, 0.5, 0.75, 1]);
  });

  it('are compiled once, however many turns of the same size there are', () => {
    const steps = createTurnSteps(real, chip);
    const turn = steps({ promptTokens: 512, tokensMax: 200 });
    expect(steps({ promptTokens: 512, tokensMax: 200 })).toBe(turn);
    expect(steps({ promptTokens: 512, tokensMax: 10 }).cost(9, 1, false)).toBe(turn.cost(9, 1, false));
    expect(turn.cost(30, 4, false)).toBe(turn.cost(30, 4, false));
  });
});
