import { describe, expect, it } from 'vitest';
import { windowFit } from '../../../../src/devices/sim/address-window.ts';
import { shippedSoc } from '../../../support/shipped.ts';
import { layer, twoCores } from '../../../support/soc-profiles.ts';

const chip = twoCores({ addressWindowBytes: 1000 });
/** Reads 50 bytes of activations and puts out as many. */
const layers = [layer(1, 400), { ...layer(1, 500), inputBytes: 250, stateBytes: 200, outputBytes: 50 }];

describe('an address window', () => {
  it('has to hold weights, state and what the largest layer reads and puts out', () => {
    const fitOf = (residentBytes: number) => windowFit({ layers, residentBytes, isLanguage: false }, chip);
    expect(fitOf(900)).toEqual({ neededBytes: 1000, haveBytes: 1000, fits: true });
    expect(fitOf(901)).toEqual({ neededBytes: 1001, haveBytes: 1000, fits: false });
  });

  it("stands in nobody's way where none is known", () => {
    expect(windowFit({ layers, residentBytes: 1e15, isLanguage: false }, twoCores())).toBeUndefined();
  });

  it('is one of several for the layers of a language model, where its runtime has them', () => {
    const several = { ...chip, addressWindows: 3 };
    expect(windowFit({ layers, residentBytes: 2900, isLanguage: true }, several)).toMatchObject({ haveBytes: 3000, fits: true });
    expect(windowFit({ layers, residentBytes: 2901, isLanguage: true }, several)).toMatchObject({ fits: false });
    expect(windowFit({ layers, residentBytes: 2900, isLanguage: false }, several)).toMatchObject({ haveBytes: 1000, fits: false });
    expect(windowFit({ layers, residentBytes: 2900, isLanguage: true }, chip)).toMatchObject({ haveBytes: 1000, fits: false });
  });

  it('does not contradict what was published to run on a chip', () => {
    // rknn-llm, benchmark.md: ChatGLM3 6B, w8a8, takes 5986 MB on RK3588.
    const glm = { layers: [], residentBytes: 5_985_990_000 };
    expect(windowFit({ ...glm, isLanguage: true }, shippedSoc('rk3588'))?.fits).toBe(true);
    expect(windowFit({ ...glm, isLanguage: false }, shippedSoc('rk3588'))?.fits).toBe(false);
  });
});
