/** Binary logarithm of how many places share one earliest instant: the blocks of four thousand streams are 125, and few of them are looked into. */
const BLOCK_BITS = 5;

/**
 * When the next job of each stream at home on a core is likely to come at the earliest, by its place there: a column of numbers and the earliest of every block,
 * so that who asks what comes before a run has ended looks at hardly more than that. Infinite: none is expected.
 */
export class Arrivals {
  readonly #from: Float64Array;
  readonly #earliest: Float64Array;

  constructor(places: number) {
    this.#from = new Float64Array(places).fill(Number.POSITIVE_INFINITY);
    this.#earliest = new Float64Array(((places - 1) >> BLOCK_BITS) + 1).fill(Number.POSITIVE_INFINITY);
  }

  set(place: number, at: number): void {
    const block = place >> BLOCK_BITS;
    const before = this.#from[place] as number;
    const earliest = this.#earliest[block] as number;
    this.#from[place] = at;
    if (at <= earliest) this.#earliest[block] = at;
    else if (before === earliest) this.#earliest[block] = this.#earliestIn(block);
  }

  /** The first place from `place` on where something comes after `after` and by `until`; -1: there is none. */
  next(place: number, after: number, until: number): number {
    const from = this.#from;
    const earliest = this.#earliest;
    let at = place;
    for (let block = at >> BLOCK_BITS; block < earliest.length; block += 1) {
      if ((earliest[block] as number) <= until) {
        const end = Math.min(from.length, (block + 1) << BLOCK_BITS);
        for (; at < end; at += 1) if ((from[at] as number) <= until && (from[at] as number) > after) return at;
      }
      at = (block + 1) << BLOCK_BITS;
    }
    return -1;
  }

  #earliestIn(block: number): number {
    const from = this.#from;
    const end = Math.min(from.length, (block + 1) << BLOCK_BITS);
    let earliest = Number.POSITIVE_INFINITY;
    for (let place = block << BLOCK_BITS; place < end; place += 1) if ((from[place] as number) < earliest) earliest = from[place] as number;
    return earliest;
  }
}
