import { z } from 'zod';
import type { Point, Quad } from '../../core/frame.ts';
import type { TextBoxItem } from '../../core/result.ts';
import type { ImageCodec, ImageCodecFactory, ImageTransform } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { axis, contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { byScore } from './box-suppression.ts';
import { createRunFinder, type Run } from './connected-runs.ts';
import { toFramePoint } from './frame-geometry.ts';
import { encodeImage } from './image-fit.ts';
import { createTensorWriter } from './image-tensor.ts';
import { convexHull, cornersOf, grown, minAreaRect, type RotatedRect } from './min-area-rect.ts';

/** PaddleOCR's `max_candidates`: groups looked at, largest first. */
const CANDIDATES_MAX = 1000;

const optionsSchema = z.strictObject({
  // The defaults are those of PP-OCRv4's DBPostProcess but for `growRatio`.
  pixelMin: z.number().min(0.01).max(0.99).default(0.3).describe('Least probability of a pixel that belongs to text, 0..1.'),
  scoreMin: z.number().min(0.01).max(1).default(0.6).describe('Least mean probability inside a text box, 0..1.'),
  // PaddleOCR's own 1.5 costs a sign of the sample pictures its first letter and three others their blank; 1.8 to 2.4 reads them.
  growRatio: z
    .number()
    .min(0)
    .max(4)
    .default(1.8)
    .describe('The network marks the core of a line; its box grows by area x growRatio / perimeter.'),
  sideMin: z.number().min(1).max(64).default(3).describe('Least short side of the marked core, in pixels of the tensor.'),
  textsMax: z.int().min(1).max(CANDIDATES_MAX).default(100).describe('At most so many text boxes a frame, best first.'),
});

/**
 * PP-OCRv4 text detection (PaddleOCR, differentiable binarization, arXiv:1911.08947). Input `[1, 3, H, W]` NCHW float32 BGR, ImageNet mean and deviation,
 * H and W multiples of 32. Output `[1, 1, H, W]`: probability that a pixel belongs to the shrunken core of a text line.
 */
export const ppocrDet: ImageCodecFactory = {
  kind: 'image',
  optionsSchema,
  create(model): ImageCodec {
    const input = onlyInput(model, [1, 3, -1, -1]);
    const size = { width: axis(input, 3), height: axis(input, 2), mode: 'letterbox' } as const;
    const map = outputOfShape(model, [1, 1, size.height, size.width]);
    if (map < 0 || size.width % 32 !== 0 || size.height % 32 !== 0) {
      throw contractError(
        model,
        `input ${describeTensors(model.inputs)}, outputs ${describeTensors(model.outputs)}`,
        'an output [1,1,H,W] with the input H and W, multiples of 32',
      );
    }
    // 255 times the ImageNet mean and deviation of 0..1. PaddleOCR feeds BGR to the triple written down for RGB, and so was the network trained.
    const write = createTensorWriter({
      layout: 'nchw',
      channels: 'bgr',
      mean: [0.406 * 255, 0.456 * 255, 0.485 * 255],
      std: [0.225 * 255, 0.224 * 255, 0.229 * 255],
    });
    const finder = createRunFinder(size.width, size.height);
    return {
      kind: 'image',
      encode: (pixels, tensor) => encodeImage(pixels, tensor, size, write),
      decode(outputs, transform, rawOptions) {
        const options = parseDecodeOptions('ppocr-det', optionsSchema, rawOptions);
        const probabilities = outputs[map] as Float32Array;
        const items: TextBoxItem[] = [];
        for (const runs of finder.find(probabilities, options.pixelMin, options.sideMin ** 2, CANDIDATES_MAX)) {
          const rect = minAreaRect(convexHull(rowCorners(runs)));
          if (rect === undefined || Math.min(rect.width, rect.height) < options.sideMin) continue;
          const score = meanInside(probabilities, size.width, size.height, cornersOf(rect));
          if (score < options.scoreMin) continue;
          const quad = toFrameQuad(transform, unclipped(rect, options.growRatio));
          if (quad !== undefined) items.push({ kind: 'text-box', label: 'text-box', score: Math.min(score, 1), quad });
        }
        return items.sort(byScore).slice(0, options.textsMax);
      },
    };
  },
};

/**
 * The outer corners of the first and last pixel of each row: pixel (x, y) covers x..x+1, y..y+1. What lies between cannot be a corner of the hull, which
 * keeps even a group of 200 000 runs, a chessboard of noise, at four points a row.
 */
function rowCorners(runs: readonly Run[]): Point[] {
  const points: Point[] = [];
  let start = 0;
  for (let index = 1; index <= runs.length; index += 1) {
    const { row, left } = runs[start] as Run;
    if (runs[index]?.row === row) continue;
    const { right } = runs[index - 1] as Run;
    points.push({ x: left, y: row }, { x: right, y: row }, { x: left, y: row + 1 }, { x: right, y: row + 1 });
    start = index;
  }
  return points;
}

/**
 * DBPostProcess grows a polygon by `area * ratio / perimeter` with round corners, and takes the smallest rectangle around the result. For a rectangle
 * that is the same rectangle with each side moved out, so no polygon clipper is needed.
 */
function unclipped(rect: RotatedRect, ratio: number): RotatedRect {
  return grown(rect, (rect.width * rect.height * ratio) / (2 * (rect.width + rect.height)));
}

/** Mean of the map over the pixels whose centres lie inside the convex quad (PaddleOCR's `box_score_fast`); 0 when there are none. */
export function meanInside(map: Float32Array, width: number, height: number, quad: Quad): number {
  const ys = quad.map((corner) => corner.y);
  const first = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const last = Math.min(height - 1, Math.floor(Math.max(...ys) - 0.5));
  let total = 0;
  let count = 0;
  for (let row = first; row <= last; row += 1) {
    const [from, to] = spanAt(quad, row + 0.5);
    const end = Math.min(width - 1, Math.floor(to - 0.5));
    for (let x = Math.max(0, Math.ceil(from - 0.5)); x <= end; x += 1) {
      total += map[row * width + x] as number;
      count += 1;
    }
  }
  return count === 0 ? 0 : total / count;
}

/** Where a horizontal line enters and leaves the quad. */
function spanAt(quad: Quad, y: number): readonly [number, number] {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  quad.forEach((a, index) => {
    const b = quad[(index + 1) % 4] as Point;
    if (Math.min(a.y, b.y) > y || Math.max(a.y, b.y) < y || a.y === b.y) return;
    const x = a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x);
    from = Math.min(from, x);
    to = Math.max(to, x);
  });
  return [from, to];
}

/** Corners clipped to the frame; undefined when less than a pixel is left along or across, as in the bars of the letterbox. */
function toFrameQuad(transform: ImageTransform, rect: RotatedRect): Quad | undefined {
  const [a, b, c, d] = cornersOf(rect);
  const quad: Quad = [
    toFramePoint(transform, a.x, a.y),
    toFramePoint(transform, b.x, b.y),
    toFramePoint(transform, c.x, c.y),
    toFramePoint(transform, d.x, d.y),
  ];
  const distance = (from: Point, to: Point): number => Math.hypot(to.x - from.x, to.y - from.y);
  const along = Math.min(distance(quad[0], quad[1]), distance(quad[3], quad[2]));
  const across = Math.min(distance(quad[0], quad[3]), distance(quad[1], quad[2]));
  return along >= 1 && across >= 1 ? quad : undefined;
}
