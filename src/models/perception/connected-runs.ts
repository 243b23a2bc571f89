import { assert } from '../../core/assert.ts';

/** Pixels of one row from `left` up to, not including, `right`. */
export interface Run {
  readonly row: number;
  readonly left: number;
  readonly right: number;
}

/**
 * Finds the 8-connected groups of a map's pixels over a threshold, as rows of runs. Working by runs touches each pixel once and each run a few times,
 * and a group's convex hull needs only the ends of its runs. Buffers are kept between calls; their sizes are the worst case, a run every other pixel.
 */
export interface RunFinder {
  /** Groups of at least `pixelsMin` pixels; the largest `groupsMax` of them, larger first, equal ones in order of their first pixel. */
  find(map: Float32Array, threshold: number, pixelsMin: number, groupsMax: number): Run[][];
}

export function createRunFinder(width: number, height: number): RunFinder {
  const runsMax = height * Math.ceil(width / 2);
  const rows = new Int32Array(runsMax);
  const lefts = new Int32Array(runsMax);
  const rights = new Int32Array(runsMax);
  const parents = new Int32Array(runsMax);
  const sizes = new Int32Array(runsMax);

  const root = (run: number): number => {
    let at = run;
    while (parents[at] !== at) {
      // Path halving keeps the trees flat (Tarjan and van Leeuwen, 1984).
      parents[at] = parents[parents[at] as number] as number;
      at = parents[at] as number;
    }
    return at;
  };

  /** Joins runs `a` and `b`; the earlier root wins, so that a group's root is its first run. */
  const join = (a: number, b: number): void => {
    const rootA = root(a);
    const rootB = root(b);
    if (rootA < rootB) parents[rootB] = rootA;
    else parents[rootA] = rootB;
  };

  const scanRow = (map: Float32Array, threshold: number, row: number, start: number): number => {
    let count = start;
    let left = -1;
    const offset = row * width;
    for (let x = 0; x <= width; x += 1) {
      const isOver = x < width && (map[offset + x] as number) > threshold;
      if (isOver && left < 0) left = x;
      else if (!isOver && left >= 0) {
        rows[count] = row;
        lefts[count] = left;
        rights[count] = x;
        parents[count] = count;
        count += 1;
        left = -1;
      }
    }
    return count;
  };

  /** Joins touching runs, corners included, of two neighbouring rows: both lists are sorted, so one merge pass finds every touch. */
  const joinRows = (upper: number, upperEnd: number, lower: number, lowerEnd: number): void => {
    let above = upper;
    let below = lower;
    while (above < upperEnd && below < lowerEnd) {
      if ((lefts[above] as number) <= (rights[below] as number) && (lefts[below] as number) <= (rights[above] as number))
        join(above, below);
      if ((rights[above] as number) < (rights[below] as number)) above += 1;
      else below += 1;
    }
  };

  return {
    find(map, threshold, pixelsMin, groupsMax) {
      assert(map.length === width * height, `a map of ${map.length} elements is ${width} x ${height}`);
      let count = 0;
      let upper = 0;
      for (let row = 0; row < height; row += 1) {
        const lower = count;
        count = scanRow(map, threshold, row, lower);
        joinRows(upper, lower, lower, count);
        upper = lower;
      }
      sizes.fill(0, 0, count);
      for (let run = 0; run < count; run += 1) {
        const first = root(run);
        sizes[first] = (sizes[first] as number) + (rights[run] as number) - (lefts[run] as number);
      }
      const groups = new Map<number, Run[]>();
      for (const first of largest(sizes, count, pixelsMin, groupsMax)) groups.set(first, []);
      for (let run = 0; run < count; run += 1) {
        groups.get(root(run))?.push({ row: rows[run] as number, left: lefts[run] as number, right: rights[run] as number });
      }
      return [...groups.values()];
    },
  };
}

/** The roots with the most pixels: `sizes` is zero for runs that are not roots. */
function largest(sizes: Int32Array, count: number, pixelsMin: number, groupsMax: number): number[] {
  const roots: number[] = [];
  for (let run = 0; run < count; run += 1) if ((sizes[run] as number) >= Math.max(1, pixelsMin)) roots.push(run);
  return roots.sort((a, b) => (sizes[b] as number) - (sizes[a] as number) || a - b).slice(0, groupsMax);
}
