/** A part may be this much longer than the shortest longest part there is, if fewer bytes cross for it. */
const SLACK_RATIO = 1.05;

/** Borders that are looked at; of a graph with more, every so many-th. */
const BORDERS_MAX = 1_000;

/** Bisections of a time: beyond the digits of a double. */
const HALVINGS = 60;

/**
 * Where to cut a row of nodes into at most `blocks` parts: the longest is as short as can be, and then as few bytes cross as can be. `times` are those of the nodes,
 * `crossing` the bytes that cross when a part begins with that node, infinite where none may. Places of nodes that begin a part, but for the first, ascending.
 */
export function chooseBorders(times: readonly number[], crossing: ArrayLike<number>, blocks: number): readonly number[] {
  const open = times.flatMap((_, index) => (index > 0 && Number.isFinite(crossing[index]) ? [index] : []));
  const every = Math.ceil(open.length / BORDERS_MAX);
  const places = [0, ...open.filter((_, index) => index % every === 0), times.length];
  const before = sumsBefore(times);
  const at = places.map((place) => before[place] as number);
  const limit = shortestLongest(at, blocks) * SLACK_RATIO;
  return fewestBytes(places, at, { crossing, blocks, limit });
}

function sumsBefore(times: readonly number[]): Float64Array {
  const before = new Float64Array(times.length + 1);
  times.forEach((time, index) => {
    before[index + 1] = (before[index] as number) + time;
  });
  return before;
}

/** The least time that suffices for each of `blocks` parts. */
function shortestLongest(at: readonly number[], blocks: number): number {
  let [low, high] = [0, at.at(-1) ?? 0];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    if (partsWithin(at, middle) <= blocks) high = middle;
    else low = middle;
  }
  return high;
}

/** How many parts it takes when none may be longer than that. */
function partsWithin(at: readonly number[], limit: number): number {
  let parts = 1;
  let from = 0;
  for (let place = 1; place < at.length; place += 1) {
    if ((at[place] as number) - (at[from] as number) <= limit) continue;
    // A stretch that nothing can cut is too long by itself.
    if (place - 1 === from) return Number.POSITIVE_INFINITY;
    from = place - 1;
    parts += 1;
    if ((at[place] as number) - (at[from] as number) > limit) return Number.POSITIVE_INFINITY;
  }
  return parts;
}

interface Aim {
  readonly crossing: ArrayLike<number>;
  readonly blocks: number;
  readonly limit: number;
}

/** Dynamic programming over the number of parts and the place where the last of them begins. */
function fewestBytes(places: readonly number[], at: readonly number[], { crossing, blocks, limit }: Aim): readonly number[] {
  const last = places.length - 1;
  const cost: Float64Array[] = [new Float64Array(places.length).fill(Number.POSITIVE_INFINITY)];
  const from: Int32Array[] = [new Int32Array(places.length)];
  (cost[0] as Float64Array)[0] = 0;
  let best = 0;
  for (let parts = 1; parts <= blocks; parts += 1) {
    const [costBefore, costNow, fromNow] = [
      cost[parts - 1] as Float64Array,
      new Float64Array(places.length).fill(Number.POSITIVE_INFINITY),
      new Int32Array(places.length),
    ];
    for (let end = 1; end <= last; end += 1) {
      const crosses = end === last ? 0 : (crossing[places[end] as number] as number);
      for (let begin = end - 1; begin >= 0 && (at[end] as number) - (at[begin] as number) <= limit; begin -= 1) {
        const bytes = (costBefore[begin] as number) + crosses;
        if (bytes >= (costNow[end] as number)) continue;
        costNow[end] = bytes;
        fromNow[end] = begin;
      }
    }
    cost.push(costNow);
    from.push(fromNow);
    if ((costNow[last] as number) < (cost[best]?.[last] ?? Number.POSITIVE_INFINITY)) best = parts;
  }
  const borders: number[] = [];
  for (let [parts, end] = [best, last]; parts > 1; parts -= 1) {
    end = (from[parts] as Int32Array)[end] as number;
    borders.push(places[end] as number);
  }
  return borders.reverse();
}
