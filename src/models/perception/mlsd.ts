import { z } from 'zod';
import type { LineItem } from '../../core/result.ts';
import type { ImageCodec, ImageCodecFactory, ImageTransform } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { axis, contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { byScore } from './box-suppression.ts';
import { toFrameSegment } from './frame-geometry.ts';
import { encodeImage } from './image-fit.ts';
import { createTensorWriter } from './image-tensor.ts';

/** The maps are half as wide and high as the input. */
const MAP_STRIDE = 2;
const LINES_MAX = 1000;

const optionsSchema = z.strictObject({
  scoreMin: z.number().min(0.01).max(1).default(0.2).describe('Least score of a line, 0..1.'),
  lengthMinRatio: z.number().min(0).max(1).default(0.05).describe("Least length of a line as a share of the tensor's width."),
  linesMax: z.int().min(1).max(LINES_MAX).default(200).describe('At most so many lines a frame, best first.'),
});

/** A place of the heat map that is no lower than its eight neighbours. */
export interface Peak {
  readonly at: number;
  readonly score: number;
}

/**
 * M-LSD line segments (arXiv:2106.00186, Navervision M-LSD). Input `[1, S, S, 4]` NHWC float32 RGB 0..255 with a fourth channel of ones. Outputs, half the
 * size: `scores [1, S/2, S/2, 1]`, 0..1, of a line's centre, and `offsets [1, S/2, S/2, 4]` from there to its ends (dx, dy, dx, dy) in pixels of the map.
 */
export const mlsd: ImageCodecFactory = {
  kind: 'image',
  optionsSchema,
  create(model): ImageCodec {
    const input = onlyInput(model, [1, -1, -1, 4]);
    const size = { width: axis(input, 2), height: axis(input, 1), mode: 'stretch' } as const;
    const columns = size.width / MAP_STRIDE;
    const rows = size.height / MAP_STRIDE;
    const scores = outputOfShape(model, [1, rows, columns, 1]);
    const offsets = outputOfShape(model, [1, rows, columns, 4]);
    if (scores < 0 || offsets < 0)
      throw contractError(
        model,
        `outputs ${describeTensors(model.outputs)}`,
        `outputs [1,${rows},${columns},1] and [1,${rows},${columns},4]`,
      );
    const write = createTensorWriter({ layout: 'nhwc', channels: 'rgba', mean: [0, 0, 0], std: [1, 1, 1], alpha: 1 });
    return {
      kind: 'image',
      encode: (pixels, tensor) => encodeImage(pixels, tensor, size, write),
      decode(outputs, transform, rawOptions) {
        const options = parseDecodeOptions('mlsd', optionsSchema, rawOptions);
        const displacements = outputs[offsets] as Float32Array;
        const lengthMin = options.lengthMinRatio * columns;
        const items: LineItem[] = [];
        for (const peak of findPeaks(outputs[scores] as Float32Array, columns, rows, options.scoreMin)) {
          if (items.length >= options.linesMax) break;
          const item = toLine(peak, displacements, columns, lengthMin, transform);
          if (item !== undefined) items.push(item);
        }
        return items;
      },
    };
  },
};

/** Local maxima of 3 x 3 places over `scoreMin`, best first, at most `LINES_MAX`; of a plateau the first place in reading order. */
export function findPeaks(map: Float32Array, columns: number, rows: number, scoreMin: number): Peak[] {
  const peaks: Peak[] = [];
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const at = y * columns + x;
      const score = map[at] as number;
      if (score >= scoreMin && isPeak(map, columns, rows, x, y, score)) peaks.push({ at, score: Math.min(score, 1) });
    }
  }
  return peaks.sort(byScore).slice(0, LINES_MAX);
}

function isPeak(map: Float32Array, columns: number, rows: number, x: number, y: number, score: number): boolean {
  const bottom = Math.min(rows - 1, y + 1);
  const right = Math.min(columns - 1, x + 1);
  for (let row = Math.max(0, y - 1); row <= bottom; row += 1) {
    for (let column = Math.max(0, x - 1); column <= right; column += 1) {
      const value = map[row * columns + column] as number;
      const isEarlier = row < y || (row === y && column < x);
      if (value > score || (value === score && isEarlier)) return false;
    }
  }
  return true;
}

function toLine(peak: Peak, offsets: Float32Array, columns: number, lengthMin: number, transform: ImageTransform): LineItem | undefined {
  const x = peak.at % columns;
  const y = Math.floor(peak.at / columns);
  const offset = (index: number): number => offsets[4 * peak.at + index] as number;
  if (Math.hypot(offset(2) - offset(0), offset(3) - offset(1)) < lengthMin) return undefined;
  // Per-axis clipping would turn a line that leaves the frame, so the segment is cut instead.
  const segment = toFrameSegment(
    transform,
    { x: (x + offset(0)) * MAP_STRIDE, y: (y + offset(1)) * MAP_STRIDE },
    { x: (x + offset(2)) * MAP_STRIDE, y: (y + offset(3)) * MAP_STRIDE },
  );
  return segment && { kind: 'line', label: 'line', score: peak.score, ...segment };
}
