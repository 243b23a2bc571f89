import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCandidates } from '../../../src/models/language/candidates.ts';

const scoresOf = fc
  .array(fc.oneof(fc.double({ min: -40, max: 40, noNaN: true }), fc.constantFrom(0, 1, Number.NEGATIVE_INFINITY)), {
    minLength: 1,
    maxLength: 200,
  })
  .map((values) => Float32Array.from(values))
  .filter((values) => values.some((value) => value > Number.NEGATIVE_INFINITY));

/** The plain way: all sorted, best first, of equal ones the lower place. */
const sorted = (scores: Float32Array) =>
  [...scores.keys()]
    .filter((at) => (scores[at] ?? 0) > Number.NEGATIVE_INFINITY)
    .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);

describe('the search for candidates', () => {
  it('finds the k best as sorting does, in the same order', () => {
    fc.assert(
      fc.property(scoresOf, fc.integer({ min: 1, max: 210 }), (scores, k) => {
        const candidates = createCandidates(scores.length);
        const count = candidates.selectTopK(scores, scores.length, Math.min(k, scores.length));
        expect([...candidates.order.subarray(0, count)]).toEqual(sorted(scores).slice(0, k));
      }),
    );
  });

  it('finds the nucleus as sorting does', () => {
    fc.assert(
      fc.property(
        scoresOf,
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.double({ min: 0.2, max: 3, noNaN: true }),
        (scores, topP, inverse) => {
          const candidates = createCandidates(scores.length);
          const places = sorted(scores);
          const top = scores[places[0] ?? 0] ?? 0;
          const weights = places.map((at) => Math.exp(((scores[at] ?? 0) - top) * inverse));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          let mass = 0;
          const masses = weights.map((weight) => {
            mass += weight;
            return mass / total;
          });
          // Where a sum falls on top-p to the last bits, rounding may decide either way.
          fc.pre(!masses.some((share) => Math.abs(share - topP) < 1e-9));
          const wanted = places.slice(0, masses.findIndex((share) => share >= topP) + 1);
          const count = candidates.selectTopP(scores, scores.length, inverse, topP);
          expect([...candidates.order.subarray(0, count)].sort((a, b) => a - b)).toEqual(wanted.sort((a, b) => a - b));
          for (let index = 0; index < count; index += 1)
            expect(candidates.weights[index]).toBeCloseTo(Math.exp(((scores[candidates.order[index] ?? 0] ?? 0) - top) * inverse));
        },
      ),
      { numRuns: 300 },
    );
  });
});
