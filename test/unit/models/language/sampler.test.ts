import { describe, expect, it } from 'vitest';
import { allowedFromBits } from '../../../../src/models/language/allowed-tokens.ts';
import { createSampler } from '../../../../src/models/language/sampler.ts';
import { readSamplingOptions } from '../../../../src/models/language/sampling-options.ts';

const logits = (...values: number[]) => Float32Array.from(values);
const samplerOf = (options: Record<string, unknown>, size: number) => createSampler(readSamplingOptions(options), size);
const bitsOf = (size: number, ...ids: number[]) => {
  const bits = new Uint32Array(Math.ceil(size / 32));
  for (const id of ids) bits[id >>> 5] = (bits[id >>> 5] ?? 0) | (1 << (id & 31));
  return bits;
};
const only = (size: number, ...ids: number[]) => allowedFromBits(bitsOf(size, ...ids));

/** How often each token is chosen in `runs` draws. */
function frequencies(options: Record<string, unknown>, values: Float32Array, runs = 4000): number[] {
  const sampler = samplerOf(options, values.length);
  const counts = new Array<number>(values.length).fill(0);
  for (let run = 0; run < runs; run += 1) {
    const choice = sampler.choose(values);
    if (choice.kind === 'token') counts[choice.id] = (counts[choice.id] ?? 0) + 1 / runs;
  }
  return counts;
}

describe('a sampler', () => {
  it('takes the likeliest at temperature 0, of equal ones the lowest id', () => {
    expect(samplerOf({ temperature: 0 }, 4).choose(logits(1, 3, 3, 2))).toEqual({ kind: 'token', id: 1 });
  });

  it('draws by the probabilities that temperature makes of the logits', () => {
    const [a = 0, b = 0, c = 0] = frequencies({ temperature: 2 }, logits(Math.log(16), Math.log(4), 0));
    expect(a).toBeCloseTo(4 / 7, 1);
    expect(b).toBeCloseTo(2 / 7, 1);
    expect(c).toBeCloseTo(1 / 7, 1);
  });

  it('keeps the k best of equal tokens by their ids', () => {
    expect(frequencies({ topK: 2 }, logits(0, 0, 0, 0)).map((share) => share > 0)).toEqual([true, true, false, false]);
  });

  it('keeps the fewest tokens that reach top-p', () => {
    const values = logits(Math.log(0.1), Math.log(0.5), Math.log(0.3), Math.log(0.1));
    expect(frequencies({ topP: 0.75 }, values).map((share) => share > 0)).toEqual([false, true, true, false]);
    expect(frequencies({ topP: 0.85 }, values).map((share) => share > 0)).toEqual([true, true, true, false]);
    expect(frequencies({ topP: 1e-9 }, values)).toEqual([0, expect.closeTo(1), 0, 0]);
  });

  it('measures top-p in what top-k left', () => {
    const values = logits(Math.log(0.4), Math.log(0.3), Math.log(0.3));
    // Of two the first has 4/7 > 0.5, of three 0.4 < 0.5.
    expect(frequencies({ topK: 2, topP: 0.5 }, values).map((share) => share > 0)).toEqual([true, false, false]);
  });

  it('drops what is less probable than min-p times the likeliest, after temperature', () => {
    const values = logits(Math.log(8), Math.log(4), 0);
    expect(frequencies({ minP: 0.3 }, values).map((share) => share > 0)).toEqual([true, true, false]);
    expect(frequencies({ minP: 0.3, temperature: 2 }, values).map((share) => share > 0)).toEqual([true, true, true]);
  });

  it('repeats itself with the same seed and not with another', () => {
    const values = Float32Array.from({ length: 50 }, (_, id) => Math.sin(id));
    const run = (seed: number) => {
      const sampler = samplerOf({ seed }, 50);
      return Array.from({ length: 20 }, () => sampler.choose(values));
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  it('makes tokens that were there less likely, whatever the sign of their logit', () => {
    const sampler = samplerOf({ temperature: 0, repetitionPenalty: 2 }, 3);
    const values = logits(4, 3, -1);
    sampler.note(0, false);
    expect(sampler.choose(values)).toMatchObject({ id: 1 });
    sampler.note(1, true);
    expect(sampler.choose(values)).toMatchObject({ id: 0 });
    expect(samplerOf({ temperature: 0, repetitionPenalty: 2 }, 2).choose(logits(-2, -1))).toMatchObject({ id: 1 });
    expect([...values]).toEqual([4, 3, -1]);
  });

  it('counts frequency and presence in the answer alone', () => {
    const sampler = samplerOf({ temperature: 0, frequencyPenalty: 1, presencePenalty: 0.5 }, 2);
    sampler.note(0, false);
    expect(sampler.choose(logits(2, 1))).toMatchObject({ id: 0 });
    sampler.note(0, true);
    expect(sampler.choose(logits(2, 1))).toMatchObject({ id: 1 });
  });

  it('chooses among allowed tokens alone, listed or not', () => {
    const values = logits(5, 4, 3, 2);
    for (const options of [{ temperature: 0 }, { topK: 1 }, { repetitionPenalty: 1.5, temperature: 0 }])
      expect(samplerOf(options, 4).choose(values, only(4, 2, 3))).toMatchObject({ id: 2 });
    const allowed = allowedFromBits(bitsOf(4, 2, 3), 1);
    expect(allowed.ids).toBeUndefined();
    expect(samplerOf({ temperature: 0 }, 4).choose(values, allowed)).toMatchObject({ id: 2 });
    expect(samplerOf({ topP: 0.1 }, 4).choose(values, allowed)).toMatchObject({ id: 2 });
  });

  it('never chooses logits past the vocabulary', () => {
    expect(samplerOf({ temperature: 0 }, 2).choose(logits(1, 2, 9))).toMatchObject({ id: 1 });
  });

  it('answers NaN and infinity anywhere with an error value', () => {
    for (const flaw of [Number.NaN, Number.POSITIVE_INFINITY])
      for (const options of [{ temperature: 0 }, {}])
        expect(samplerOf(options, 2).choose(logits(1, 2, flaw), only(2, 0))).toMatchObject({ kind: 'error', reason: 'non-finite' });
  });

  it('takes -Infinity for impossible, and says so when nothing else is allowed', () => {
    const none = Number.NEGATIVE_INFINITY;
    for (const options of [{ temperature: 0 }, {}, { topK: 2 }, { topP: 0.5 }, { minP: 0.5 }]) {
      expect(samplerOf(options, 3).choose(logits(none, 1, none))).toMatchObject({ kind: 'token', id: 1 });
      expect(samplerOf(options, 3).choose(logits(none, 1, none), only(3, 0, 2))).toMatchObject({ kind: 'error', reason: 'none-allowed' });
    }
  });

  it('tells log-probabilities of the model itself, best first, equal ones by id', () => {
    const values = logits(Math.log(0.2), Math.log(0.5), Math.log(0.2), Math.log(0.1));
    const choice = samplerOf({ temperature: 0, logprobs: 3, repetitionPenalty: 9 }, 4).choose(values, only(4, 3));
    expect(choice).toMatchObject({ id: 3, logprob: expect.closeTo(Math.log(0.1)) });
    expect(choice.kind === 'token' && choice.top?.map((entry) => entry.id)).toEqual([1, 0, 2]);
    expect(samplerOf({ temperature: 0, logprobs: 0 }, 4).choose(values)).toMatchObject({ logprob: expect.closeTo(Math.log(0.5)), top: [] });
  });

  it('refuses fewer logits than tokens', () => {
    expect(() => samplerOf({}, 5).choose(logits(1, 2))).toThrow(/2 logits.*5 tokens/u);
  });

  it.each([
    { temperature: -1 },
    { topP: 0 },
    { topP: 1.1 },
    { minP: 2 },
    { topK: 1.5 },
    { repetitionPenalty: 0 },
    { logprobs: 21 },
    { topp: 0.5 },
  ])('refuses the options %j', (options) => {
    expect(() => readSamplingOptions(options)).toThrow(/sampling/u);
  });
});
