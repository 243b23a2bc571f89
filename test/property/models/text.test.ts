import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { Point, Quad } from '../../../src/core/frame.ts';
import { createRunFinder } from '../../../src/models/perception/connected-runs.ts';
import { readCtc } from '../../../src/models/perception/ctc.ts';
import { fitImage } from '../../../src/models/perception/image-fit.ts';
import { convexHull, minAreaRect } from '../../../src/models/perception/min-area-rect.ts';
import { mlsd } from '../../../src/models/perception/mlsd.ts';
import { ppocrDet } from '../../../src/models/perception/ppocr-det.ts';
import { ppocrRec } from '../../../src/models/perception/ppocr-rec.ts';
import { mlsdSpec, ppocrDetSpec, ppocrRecSpec } from '../../unit/models/model-specs.ts';

const point = fc.record({ x: fc.integer({ min: -50, max: 50 }), y: fc.integer({ min: -50, max: 50 }) });

/** Sizes of the 8-connected groups, by flooding pixel after pixel. */
function floodedSizes(map: readonly boolean[], width: number): number[] {
  const left = new Set(map.flatMap((isOn, at) => (isOn ? [at] : [])));
  const sizes: number[] = [];
  for (const start of [...left]) {
    if (!left.delete(start)) continue;
    const queue = [start];
    for (const at of queue) {
      for (const dy of [-1, 0, 1]) {
        for (const dx of [-1, 0, 1]) {
          const x = (at % width) + dx;
          const next = at + dy * width + dx;
          if (x >= 0 && x < width && left.delete(next)) queue.push(next);
        }
      }
    }
    sizes.push(queue.length);
  }
  return sizes.sort((a, b) => b - a);
}

describe('createRunFinder', () => {
  it('groups pixels as a flood fill does', () => {
    const map = fc
      .integer({ min: 1, max: 12 })
      .chain((width) => fc.array(fc.array(fc.boolean(), { minLength: width, maxLength: width }), { minLength: 1, maxLength: 12 }));
    fc.assert(
      fc.property(map, (rows) => {
        const width = rows[0]?.length ?? 0;
        const pixels = rows.flat();
        const groups = createRunFinder(width, rows.length).find(Float32Array.from(pixels, Number), 0.5, 1, 1000);
        const sizes = groups.map((runs) => runs.reduce((sum, { left, right }) => sum + right - left, 0));
        expect(sizes.sort((a, b) => b - a)).toEqual(floodedSizes(pixels, width));
      }),
      { numRuns: 300 },
    );
  });
});

describe('minAreaRect', () => {
  it('holds every point and is no larger than the bounds at any whole degree', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 30 }), (points) => {
        const rect = minAreaRect(convexHull(points));
        if (rect === undefined) return;
        expect(rect.along.x).toBeGreaterThan(0);
        for (const { x, y } of points) {
          const [dx, dy] = [x - rect.centre.x, y - rect.centre.y];
          expect(Math.abs(dx * rect.along.x + dy * rect.along.y)).toBeLessThanOrEqual(rect.width / 2 + 1e-6);
          expect(Math.abs(dy * rect.along.x - dx * rect.along.y)).toBeLessThanOrEqual(rect.height / 2 + 1e-6);
        }
        for (let degree = 0; degree < 90; degree += 1) expect(rect.width * rect.height).toBeLessThanOrEqual(areaAt(points, degree) + 1e-6);
      }),
    );
  });
});

function areaAt(points: readonly Point[], degree: number): number {
  const [cos, sin] = [Math.cos((degree * Math.PI) / 180), Math.sin((degree * Math.PI) / 180)];
  const us = points.map(({ x, y }) => x * cos + y * sin);
  const vs = points.map(({ x, y }) => y * cos - x * sin);
  return (Math.max(...us) - Math.min(...us)) * (Math.max(...vs) - Math.min(...vs));
}

describe('readCtc', () => {
  it('reads what joining, then dropping blanks, gives', () => {
    const characters = ['a', 'b', 'c'];
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }), (path) => {
        const probabilities = Float32Array.from(path.flatMap((best) => [0, 1, 2, 3].map((index) => (index === best ? 0.7 : 0.1))));
        const symbols = path.map((index) => '-abc'[index]).join('');
        const expected = symbols.replace(/(.)\1+/g, '$1').replaceAll('-', '');
        expect(readCtc(probabilities, 4, characters).text).toBe(expected);
      }),
    );
  });
});

describe('text and line decoders on any output', () => {
  it('stay inside a frame of any size', () => {
    const det = ppocrDet.create(ppocrDetSpec, {});
    const lines = mlsd.create(mlsdSpec, {});
    const frame = fc.record({ width: fc.integer({ min: 1, max: 20_000 }), height: fc.integer({ min: 1, max: 20_000 }) });
    const rect = fc.record({
      x: fc.integer({ min: 0, max: 127 }),
      y: fc.integer({ min: 0, max: 95 }),
      width: fc.integer({ min: 1, max: 90 }),
      height: fc.integer({ min: 1, max: 60 }),
    });
    const offset = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(
        frame,
        fc.array(rect, { maxLength: 6 }),
        fc.tuple(offset, offset, offset, offset),
        fc.integer({ min: 0, max: 1023 }),
        (pixels, rects, ends, at) => {
          const map = new Float32Array(128 * 96);
          for (const { x, y, width, height } of rects)
            for (let row = y; row < Math.min(96, y + height); row += 1) map.fill(0.9, row * 128 + x, row * 128 + Math.min(128, x + width));
          const scores = new Float32Array(1024);
          scores[at] = 0.9;
          const offsets = new Float32Array(4096);
          offsets.set(ends, 4 * at);
          const points = [
            ...det.decode([map], fitImage(pixels, 128, 96, 'letterbox').transform, {}),
            ...lines.decode([offsets, scores], fitImage(pixels, 64, 64, 'stretch').transform, {}),
          ].flatMap((item) => (item.kind === 'text-box' ? item.quad : item.kind === 'line' ? [item.from, item.to] : []));
          for (const { x, y } of points) {
            expect(x >= 0 && x <= pixels.width && y >= 0 && y <= pixels.height).toBe(true);
          }
        },
      ),
    );
  });
});

describe('ppocr-rec encoding', () => {
  it('fills the whole tensor with -1..1 for any quad, or says that the crop is invalid', async () => {
    const codec = ppocrRec.create(ppocrRecSpec, { dictionary: 'a\nb\nc' });
    const data = Uint8Array.from({ length: 3 * 40 * 30 }, (_, index) => (index * 37) % 256);
    const corner = fc.record({ x: fc.integer({ min: -30, max: 70 }), y: fc.integer({ min: -30, max: 60 }) });
    await fc.assert(
      fc.asyncProperty(fc.tuple(corner, corner, corner, corner), async (crop: Quad) => {
        const tensor = new Float32Array(3 * 48 * 320).fill(Number.NaN);
        try {
          await codec.encode({ data, width: 40, height: 30, crop }, tensor);
        } catch (error) {
          expect(error).toBeInstanceOf(CoxswainError);
          expect(error).toMatchObject({ code: 'CROP_INVALID' });
          return;
        }
        expect(tensor.every((value) => value >= -1 && value <= 1)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
