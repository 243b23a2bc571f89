import { z } from 'zod';
import type { ModelSpec } from '../../core/model.ts';
import type { FaceItem } from '../../core/result.ts';
import type { ImageCodec, ImageCodecFactory, ImageTransform } from '../codec.ts';
import { parseDecodeOptions } from '../decode-options.ts';
import { axis, contractError, describeTensors, onlyInput, outputOfShape } from '../model-contract.ts';
import { anchorCentres, anchorCount, BLAZEFACE_LAYERS } from './blazeface-anchors.ts';
import { byScore, mergeOverlaps, type ScoredBox } from './box-suppression.ts';
import { toFrameBox, toFramePoint } from './frame-geometry.ts';
import { encodeImage } from './image-fit.ts';
import { createTensorWriter } from './image-tensor.ts';

const KEYPOINTS = 6;
/** Centre x, y, width, height, then x, y of each keypoint. */
const ROW = 4 + 2 * KEYPOINTS;
/** A face is hit by some dozen anchors, so 300 leave room for more faces than can be told apart at this size. */
const CANDIDATES_MAX = 300;

const optionsSchema = z.strictObject({
  // Finds all 22 faces of the six sample photos, the hardest at 0.58, and nothing else down to 0.4.
  scoreMin: z.number().min(0.01).max(1).default(0.5).describe('Least score of a face, 0..1.'),
  // MediaPipe's min_suppression_threshold of its face detectors.
  overlapMax: z.number().min(0).max(1).default(0.3).describe('Boxes with a higher intersection over union are averaged into one face.'),
  facesMax: z.int().min(1).max(CANDIDATES_MAX).default(32).describe('At most so many faces a frame, best first.'),
});

interface FaceBox extends ScoredBox {
  /** In tensor pixels: x, y of each keypoint. */
  readonly points: readonly number[];
}

interface Layer {
  readonly scores: number;
  readonly boxes: number;
  readonly centres: Float32Array;
}

/**
 * BlazeFace (arXiv:1907.05047; MediaPipe's face_detection_back 256 and front 128). Input `[1, S, S, 3]` NHWC float32 RGB, -1..1. Outputs: logits
 * `[1, 512, 1]` and `[1, 384, 1]`, boxes `[1, 512, 16]` and `[1, 384, 16]` in pixels of S relative to their anchor's centre.
 */
export const blazeface: ImageCodecFactory = {
  kind: 'image',
  optionsSchema,
  create(model): ImageCodec {
    const input = onlyInput(model, [1, -1, -1, 3]);
    const size = { width: axis(input, 2), height: axis(input, 1), mode: 'letterbox' } as const;
    const layers = layersOf(model);
    const write = createTensorWriter({ layout: 'nhwc', channels: 'rgb', mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] });
    return {
      kind: 'image',
      encode: (pixels, tensor) => encodeImage(pixels, tensor, size, write),
      decode(outputs, transform, rawOptions) {
        const options = parseDecodeOptions('blazeface', optionsSchema, rawOptions);
        const boxes: FaceBox[] = [];
        for (const layer of layers) {
          collectFaces(
            outputs[layer.scores] as Float32Array,
            outputs[layer.boxes] as Float32Array,
            layer.centres,
            { ...size, ...options },
            boxes,
          );
        }
        const candidates = boxes.length > CANDIDATES_MAX ? boxes.sort(byScore).slice(0, CANDIDATES_MAX) : boxes;
        return mergeOverlaps(candidates, options.overlapMax, options.facesMax, averageFace).flatMap((face) => toItem(face, transform));
      },
    };
  },
};

function layersOf(model: ModelSpec): readonly Layer[] {
  return BLAZEFACE_LAYERS.map((layer) => {
    const anchors = anchorCount(layer);
    const scores = outputOfShape(model, [1, anchors, 1]);
    const boxes = outputOfShape(model, [1, anchors, ROW]);
    if (scores < 0 || boxes < 0)
      throw contractError(model, `outputs ${describeTensors(model.outputs)}`, `outputs [1,${anchors},1] and [1,${anchors},${ROW}]`);
    return { scores, boxes, centres: anchorCentres(layer) };
  });
}

interface FaceDecoding {
  readonly width: number;
  readonly height: number;
  readonly scoreMin: number;
}

function collectFaces(scores: Float32Array, rows: Float32Array, centres: Float32Array, decoding: FaceDecoding, boxes: FaceBox[]): void {
  // Comparing logits spares 896 exponentials a frame; a score of 1 would ask for an infinite logit.
  const logitMin = Math.log(decoding.scoreMin / (1 - decoding.scoreMin));
  for (let anchor = 0; anchor < scores.length; anchor += 1) {
    const logit = scores[anchor] as number;
    if (logit < logitMin) continue;
    const anchorX = (centres[2 * anchor] as number) * decoding.width;
    const anchorY = (centres[2 * anchor + 1] as number) * decoding.height;
    const value = (index: number): number => rows[anchor * ROW + index] as number;
    const halfWidth = value(2) / 2;
    const halfHeight = value(3) / 2;
    if (!(halfWidth > 0 && halfHeight > 0)) continue;
    const x = anchorX + value(0);
    const y = anchorY + value(1);
    const points = Array.from({ length: 2 * KEYPOINTS }, (_, index) => value(4 + index) + (index % 2 === 0 ? anchorX : anchorY));
    const score = 1 / (1 + Math.exp(-logit));
    boxes.push({ left: x - halfWidth, top: y - halfHeight, right: x + halfWidth, bottom: y + halfHeight, score, classIndex: 0, points });
  }
}

/** The mean of a group weighted by score; the score stays that of the best. */
function averageFace(group: readonly FaceBox[]): FaceBox {
  const best = group[0] as FaceBox;
  const total = group.reduce((sum, face) => sum + face.score, 0);
  const mean = (of: (face: FaceBox) => number): number => group.reduce((sum, face) => sum + of(face) * face.score, 0) / total;
  return {
    left: mean((face) => face.left),
    top: mean((face) => face.top),
    right: mean((face) => face.right),
    bottom: mean((face) => face.bottom),
    score: best.score,
    classIndex: best.classIndex,
    points: best.points.map((_, index) => mean((face) => face.points[index] as number)),
  };
}

function toItem(face: FaceBox, transform: ImageTransform): FaceItem[] {
  const box = toFrameBox(transform, face.left, face.top, face.right, face.bottom);
  if (box === undefined) return [];
  const keypoints = Array.from({ length: KEYPOINTS }, (_, index) =>
    toFramePoint(transform, face.points[2 * index] as number, face.points[2 * index + 1] as number),
  );
  return [{ kind: 'face', label: 'face', score: face.score, box, keypoints }];
}
