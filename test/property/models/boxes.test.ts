import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Box } from '../../../src/core/result.ts';
import { blazeface } from '../../../src/models/perception/blazeface.ts';
import { mergeOverlaps, overlapRatio, type ScoredBox, suppressOverlaps } from '../../../src/models/perception/box-suppression.ts';
import { fitImage } from '../../../src/models/perception/image-fit.ts';
import { expectedBin, nanodet } from '../../../src/models/perception/nanodet.ts';
import { blazefaceSpec, nanodetSpec, zeros } from '../../unit/models/model-specs.ts';

const side = fc.integer({ min: 1, max: 20_000 });
const frame = fc.record({ width: side, height: side });

const scoredBox: fc.Arbitrary<ScoredBox> = fc
  .record({
    left: fc.integer({ max: 50, min: 0 }),
    top: fc.integer({ max: 50, min: 0 }),
    width: fc.integer({ min: 1, max: 30 }),
    height: fc.integer({ min: 1, max: 30 }),
  })
  .chain(({ left, top, width, height }) =>
    fc.record({ score: fc.integer({ min: 0, max: 20 }).map((n) => n / 20), classIndex: fc.integer({ min: 0, max: 2 }) }).map((rest) => ({
      ...{ left, top, right: left + width, bottom: top + height },
      ...rest,
    })),
  );
const boxes = fc.array(scoredBox, { maxLength: 60 });
const ratio = fc.integer({ min: 0, max: 10 }).map((n) => n / 10);

/** Intersection over union counted pixel by pixel. */
function countedRatio(a: ScoredBox, b: ScoredBox): number {
  let shared = 0;
  let covered = 0;
  const inside = (box: ScoredBox, x: number, y: number): boolean => x >= box.left && x < box.right && y >= box.top && y < box.bottom;
  for (let y = 0; y < 80; y += 1) {
    for (let x = 0; x < 80; x += 1) {
      const [inA, inB] = [inside(a, x, y), inside(b, x, y)];
      if (inA && inB) shared += 1;
      if (inA || inB) covered += 1;
    }
  }
  return shared / covered;
}

function expectInside({ x, y, width, height }: Box, bounds: { width: number; height: number }): void {
  expect(width).toBeGreaterThan(0);
  expect(height).toBeGreaterThan(0);
  expect(x).toBeGreaterThanOrEqual(0);
  expect(y).toBeGreaterThanOrEqual(0);
  // The right edge is a sum of two rounded numbers.
  expect(x + width).toBeLessThanOrEqual(bounds.width * (1 + 1e-12));
  expect(y + height).toBeLessThanOrEqual(bounds.height * (1 + 1e-12));
}

describe('fitImage', () => {
  it('maps the placed image in the tensor onto the looked-at part of a frame of any size, and back', () => {
    const size = fc.integer({ min: 1, max: 1024 });
    fc.assert(
      fc.property(
        frame,
        size,
        size,
        fc.constantFrom('stretch' as const, 'letterbox' as const),
        (pixels, tensorWidth, tensorHeight, mode) => {
          const { source, placement, transform } = fitImage(pixels, tensorWidth, tensorHeight, mode);
          expect(placement.left).toBeGreaterThanOrEqual(0);
          expect(placement.top).toBeGreaterThanOrEqual(0);
          expect(placement.left + placement.width).toBeLessThanOrEqual(tensorWidth);
          expect(placement.top + placement.height).toBeLessThanOrEqual(tensorHeight);
          expect(placement.left * transform.scaleX + transform.offsetX).toBeCloseTo(source.left, 6);
          expect((placement.left + placement.width) * transform.scaleX + transform.offsetX).toBeCloseTo(source.left + source.width, 6);
          expect(placement.top * transform.scaleY + transform.offsetY).toBeCloseTo(source.top, 6);
          expect((placement.top + placement.height) * transform.scaleY + transform.offsetY).toBeCloseTo(source.top + source.height, 6);
          const x = pixels.width / 3;
          expect(((x - transform.offsetX) / transform.scaleX) * transform.scaleX + transform.offsetX).toBeCloseTo(x, 6);
        },
      ),
    );
  });

  it('keeps the aspect ratio of a letterboxed frame to within the rounding of one pixel', () => {
    fc.assert(
      fc.property(frame, (pixels) => {
        const { placement } = fitImage(pixels, 416, 416, 'letterbox');
        const scale = Math.min(416 / pixels.width, 416 / pixels.height);
        expect(Math.abs(placement.width - pixels.width * scale)).toBeLessThanOrEqual(1);
        expect(Math.abs(placement.height - pixels.height * scale)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('box suppression', () => {
  it('measures overlap as counting pixels does', () => {
    fc.assert(
      fc.property(scoredBox, scoredBox, (a, b) => {
        expect(overlapRatio(a, b)).toBeCloseTo(countedRatio(a, b), 9);
      }),
      { numRuns: 50 },
    );
  });

  it('leaves no two boxes of a class that overlap too much, and drops none without a better one to blame', () => {
    fc.assert(
      fc.property(boxes, ratio, (all, overlapMax) => {
        const kept = suppressOverlaps(all, overlapMax, 1000);
        for (const a of kept)
          for (const b of kept) if (a !== b && a.classIndex === b.classIndex) expect(overlapRatio(a, b)).toBeLessThanOrEqual(overlapMax);
        for (const box of all) {
          const isBlamed = kept.some(
            (other) => other.classIndex === box.classIndex && other.score >= box.score && overlapRatio(other, box) > overlapMax,
          );
          expect(kept.includes(box) || isBlamed).toBe(true);
        }
        expect(kept.map(({ score }) => score)).toEqual(kept.map(({ score }) => score).sort((a, b) => b - a));
      }),
    );
  });

  it('puts every box into exactly one group when it merges', () => {
    fc.assert(
      fc.property(boxes, ratio, (all, overlapMax) => {
        const seen: ScoredBox[] = [];
        mergeOverlaps(all, overlapMax, 1000, (group) => {
          seen.push(...group);
          return group[0] as ScoredBox;
        });
        expect(new Set(seen)).toEqual(new Set(all));
        expect(seen).toHaveLength(all.length);
      }),
    );
  });
});

describe('detectors on any output', () => {
  const seed = fc.integer();

  /** Finite noise of a given spread; the core has turned away everything else. */
  function noise(from: number, spread: number, tensors: Float32Array[]): Float32Array[] {
    let state = from >>> 0;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    return tensors.map((tensor) => tensor.map(() => (next() - 0.5) * spread));
  }

  it('give boxes inside the frame, best first, scores within 0..1', () => {
    const nano = nanodet.create(nanodetSpec, {});
    const blaze = blazeface.create(blazefaceSpec, {});
    fc.assert(
      fc.property(frame, seed, fc.constantFrom(2, 20, 1e4, 3e38), (pixels, from, spread) => {
        const { transform } = fitImage(pixels, 64, 64, 'letterbox');
        const faceTransform = fitImage(pixels, 256, 256, 'letterbox').transform;
        const items = [
          nano.decode(noise(from, spread, zeros(nanodetSpec)), transform, {}),
          blaze.decode(noise(from, spread, zeros(blazefaceSpec)), faceTransform, {}),
        ];
        for (const found of items) {
          expect(found.length).toBeLessThanOrEqual(100);
          expect(found.map(({ score }) => score)).toEqual(found.map(({ score }) => score).sort((a, b) => b - a));
          for (const item of found) {
            if (item.kind !== 'object' && item.kind !== 'face') throw new Error(item.kind);
            expect(item.score).toBeGreaterThan(0);
            expect(item.score).toBeLessThanOrEqual(1);
            expectInside(item.box, pixels);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('read a distance between the first and the last bin', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 2, maxLength: 17 }), (logits) => {
        const bin = expectedBin(Float32Array.from(logits), 0, logits.length);
        expect(bin).toBeGreaterThanOrEqual(0);
        expect(bin).toBeLessThanOrEqual(logits.length - 1 + 1e-9);
      }),
    );
  });
});
