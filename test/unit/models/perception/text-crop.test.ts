import { describe, expect, it } from 'vitest';
import type { Quad } from '../../../../src/core/frame.ts';
import { type Homography, homographyOf, planTextCrop, sampleTextCrop } from '../../../../src/models/perception/text-crop.ts';

const quadOf = (...corners: readonly (readonly [number, number])[]): Quad => corners.map(([x, y]) => ({ x, y })) as unknown as Quad;

function at(m: Homography, u: number, v: number): [number, number] {
  const scale = 1 / (m[6] * u + m[7] * v + 1);
  return [(m[0] * u + m[1] * v + m[2]) * scale, (m[3] * u + m[4] * v + m[5]) * scale];
}

/** Red grows along x, green along y, blue is constant. */
function ramp(width: number, height: number) {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) data.set([x, y, 77], 3 * (y * width + x));
  return { data, width, height };
}

describe('homographyOf', () => {
  it.each([
    ['rectangle', quadOf([10, 20], [50, 20], [50, 40], [10, 40])],
    ['parallelogram', quadOf([10, 20], [50, 30], [55, 50], [15, 40])],
    ['trapezium', quadOf([10, 20], [50, 25], [50, 35], [10, 45])],
  ])('sends the corners of the unit square to those of a %s', (_, quad) => {
    const m = homographyOf(quad);
    const corners = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ] as const;
    corners.forEach(([u, v], index) => {
      const [x, y] = at(m, u, v);
      expect(x).toBeCloseTo(quad[index]?.x as number, 9);
      expect(y).toBeCloseTo(quad[index]?.y as number, 9);
    });
  });

  it('sends the centre to where the diagonals cross, as perspective does', () => {
    const [x, y] = at(homographyOf(quadOf([0, 0], [100, 20], [100, 40], [0, 60])), 0.5, 0.5);
    // Diagonals (0,0)-(100,40) and (100,20)-(0,60) cross at x = 75.
    expect(x).toBeCloseTo(75, 9);
    expect(y).toBeCloseTo(30, 9);
  });
});

describe('planTextCrop', () => {
  const frame = { width: 200, height: 100 };

  it('keeps the aspect ratio up to the width of the tensor', () => {
    expect(planTextCrop({ ...frame, crop: quadOf([0, 0], [100, 0], [100, 50], [0, 50]) }, 320, 48).columns).toBe(96);
    expect(planTextCrop({ ...frame, crop: quadOf([0, 0], [200, 0], [200, 10], [0, 10]) }, 320, 48).columns).toBe(320);
    expect(planTextCrop(frame, 320, 48).columns).toBe(96);
  });

  it('turns standing text a quarter against the clock', () => {
    const crop = quadOf([10, 10], [30, 10], [30, 90], [10, 90]);
    const plan = planTextCrop({ ...frame, crop }, 320, 48);
    expect(plan.quad).toEqual(quadOf([30, 10], [30, 90], [10, 90], [10, 10]));
    expect(plan.columns).toBe(192);
  });

  it.each([
    ['degenerate to a point', quadOf([5, 5], [5, 5], [5, 5], [5, 5])],
    ['degenerate to a line', quadOf([5, 5], [50, 5], [50, 5], [5, 5])],
    ['outside of the frame', quadOf([300, 5], [350, 5], [350, 25], [300, 25])],
    ['above the frame', quadOf([10, -50], [50, -50], [50, -20], [10, -20])],
    ['of corners that are not finite', quadOf([Number.POSITIVE_INFINITY, 5], [50, 5], [50, 25], [5, 25])],
    ['of corners that are no numbers', quadOf([Number.NaN, 5], [50, 5], [50, 25], [5, 25])],
  ])('refuses a quad %s', (_, crop) => {
    expect(() => planTextCrop({ ...frame, crop }, 320, 48)).toThrow(expect.objectContaining({ code: 'CROP_INVALID' }));
  });
});

describe('sampleTextCrop', () => {
  it('copies a crop of its own size pixel by pixel', () => {
    const rgb = new Uint8Array(3 * 4 * 2);
    sampleTextCrop(ramp(20, 20), { quad: quadOf([5, 6], [9, 6], [9, 8], [5, 8]), columns: 4 }, 2, rgb);
    expect([...rgb.filter((_, index) => index % 3 === 0)]).toEqual([5, 6, 7, 8, 5, 6, 7, 8]);
    expect([...rgb.filter((_, index) => index % 3 === 1)]).toEqual([6, 6, 6, 6, 7, 7, 7, 7]);
    expect(rgb.every((value, index) => index % 3 !== 2 || value === 77)).toBe(true);
  });

  it('averages when it shrinks, so that stripes of one pixel become grey', () => {
    const stripes = { data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 };
    for (let x = 0; x < 64; x += 2) for (let y = 0; y < 64; y += 1) stripes.data.fill(200, 3 * (64 * y + x), 3 * (64 * y + x + 1));
    const rgb = new Uint8Array(3 * 16 * 16);
    sampleTextCrop(stripes, { quad: quadOf([0, 0], [64, 0], [64, 64], [0, 64]), columns: 16 }, 16, rgb);
    for (const value of rgb) expect(Math.abs(value - 100)).toBeLessThanOrEqual(13);
  });

  it('goes on with the border where the quad leaves the frame, a frame of one pixel too', () => {
    const rgb = new Uint8Array(3 * 8 * 4);
    sampleTextCrop(ramp(20, 20), { quad: quadOf([16, 5], [24, 5], [24, 9], [16, 9]), columns: 8 }, 4, rgb);
    expect([...rgb.subarray(0, 24).filter((_, index) => index % 3 === 0)]).toEqual([16, 17, 18, 19, 19, 19, 19, 19]);
    const one = { data: Uint8Array.of(1, 2, 3), width: 1, height: 1 };
    sampleTextCrop(one, { quad: quadOf([0, 0], [1, 0], [1, 1], [0, 1]), columns: 8 }, 4, rgb);
    expect([...rgb.subarray(-3)]).toEqual([1, 2, 3]);
  });

  it('survives a quad that crosses itself', () => {
    const rgb = new Uint8Array(3 * 8 * 4);
    sampleTextCrop(ramp(20, 20), { quad: quadOf([0, 0], [15, 15], [15, 0], [0, 15]), columns: 8 }, 4, rgb);
    expect(rgb.every((value, index) => index % 3 !== 2 || value === 77)).toBe(true);
  });
});
