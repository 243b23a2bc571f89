import type { Point } from '../../core/frame.ts';
import type { Box } from '../../core/result.ts';
import type { ImageTransform } from '../codec.ts';

const clamp = (value: number, max: number): number => Math.min(Math.max(value, 0), max);

/** A tensor position as a frame position, clipped to the frame's edges. */
export function toFramePoint(transform: ImageTransform, x: number, y: number): Point {
  return {
    x: clamp(x * transform.scaleX + transform.offsetX, transform.frameWidth),
    y: clamp(y * transform.scaleY + transform.offsetY, transform.frameHeight),
  };
}

/** Tensor edges as a frame box, clipped; undefined when nothing of it is left. */
export function toFrameBox(transform: ImageTransform, left: number, top: number, right: number, bottom: number): Box | undefined {
  const from = toFramePoint(transform, left, top);
  const to = toFramePoint(transform, right, bottom);
  const width = to.x - from.x;
  const height = to.y - from.y;
  return width > 0 && height > 0 ? { x: from.x, y: from.y, width, height } : undefined;
}

/** The part of a tensor segment that lies inside the frame, in frame pixels; undefined when none does (Liang and Barsky, 1984). */
export function toFrameSegment(
  transform: ImageTransform,
  from: Point,
  to: Point,
): { readonly from: Point; readonly to: Point } | undefined {
  const startX = from.x * transform.scaleX + transform.offsetX;
  const startY = from.y * transform.scaleY + transform.offsetY;
  const dx = to.x * transform.scaleX + transform.offsetX - startX;
  const dy = to.y * transform.scaleY + transform.offsetY - startY;
  let enter = 0;
  let leave = 1;
  for (const [start, delta, max] of [[startX, dx, transform.frameWidth] as const, [startY, dy, transform.frameHeight] as const]) {
    if (delta === 0) {
      if (start < 0 || start > max) return undefined;
      continue;
    }
    const atZero = -start / delta;
    const atMax = (max - start) / delta;
    enter = Math.max(enter, Math.min(atZero, atMax));
    leave = Math.min(leave, Math.max(atZero, atMax));
  }
  if (enter >= leave) return undefined;
  // The clamp takes away what rounding leaves outside of the edge.
  const at = (part: number): Point => ({
    x: clamp(startX + part * dx, transform.frameWidth),
    y: clamp(startY + part * dy, transform.frameHeight),
  });
  return { from: at(enter), to: at(leave) };
}
