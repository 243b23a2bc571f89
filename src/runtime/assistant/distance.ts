import type { Box } from '../../core/result.ts';

/** In pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Typical heights in metres of what stands on streets and in rooms, by the labels of COCO. What differs much from one to the next, such as a bird, is left out. */
const HEIGHTS_M: Readonly<Record<string, number>> = {
  ...{ person: 1.7, bicycle: 1.1, car: 1.5, motorcycle: 1.2, bus: 3.1, truck: 3.1, train: 3.8 },
  ...{ 'traffic light': 0.9, 'fire hydrant': 0.8, 'stop sign': 0.75, 'parking meter': 1.3, bench: 0.9 },
  ...{ cat: 0.3, dog: 0.5, horse: 1.7, sheep: 0.8, cow: 1.5, elephant: 3, zebra: 1.5, giraffe: 4.8 },
  ...{ chair: 0.9, couch: 0.9, 'dining table': 0.75, refrigerator: 1.7, 'potted plant': 0.6, suitcase: 0.7 },
};

/** Nearer than this a box is all of the picture, and farther than that a pixel is metres. */
const NEAR_M = 0.3;
const FAR_M = 100;
/** Of the picture's height: a box that comes nearer to the edge may be cut off there. */
const EDGE_RATIO = 0.01;

/**
 * How far off a thing is, by the height of its box and how high such things mostly are: `heightM x focal length / pixels`, for a pinhole camera with square pixels whose picture is `fieldOfViewDeg`
 * wide (Hartley and Zisserman, Multiple View Geometry, ch. 6). As good as the guess of the height: somebody who sits is told a third too far. Undefined for what has no usual
 * height, for a box that the picture cuts off, and beyond 100 m.
 */
export function estimateDistanceM(label: string, box: Box, picture: PictureSize, fieldOfViewDeg: number): number | undefined {
  const heightM = Object.hasOwn(HEIGHTS_M, label) ? HEIGHTS_M[label] : undefined;
  const edge = picture.height * EDGE_RATIO;
  const isCut = box.y <= edge || box.y + box.height >= picture.height - edge;
  if (heightM === undefined || isCut || !(box.height > 0)) return undefined;
  const focalPixels = picture.width / 2 / Math.tan((fieldOfViewDeg * Math.PI) / 360);
  const distanceM = (heightM * focalPixels) / box.height;
  return distanceM >= NEAR_M && distanceM <= FAR_M ? Number(distanceM.toFixed(1)) : undefined;
}
