import type { Point, Quad } from '../../core/frame.ts';
import type { Pixels } from '../codec.ts';
import { cropError } from './image-fit.ts';

/** A text taller than it is wide by this factor is read from its side (PaddleOCR's get_rotate_crop_image). */
const UPRIGHT_RATIO_MAX = 1.5;
/** Sub-samples along each side of an output pixel are bounded: text 8 times the model's height is sharp enough with every other pixel left out. */
const SUBSAMPLES_MAX = 4;

/** Where to read the text: corners as the reader sees them, and its width in the tensor. */
export interface TextCrop {
  readonly quad: Quad;
  /** Tensor columns that the text takes, 1..tensorWidth; the rest is padding. */
  readonly columns: number;
}

const distance = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);

/** Pure geometry of a text crop. Throws CROP_INVALID for a quad with corners that are not finite, an area under one pixel, or nothing of the frame in it. */
export function planTextCrop(pixels: Omit<Pixels, 'data'>, tensorWidth: number, tensorHeight: number): TextCrop {
  const given = pixels.crop ?? wholeQuad(pixels);
  const [a, b, c, d] = given;
  const width = Math.max(distance(a, b), distance(d, c));
  const height = Math.max(distance(a, d), distance(b, c));
  const isInside =
    Math.max(a.x, b.x, c.x, d.x) > 0 &&
    Math.max(a.y, b.y, c.y, d.y) > 0 &&
    Math.min(a.x, b.x, c.x, d.x) < pixels.width &&
    Math.min(a.y, b.y, c.y, d.y) < pixels.height;
  if (!(isInside && Number.isFinite(width * height) && quadArea(given) >= 1 && width >= 1 && height >= 1)) throw cropError(given, pixels);
  // Turned a quarter against the clock: the right side of the frame's text becomes the top of the reader's.
  const isOnItsSide = height >= width * UPRIGHT_RATIO_MAX;
  const ratio = isOnItsSide ? height / width : width / height;
  return {
    quad: isOnItsSide ? [b, c, d, a] : given,
    columns: Math.min(tensorWidth, Math.max(1, Math.ceil(tensorHeight * ratio))),
  };
}

export function wholeQuad({ width, height }: { readonly width: number; readonly height: number }): Quad {
  return [
    { x: 0, y: 0 },
    { x: width, y: 0 },
    { x: width, y: height },
    { x: 0, y: height },
  ];
}

/** Shoelace; positive whichever way round. */
function quadArea([a, b, c, d]: Quad): number {
  return Math.abs((c.x - a.x) * (d.y - b.y) - (c.y - a.y) * (d.x - b.x)) / 2;
}

/** u, v in 0..1 to the frame: `x = (m0 u + m1 v + m2) / (m6 u + m7 v + 1)`, `y` likewise of m3..m5. */
export type Homography = readonly [number, number, number, number, number, number, number, number];

/** The projective map of the unit square to a quad (Heckbert, Fundamentals of Texture Mapping, 1989, section 2.2.3). */
export function homographyOf([a, b, c, d]: Quad): Homography {
  const sumX = a.x - b.x + c.x - d.x;
  const sumY = a.y - b.y + c.y - d.y;
  const dx1 = b.x - c.x;
  const dy1 = b.y - c.y;
  const dx2 = d.x - c.x;
  const dy2 = d.y - c.y;
  const determinant = dx1 * dy2 - dx2 * dy1;
  // A parallelogram has no vanishing point; neither has a quad folded flat at one corner, which is then read as its parallelogram.
  const isAffine = (Math.abs(sumX) < 1e-9 && Math.abs(sumY) < 1e-9) || Math.abs(determinant) < 1e-9;
  const g = isAffine ? 0 : (sumX * dy2 - dx2 * sumY) / determinant;
  const h = isAffine ? 0 : (dx1 * sumY - sumX * dy1) / determinant;
  return [b.x - a.x + g * b.x, d.x - a.x + h * d.x, a.x, b.y - a.y + g * b.y, d.y - a.y + h * d.y, a.y, g, h];
}

/**
 * Samples the crop to `columns` x `rows` RGB bytes, bilinearly, with the frame's border going on outside of it. Own code instead of sharp: libvips turns and
 * shears through `affine` but has no perspective, needs the whole frame's bounding box turned first, and 48 x 320 pixels take 1 ms here.
 * Several samples a pixel, as many as the shrinking asks for, keep thin strokes.
 */
export function sampleTextCrop(pixels: Pixels, crop: TextCrop, rows: number, rgb: Uint8Array): void {
  const { columns, quad } = crop;
  const m = homographyOf(quad);
  const [a, b, c, d] = quad;
  const stepsX = subsamples(Math.max(distance(a, b), distance(d, c)) / columns);
  const stepsY = subsamples(Math.max(distance(a, d), distance(b, c)) / rows);
  const weight = 1 / (stepsX * stepsY);
  const sum = new Float64Array(3);
  let to = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      sum.fill(0);
      for (let stepY = 0; stepY < stepsY; stepY += 1) {
        const v = (row + (stepY + 0.5) / stepsY) / rows;
        for (let stepX = 0; stepX < stepsX; stepX += 1) {
          const u = (column + (stepX + 0.5) / stepsX) / columns;
          const scale = 1 / (m[6] * u + m[7] * v + 1);
          addBilinear(pixels, (m[0] * u + m[1] * v + m[2]) * scale - 0.5, (m[3] * u + m[4] * v + m[5]) * scale - 0.5, sum);
        }
      }
      for (let channel = 0; channel < 3; channel += 1) rgb[to++] = Math.round((sum[channel] as number) * weight);
    }
  }
}

const subsamples = (shrink: number): number => Math.min(SUBSAMPLES_MAX, Math.max(1, Math.round(shrink)));

/** Adds the colour at `x`, `y`, where whole numbers are pixel centres; a position that is not finite, behind the vanishing line, reads the border too. */
function addBilinear({ data, width, height }: Pixels, x: number, y: number, sum: Float64Array): void {
  const insideX = Math.min(Math.max(x, 0), width - 1) || 0;
  const insideY = Math.min(Math.max(y, 0), height - 1) || 0;
  const left = Math.floor(insideX);
  const top = Math.floor(insideY);
  const fx = insideX - left;
  const fy = insideY - top;
  const right = left + 1 < width ? 3 : 0;
  const below = top + 1 < height ? 3 * width : 0;
  const at = 3 * (top * width + left);
  for (let channel = 0; channel < 3; channel += 1) {
    const index = at + channel;
    const upper = (data[index] as number) * (1 - fx) + (data[index + right] as number) * fx;
    const lower = (data[index + below] as number) * (1 - fx) + (data[index + below + right] as number) * fx;
    sum[channel] = (sum[channel] as number) + upper * (1 - fy) + lower * fy;
  }
}
