/**
 * The tokens that are still in question while one is chosen: scores over places 0 .. count - 1, ascending by token id, so that of two equal scores the one at the
 * lower place wins. All memory is taken once and used again for every token.
 */
export interface Candidates {
  /** Picks the best place. -1 when no score is above -Infinity. */
  best(scores: Float32Array, count: number): number;
  /** The `k` best places, best first, into `order`; answers how many there are. Time: one look at each score, and log k for each that is better than k before it. */
  selectTopK(scores: Float32Array, count: number, k: number): number;
  /**
   * The fewest places whose weights exp((score - best) * inverseTemperature) reach `topP` of all weights, into `order`, best first within a narrow band at the
   * edge and by place elsewhere; answers how many there are. No sorting but in that band.
   */
  selectTopP(scores: Float32Array, count: number, inverseTemperature: number, topP: number): number;
  /** Places chosen by the last selection. */
  readonly order: Int32Array;
  /** Weights by place in `order`. */
  readonly weights: Float64Array;
}

/** Weights below e^-32 of the best one count as nothing: 150 000 of them together would be 2e-9 of a probability. */
const EXPONENT_MIN = -32;
/** Bands of the nucleus search, each 1/32 of a nat wide. */
const BANDS = 1024;
const BANDS_PER_NAT = BANDS / -EXPONENT_MIN;

export function createCandidates(size: number): Candidates {
  const order = new Int32Array(size);
  const weights = new Float64Array(size);
  const byPlace = new Float64Array(size);
  const bandMass = new Float64Array(BANDS);
  const heap = { length: 0 };
  /** e to the lower end of each band; what is left of an exponent, below 1/32, is added by a cubic, exact to 4e-8. Three times as fast as Math.exp. */
  const bandWeights = Float64Array.from({ length: BANDS + 1 }, (_, band) => Math.exp(-band / BANDS_PER_NAT));

  const best = (scores: Float32Array, count: number): number => {
    let place = -1;
    let top = Number.NEGATIVE_INFINITY;
    for (let at = 0; at < count; at += 1) {
      const score = scores[at] as number;
      if (score > top) {
        top = score;
        place = at;
      }
    }
    return place;
  };

  const selectTopK = (scores: Float32Array, count: number, k: number): number => {
    heap.length = 0;
    for (let at = 0; at < count; at += 1) {
      const score = scores[at] as number;
      if (heap.length === k) {
        // Places ascend, so an equal score is worse than every equal one that is in already.
        if (!(score > (scores[order[0] as number] as number))) continue;
        order[0] = at;
        sink(order, k, 0, scores);
      } else if (score > Number.NEGATIVE_INFINITY) {
        order[heap.length] = at;
        heap.length += 1;
        if (heap.length === k) for (let node = (k >> 1) - 1; node >= 0; node -= 1) sink(order, k, node, scores);
      }
    }
    if (heap.length < k) sortBest(order.subarray(0, heap.length), scores);
    // The root is the worst: put behind the rest again and again, it leaves the best at the front.
    else
      for (let end = k - 1; end > 0; end -= 1) {
        const worst = order[0] as number;
        order[0] = order[end] as number;
        order[end] = worst;
        sink(order, end, 0, scores);
      }
    return heap.length;
  };

  const selectTopP = (scores: Float32Array, count: number, inverseTemperature: number, topP: number): number => {
    const bestPlace = best(scores, count);
    if (bestPlace < 0) return 0;
    const top = scores[bestPlace] as number;
    const bandScale = -inverseTemperature * BANDS_PER_NAT;
    bandMass.fill(0);
    let total = 0;
    for (let at = 0; at < count; at += 1) {
      const depth = ((scores[at] as number) - top) * bandScale;
      if (!(depth < BANDS)) {
        byPlace[at] = 0;
        continue;
      }
      const band = depth | 0;
      const rest = (band - depth) / BANDS_PER_NAT;
      const weight = (bandWeights[band] as number) * (1 + rest * (1 + rest * (0.5 + rest / 6)));
      byPlace[at] = weight;
      total += weight;
      bandMass[band] = (bandMass[band] as number) + weight;
    }
    if (topP >= 1) return keepAll(count);
    const wanted = topP * total;
    let edge = 0;
    let mass = 0;
    while (edge < BANDS - 1 && mass + (bandMass[edge] as number) < wanted) {
      mass += bandMass[edge] as number;
      edge += 1;
    }
    let inside = 0;
    let atEdge = size;
    for (let at = 0; at < count; at += 1) {
      if (byPlace[at] === 0) continue;
      const band = (((scores[at] as number) - top) * bandScale) | 0;
      if (band < edge) {
        order[inside] = at;
        inside += 1;
      } else if (band === edge) {
        atEdge -= 1;
        order[atEdge] = at;
      }
    }
    const band = order.subarray(atEdge, size);
    sortBest(band, scores);
    for (let index = 0; index < band.length && (mass < wanted || inside === 0); index += 1) {
      const place = band[index] as number;
      mass += byPlace[place] as number;
      order[inside] = place;
      inside += 1;
    }
    for (let index = 0; index < inside; index += 1) weights[index] = byPlace[order[index] as number] as number;
    return inside;
  };

  const keepAll = (count: number): number => {
    let kept = 0;
    for (let at = 0; at < count; at += 1) {
      if (byPlace[at] === 0) continue;
      order[kept] = at;
      weights[kept] = byPlace[at] as number;
      kept += 1;
    }
    return kept;
  };

  return { best, selectTopK, selectTopP, order, weights };
}

/** Best score first, of equal ones the lower place. */
function sortBest(places: Int32Array, scores: Float32Array): void {
  places.sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
}

/** Puts node `at` of a heap whose root is the worst place where it belongs. */
function sink(heap: Int32Array, length: number, at: number, scores: Float32Array): void {
  const place = heap[at] as number;
  const score = scores[place] as number;
  let node = at;
  for (;;) {
    let child = 2 * node + 1;
    if (child >= length) break;
    let childPlace = heap[child] as number;
    let childScore = scores[childPlace] as number;
    if (child + 1 < length) {
      const other = heap[child + 1] as number;
      const otherScore = scores[other] as number;
      if (otherScore < childScore || (otherScore === childScore && other > childPlace)) {
        child += 1;
        childPlace = other;
        childScore = otherScore;
      }
    }
    if (!(childScore < score || (childScore === score && childPlace > place))) break;
    heap[node] = childPlace;
    node = child;
  }
  heap[node] = place;
}
