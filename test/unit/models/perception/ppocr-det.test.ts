import { describe, expect, it } from 'vitest';
import type { Quad } from '../../../../src/core/frame.ts';
import type { TextBoxItem } from '../../../../src/core/result.ts';
import { meanInside, ppocrDet } from '../../../../src/models/perception/ppocr-det.ts';
import { float32, identityTransform, modelSpec, ppocrDetSpec } from '../model-specs.ts';

const WIDTH = 128;
const HEIGHT = 96;
const codec = ppocrDet.create(ppocrDetSpec, {});

/** A map with a rectangle of `value` turned by `degrees` about its centre, drawn pixel by pixel. */
function drawn(
  ...rects: readonly { x: number; y: number; width: number; height: number; degrees?: number; value?: number }[]
): Float32Array {
  const map = new Float32Array(WIDTH * HEIGHT);
  for (const { x, y, width, height, degrees = 0, value = 0.9 } of rects) {
    const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    for (let row = 0; row < HEIGHT; row += 1) {
      for (let column = 0; column < WIDTH; column += 1) {
        const [dx, dy] = [column + 0.5 - x, row + 0.5 - y];
        if (Math.abs(dx * cos + dy * sin) < width / 2 && Math.abs(dy * cos - dx * sin) < height / 2) map[row * WIDTH + column] = value;
      }
    }
  }
  return map;
}

const decode = (map: Float32Array, options = {}) => codec.decode([map], identityTransform(WIDTH, HEIGHT), options) as TextBoxItem[];

describe('ppocr-det', () => {
  it('grows an upright core by area x ratio / perimeter on every side', () => {
    const [item, ...others] = decode(drawn({ x: 60, y: 40, width: 40, height: 10 }), { growRatio: 1.5 });
    expect(others).toEqual([]);
    // 40 x 10 x 1.5 / 100 = 6.
    expect(item).toMatchObject({ kind: 'text-box', score: expect.closeTo(0.9, 5) });
    const expected = [
      [34, 29],
      [86, 29],
      [86, 51],
      [34, 51],
    ];
    item?.quad.forEach(({ x, y }, index) => {
      expect(x).toBeCloseTo(expected[index]?.[0] as number, 4);
      expect(y).toBeCloseTo(expected[index]?.[1] as number, 4);
    });
  });

  it.each([20, -35])('follows text turned by %i degrees to within a pixel and a half', (degrees) => {
    const quads = decode(drawn({ x: 64, y: 48, width: 60, height: 12, degrees }), { growRatio: 0 }).map(({ quad }) => quad);
    expect(quads).toHaveLength(1);
    const [a, b, c, d] = quads[0] as Quad;
    expect(Math.abs((Math.atan2(b.y - a.y, b.x - a.x) * 180) / Math.PI - degrees)).toBeLessThan(1.5);
    expect(Math.abs(Math.hypot(b.x - a.x, b.y - a.y) - 60)).toBeLessThan(1.5);
    expect(Math.abs(Math.hypot(d.x - a.x, d.y - a.y) - 12)).toBeLessThan(1.5);
    expect((a.x + b.x + c.x + d.x) / 4).toBeCloseTo(64, 0);
    expect((a.y + b.y + c.y + d.y) / 4).toBeCloseTo(48, 0);
  });

  it('scores a box by the mean inside it, so that a hollow or faint one falls out', () => {
    const ring = drawn({ x: 60, y: 40, width: 60, height: 30 }, { x: 60, y: 40, width: 54, height: 24, value: 0 });
    expect(decode(ring)).toEqual([]);
    expect(decode(drawn({ x: 60, y: 40, width: 40, height: 10, value: 0.55 }))).toEqual([]);
    expect(decode(drawn({ x: 60, y: 40, width: 40, height: 10, value: 0.55 }), { scoreMin: 0.5 })).toHaveLength(1);
  });

  it('drops specks and gives the best first, no more than asked for', () => {
    const map = drawn(
      { x: 20, y: 20, width: 20, height: 6, value: 0.8 },
      { x: 80, y: 20, width: 20, height: 6, value: 0.95 },
      { x: 50, y: 80, width: 2, height: 2, value: 1 },
      { x: 80, y: 80, width: 60, height: 1, value: 1 },
    );
    expect(decode(map).map(({ score }) => Math.round(score * 100))).toEqual([95, 80]);
    expect(decode(map, { textsMax: 1 })).toHaveLength(1);
  });

  it('clips to the frame and drops what lies in the bars', () => {
    const transform = { ...identityTransform(WIDTH, 40), offsetY: -20 };
    const inBar = codec.decode([drawn({ x: 60, y: 8, width: 40, height: 8 })], transform, { growRatio: 0 });
    expect(inBar).toEqual([]);
    const [edge] = codec.decode([drawn({ x: 10, y: 20, width: 20, height: 12 })], transform, {}) as TextBoxItem[];
    expect(edge?.quad[0]).toEqual({ x: 0, y: 0 });
    for (const { x, y } of edge?.quad ?? []) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(y).toBeGreaterThanOrEqual(0);
    }
  });

  it('finds the outline of a group that has several runs a row', () => {
    const comb = drawn({ x: 60, y: 30, width: 60, height: 6 }, ...[32, 60, 88].map((x) => ({ x, y: 46, width: 4, height: 32 })));
    const [item] = decode(comb, { growRatio: 0, scoreMin: 0.1 });
    expect(item?.quad).toEqual([
      { x: 30, y: 27 },
      { x: 90, y: 27 },
      { x: 90, y: 62 },
      { x: 30, y: 62 },
    ]);
  });

  it('takes maps that are all text or all noise', () => {
    expect(decode(new Float32Array(WIDTH * HEIGHT).fill(1))).toEqual([
      expect.objectContaining({
        quad: [
          { x: 0, y: 0 },
          { x: WIDTH, y: 0 },
          { x: WIDTH, y: HEIGHT },
          { x: 0, y: HEIGHT },
        ],
      }),
    ]);
    const noise = Float32Array.from({ length: WIDTH * HEIGHT }, (_, index) => ((index * 2654435761) % 97) / 97);
    expect(decode(noise, { scoreMin: 0.01, sideMin: 1 }).length).toBeLessThanOrEqual(100);
  });

  it('refuses sizes that are no multiple of 32, and unknown options', () => {
    const spec = modelSpec('ppocr-det', [float32('x', 1, 3, 100, 128)], [float32('map', 1, 1, 100, 128)]);
    expect(() => ppocrDet.create(spec, {})).toThrow(expect.objectContaining({ code: 'MODEL_CONTRACT' }));
    expect(() => decode(drawn(), { unclip: 1.5 })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});

describe('meanInside', () => {
  it('takes the pixels whose centres lie inside, and none outside of the map', () => {
    const map = Float32Array.from({ length: 16 }, (_, index) => index);
    const quad = (left: number, top: number, right: number, bottom: number): Quad => [
      { x: left, y: top },
      { x: right, y: top },
      { x: right, y: bottom },
      { x: left, y: bottom },
    ];
    expect(meanInside(map, 4, 4, quad(1, 1, 3, 2))).toBe((5 + 6) / 2);
    expect(meanInside(map, 4, 4, quad(1.6, 1, 3, 2))).toBe(6);
    expect(meanInside(map, 4, 4, quad(-9, -9, 1, 1))).toBe(0);
    expect(meanInside(map, 4, 4, quad(9, 9, 12, 12))).toBe(0);
  });
});
