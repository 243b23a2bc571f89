/** Edges in tensor pixels, with `left < right` and `top < bottom`. */
export interface ScoredBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly score: number;
  readonly classIndex: number;
}

/** Intersection over union, 0..1. */
export function overlapRatio(a: ScoredBox, b: ScoredBox): number {
  const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
  const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / ((a.right - a.left) * (a.bottom - a.top) + (b.right - b.left) * (b.bottom - b.top) - shared);
}

/** Best first; equal scores keep their order, so that one input gives one output. */
export const byScore = (a: { readonly score: number }, b: { readonly score: number }): number => b.score - a.score;

/**
 * Greedy non-maximum suppression inside each class: the best box stays and removes all of its class that overlap it by more than `overlapMax`.
 * At most `boxesMax` boxes come out, best first. Quadratic, so the caller bounds `boxes`.
 */
export function suppressOverlaps<T extends ScoredBox>(boxes: readonly T[], overlapMax: number, boxesMax: number): T[] {
  const kept: T[] = [];
  for (const box of boxes.toSorted(byScore)) {
    if (kept.length >= boxesMax) break;
    if (!kept.some((other) => other.classIndex === box.classIndex && overlapRatio(other, box) > overlapMax)) kept.push(box);
  }
  return kept;
}

/**
 * Weighted suppression as MediaPipe does it (NonMaxSuppressionCalculator, WEIGHTED): the boxes that overlap the best one by more than `overlapMax` are
 * not thrown away but averaged with it, weighted by score, which steadies boxes from frame to frame. `merge` makes that average; it is given the best box first.
 */
export function mergeOverlaps<T extends ScoredBox>(
  boxes: readonly T[],
  overlapMax: number,
  boxesMax: number,
  merge: (group: readonly T[]) => T,
): T[] {
  let remaining = boxes.toSorted(byScore);
  const merged: T[] = [];
  for (let best = remaining[0]; best !== undefined && merged.length < boxesMax; best = remaining[0]) {
    const group: T[] = [];
    const others: T[] = [];
    for (const box of remaining) (box === best || overlapRatio(best, box) > overlapMax ? group : others).push(box);
    merged.push(merge(group));
    remaining = others;
  }
  return merged;
}
