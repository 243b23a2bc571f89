import { z } from 'zod';
import type { ModelSpec } from '../../core/model.ts';
import type { ObjectItem } from '../../core/result.ts';
import type { ImageCodec, ImageCodecFactory, ImageTransform } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { axis, contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { byScore, type ScoredBox, suppressOverlaps } from './box-suppression.ts';
import { COCO_LABELS } from './coco-labels.ts';
import { toFrameBox } from './frame-geometry.ts';
import { encodeImage } from './image-fit.ts';
import { createTensorWriter } from './image-tensor.ts';

const STRIDES = [8, 16, 32] as const;
const CLASSES = COCO_LABELS.length;
/** Bounds the quadratic suppression; the best ones are kept. NanoDet's own `nms_pre` is 1000 a level. */
const CANDIDATES_MAX = 1000;

const optionsSchema = z.strictObject({
  // Least score at which all 12 people of the sample photos front/people-1, -4, -5 are found, at 0.38 to 0.83; the first wrong `tie` and `chair` come with it.
  scoreMin: z.number().min(0.01).max(1).default(0.35).describe('Least class score of an object, 0..1.'),
  // 0.6, as in NanoDet's own configuration, leaves a second box on people who stand close together.
  overlapMax: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Of two boxes of one class with a higher intersection over union, the better stays.'),
  objectsMax: z.int().min(1).max(CANDIDATES_MAX).default(100).describe('At most so many objects a frame, best first.'),
  labels: z.array(z.enum(COCO_LABELS)).max(CLASSES).default([]).describe('Report only these; all when empty.'),
});

/** One feature map: its cells' stride and where its two tensors stand among the outputs. */
interface Level {
  readonly stride: number;
  readonly cells: number;
  readonly scores: number;
  readonly distances: number;
}

/**
 * NanoDet (RangiLyu/nanodet, nanodet-g 416): objects of COCO's 80 classes.
 * Input `[1, 3, S, S]` NCHW float32 BGR, mean and deviation as trained. Per stride 8, 16, 32: scores `[1, n, 80]` after their sigmoid, and
 * `[1, n, 4 x bins]` logits of the distance from the cell's centre to left, top, right and bottom.
 */
export const nanodet: ImageCodecFactory = {
  kind: 'image',
  optionsSchema,
  create(model): ImageCodec {
    const input = onlyInput(model, [1, 3, -1, -1]);
    const size = { width: axis(input, 3), height: axis(input, 2), mode: 'letterbox' } as const;
    const { levels, bins } = levelsOf(model, size.width, size.height);
    const write = createTensorWriter({ layout: 'nchw', channels: 'bgr', mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] });
    return {
      kind: 'image',
      encode: (pixels, tensor) => encodeImage(pixels, tensor, size, write),
      decode(outputs, transform, rawOptions) {
        const options = parseDecodeOptions('nanodet', optionsSchema, rawOptions);
        const wanted = options.labels.length === 0 ? undefined : COCO_LABELS.map((label) => options.labels.includes(label));
        const boxes: ScoredBox[] = [];
        for (const level of levels) {
          const scores = outputs[level.scores] as Float32Array;
          const distances = outputs[level.distances] as Float32Array;
          collectBoxes(
            scores,
            distances,
            { level, bins, columns: Math.ceil(size.width / level.stride), scoreMin: options.scoreMin, wanted },
            boxes,
          );
        }
        const candidates = boxes.length > CANDIDATES_MAX ? boxes.sort(byScore).slice(0, CANDIDATES_MAX) : boxes;
        return suppressOverlaps(candidates, options.overlapMax, options.objectsMax).flatMap((box) => toItem(box, transform));
      },
    };
  },
};

function levelsOf(model: ModelSpec, width: number, height: number): { readonly levels: readonly Level[]; readonly bins: number } {
  let columns = -1;
  const levels = STRIDES.map((stride) => {
    const cells = Math.ceil(width / stride) * Math.ceil(height / stride);
    const scores = outputOfShape(model, [1, cells, CLASSES]);
    const distances = model.outputs.findIndex(
      (output, index) => index !== scores && output.type === 'float32' && axis(output, 1) === cells,
    );
    const found = model.outputs[distances];
    const isKnown = scores >= 0 && found?.shape.length === 3 && axis(found, 2) % 4 === 0 && (columns === -1 || axis(found, 2) === columns);
    if (!isKnown) {
      const wanted = `for stride ${stride} outputs [1,${cells},${CLASSES}] and [1,${cells},4 x bins]`;
      throw contractError(model, `outputs ${describeTensors(model.outputs)}`, wanted);
    }
    columns = axis(found, 2);
    return { stride, cells, scores, distances };
  });
  return { levels, bins: columns / 4 };
}

interface LevelDecoding {
  readonly level: Level;
  readonly bins: number;
  readonly columns: number;
  readonly scoreMin: number;
  readonly wanted: readonly boolean[] | undefined;
}

/** Appends the box of each cell whose best wanted class reaches `scoreMin`. */
function collectBoxes(scores: Float32Array, distances: Float32Array, decoding: LevelDecoding, boxes: ScoredBox[]): void {
  const { level, bins, columns, scoreMin, wanted } = decoding;
  for (let cell = 0; cell < level.cells; cell += 1) {
    let classIndex = -1;
    let score = scoreMin;
    for (let index = 0, at = cell * CLASSES; index < CLASSES; index += 1, at += 1) {
      const value = scores[at] as number;
      if (value >= score && (value > score || classIndex < 0) && (wanted === undefined || wanted[index] === true)) {
        score = value;
        classIndex = index;
      }
    }
    if (classIndex < 0) continue;
    const centreX = ((cell % columns) + 0.5) * level.stride;
    const centreY = (Math.floor(cell / columns) + 0.5) * level.stride;
    const at = cell * 4 * bins;
    const left = centreX - expectedBin(distances, at, bins) * level.stride;
    const top = centreY - expectedBin(distances, at + bins, bins) * level.stride;
    const right = centreX + expectedBin(distances, at + 2 * bins, bins) * level.stride;
    const bottom = centreY + expectedBin(distances, at + 3 * bins, bins) * level.stride;
    boxes.push({ left, top, right, bottom, score: Math.min(score, 1), classIndex });
  }
}

/** The expectation of the bin index under the softmax of `bins` logits: the integral of Generalized Focal Loss (arXiv:2006.04388, eq. 3-5). */
export function expectedBin(logits: Float32Array, start: number, bins: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let bin = 0; bin < bins; bin += 1) max = Math.max(max, logits[start + bin] as number);
  let total = 0;
  let weighted = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const weight = Math.exp((logits[start + bin] as number) - max);
    total += weight;
    weighted += weight * bin;
  }
  return weighted / total;
}

function toItem(found: ScoredBox, transform: ImageTransform): ObjectItem[] {
  const box = toFrameBox(transform, found.left, found.top, found.right, found.bottom);
  const label = COCO_LABELS[found.classIndex];
  return box === undefined || label === undefined ? [] : [{ kind: 'object', label, score: found.score, box }];
}
