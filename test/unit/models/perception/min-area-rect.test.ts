import { describe, expect, it } from 'vitest';
import { convexHull, cornersOf, grown, minAreaRect, type RotatedRect } from '../../../../src/models/perception/min-area-rect.ts';

const rectAt = (degrees: number, width = 40, height = 10): RotatedRect => {
  const angle = (degrees * Math.PI) / 180;
  return { centre: { x: 50, y: 60 }, along: { x: Math.cos(angle), y: Math.sin(angle) }, width, height };
};

describe('convexHull', () => {
  it('keeps the corners and drops what is inside or on a side', () => {
    const points = [
      [0, 0],
      [2, 0],
      [4, 0],
      [4, 4],
      [0, 4],
      [1, 1],
      [2, 4],
      [0, 0],
    ].map(([x, y]) => ({ x: x as number, y: y as number }));
    const hull = convexHull(points);
    expect(hull).toHaveLength(4);
    expect(new Set(hull.map(({ x, y }) => `${x},${y}`))).toEqual(new Set(['0,0', '4,0', '4,4', '0,4']));
  });

  it('has no area for points on one line', () => {
    const line = [1, 2, 3].map((n) => ({ x: n, y: 2 * n }));
    expect(minAreaRect(convexHull(line))).toBeUndefined();
    expect(minAreaRect(convexHull([{ x: 1, y: 1 }]))).toBeUndefined();
    expect(minAreaRect(convexHull([]))).toBeUndefined();
  });
});

describe('minAreaRect', () => {
  it.each([0, 10, 30, 44, -10, -30, -44])('finds again a rectangle turned by %i degrees, its corners from the top left', (degrees) => {
    const rect = rectAt(degrees);
    const found = minAreaRect(convexHull(cornersOf(rect)));
    expect(found).toMatchObject({ width: expect.closeTo(40, 6), height: expect.closeTo(10, 6) });
    cornersOf(found as RotatedRect).forEach((corner, index) => {
      expect(corner.x).toBeCloseTo(cornersOf(rect)[index]?.x as number, 6);
      expect(corner.y).toBeCloseTo(cornersOf(rect)[index]?.y as number, 6);
    });
  });

  it('gives standing text more height than width', () => {
    expect(minAreaRect(convexHull(cornersOf(rectAt(90))))).toMatchObject({ width: expect.closeTo(10, 6), height: expect.closeTo(40, 6) });
    expect(minAreaRect(convexHull(cornersOf(rectAt(60))))).toMatchObject({ width: expect.closeTo(10, 6), height: expect.closeTo(40, 6) });
  });

  it('grows on every side', () => {
    const [topLeft, , bottomRight] = cornersOf(grown(rectAt(0), 3));
    expect([topLeft, bottomRight]).toEqual([
      { x: 27, y: 52 },
      { x: 73, y: 68 },
    ]);
  });
});
