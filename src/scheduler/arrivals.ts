/** Binary logarithm of how many places share one earliest instant, and of how many of those share the next: of ten thousand streams few are looked at. */
const BLOCK_BITS = 5;
const BLOCK_MASK = (1 << BLOCK_BITS) - 1;

const NEVER = Number.POSITIVE_INFINITY;

/**
 * When the next job of each stream at home on a core is likely to come at the earliest, by its place there: a column of numbers, above it the earliest of every block,
 * and above that the earliest of every block of blocks, so that who asks what comes before a run has ended looks at hardly more than that. Infinite: none is expected.
 */
export class Arrivals {
  readonly #from: Float64Array;
  readonly #blocks: Float64Array;
  readonly #blocksOfBlocks: Float64Array;

  constructor(places: number) {
    this.#from = new Float64Array(places).fill(NEVER);
    this.#blocks = new Float64Array(((places - 1) >> BLOCK_BITS) + 1).fill(NEVER);
    this.#blocksOfBlocks = new Float64Array(((places - 1) >> (2 * BLOCK_BITS)) + 1).fill(NEVER);
  }

  set(place: number, at: number): void {
    const from = this.#from;
    const blocks = this.#blocks;
    const block = place >> BLOCK_BITS;
    const [before, blockBefore] = [from[place] as number, blocks[block] as number];
    from[place] = at;
    keepEarliest(from, place, before, blocks);
    if (blocks[block] !== blockBefore) keepEarliest(blocks, block, blockBefore, this.#blocksOfBlocks);
  }

  /** Whether anything comes by `until`. */
  anyBy(until: number): boolean {
    for (const earliest of this.#blocksOfBlocks) if (earliest <= until) return true;
    return false;
  }

  /** The first place from `place` on where something comes after `after` and by `until`; -1: there is none. */
  next(place: number, after: number, until: number): number {
    const from = this.#from;
    const blocks = this.#blocks;
    let at = place;
    for (let block = at >> BLOCK_BITS; block < blocks.length; block += 1) {
      if ((block & BLOCK_MASK) === 0 && (this.#blocksOfBlocks[block >> BLOCK_BITS] as number) > until) block += BLOCK_MASK;
      else if ((blocks[block] as number) <= until) {
        const end = Math.min(from.length, (block + 1) << BLOCK_BITS);
        for (; at < end; at += 1) if ((from[at] as number) <= until && (from[at] as number) > after) return at;
      }
      at = (block + 1) << BLOCK_BITS;
    }
    return -1;
  }
}

/** What stands at the place of the column was `before`: brings the earliest of its block up to date. */
function keepEarliest(column: Float64Array, place: number, before: number, above: Float64Array): void {
  const block = place >> BLOCK_BITS;
  const earliest = above[block] as number;
  const at = column[place] as number;
  if (at <= earliest) above[block] = at;
  else if (before === earliest) above[block] = earliestIn(column, block);
}

function earliestIn(column: Float64Array, block: number): number {
  const end = Math.min(column.length, (block + 1) << BLOCK_BITS);
  let earliest = NEVER;
  for (let place = block << BLOCK_BITS; place < end; place += 1)
    if ((column[place] as number) < earliest) earliest = column[place] as number;
  return earliest;
}
