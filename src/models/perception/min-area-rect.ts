import type { Point, Quad } from '../../core/frame.ts';

/**
 * A rectangle at any angle. `along` is the unit vector of its width; its height runs 90 degrees clockwise of it on the screen, where y grows downwards.
 * `along` points right and within 45 degrees of the horizontal, so the first corner is the one a reader calls top-left.
 */
export interface RotatedRect {
  readonly centre: Point;
  readonly along: Point;
  readonly width: number;
  readonly height: number;
}

/** Corners of the convex hull in order, without collinear points (Andrew's monotone chain). At most 2 points come back when all lie on one line. */
export function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const chain = (ordered: readonly Point[]): Point[] => {
    const hull: Point[] = [];
    for (const point of ordered) {
      while (hull.length >= 2 && cross(hull[hull.length - 2] as Point, hull[hull.length - 1] as Point, point) <= 0) hull.pop();
      hull.push(point);
    }
    hull.pop();
    return hull;
  };
  return [...chain(sorted), ...chain(sorted.toReversed())];
}

const cross = (o: Point, a: Point, b: Point): number => (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);

/**
 * The smallest rectangle around a convex polygon: one of its sides lies on a side of the polygon (Freeman and Shapira, 1975). Every side is tried against
 * every corner, which for the 10 to 60 corners of a text region is cheaper than keeping calipers. Undefined for fewer than 3 corners.
 */
export function minAreaRect(hull: readonly Point[]): RotatedRect | undefined {
  if (hull.length < 3) return undefined;
  let best: RotatedRect | undefined;
  hull.forEach((corner, index) => {
    const next = hull[(index + 1) % hull.length] as Point;
    const length = Math.hypot(next.x - corner.x, next.y - corner.y);
    if (length === 0) return;
    const rect = boundsAlong(hull, { x: (next.x - corner.x) / length, y: (next.y - corner.y) / length });
    if (best === undefined || rect.width * rect.height < best.width * best.height - 1e-9) best = rect;
  });
  return best;
}

function boundsAlong(hull: readonly Point[], side: Point): RotatedRect {
  const along = upright(side);
  let minU = Number.POSITIVE_INFINITY;
  let maxU = Number.NEGATIVE_INFINITY;
  let minV = Number.POSITIVE_INFINITY;
  let maxV = Number.NEGATIVE_INFINITY;
  for (const point of hull) {
    const u = point.x * along.x + point.y * along.y;
    const v = point.y * along.x - point.x * along.y;
    minU = Math.min(minU, u);
    maxU = Math.max(maxU, u);
    minV = Math.min(minV, v);
    maxV = Math.max(maxV, v);
  }
  const u = (minU + maxU) / 2;
  const v = (minV + maxV) / 2;
  const centre = { x: u * along.x - v * along.y, y: u * along.y + v * along.x };
  return { centre, along, width: maxU - minU, height: maxV - minV };
}

/** The one of a direction's four quarter turns that points right, within 45 degrees of the horizontal. */
function upright({ x, y }: Point): Point {
  if (Math.abs(x) >= Math.abs(y)) return x > 0 ? { x, y } : { x: -x, y: -y };
  return y > 0 ? { x: y, y: -x } : { x: -y, y: x };
}

/** Moves every side outwards by `distance`. */
export const grown = (rect: RotatedRect, distance: number): RotatedRect => ({
  ...rect,
  width: rect.width + 2 * distance,
  height: rect.height + 2 * distance,
});

/** Top-left, top-right, bottom-right, bottom-left. */
export function cornersOf({ centre, along, width, height }: RotatedRect): Quad {
  const corner = (u: number, v: number): Point => ({
    x: centre.x + u * width * along.x - v * height * along.y,
    y: centre.y + u * width * along.y + v * height * along.x,
  });
  return [corner(-0.5, -0.5), corner(0.5, -0.5), corner(0.5, 0.5), corner(-0.5, 0.5)];
}
