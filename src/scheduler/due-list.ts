import { assert } from '../core/assert.ts';

/** A full block is cut in two. Moving half of its entries by one costs about as much as finding the place of one. */
const BLOCK_MAX = 128;

/** Entries in order, in columns. */
class Block {
  readonly ats = new Float64Array(BLOCK_MAX);
  readonly places = new Int32Array(BLOCK_MAX);
  size = 0;

  /** How many entries go before this one. */
  countBefore(at: number, place: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.ats[middle] as number;
      if (other < at || (other === at && (this.places[middle] as number) < place)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  insert(index: number, at: number, place: number): void {
    const { ats, places } = this;
    for (let to = this.size; to > index; to -= 1) {
      ats[to] = ats[to - 1] as number;
      places[to] = places[to - 1] as number;
    }
    ats[index] = at;
    places[index] = place;
    this.size += 1;
  }

  remove(index: number): void {
    const { ats, places } = this;
    this.size -= 1;
    for (let to = index; to < this.size; to += 1) {
      ats[to] = ats[to + 1] as number;
      places[to] = places[to + 1] as number;
    }
  }

  /** The upper half. */
  cut(): Block {
    const upper = new Block();
    upper.ats.set(this.ats.subarray(BLOCK_MAX / 2));
    upper.places.set(this.places.subarray(BLOCK_MAX / 2));
    upper.size = this.size - BLOCK_MAX / 2;
    this.size = BLOCK_MAX / 2;
    return upper;
  }
}

/**
 * Places by the instant that each is due at, the earliest first; of one instant, the lower place. Numbers only: whoever looks for something among ten thousand, or
 * moves it, touches nothing but a few columns.
 */
export class DueList {
  /** Never none; all but an only one have entries. */
  readonly #blocks = [new Block()];
  /** When the first of each block is due; of the first block it says nothing. */
  readonly #firstAts = [0];

  /** Index in the order. Infinite past the last. */
  dueAt(index: number): number {
    let left = index;
    for (const { ats, size } of this.#blocks) {
      if (left < size) return ats[left] as number;
      left -= size;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Of an entry that there is. */
  placeAt(index: number): number {
    let left = index;
    for (const { places, size } of this.#blocks) {
      if (left < size) return places[left] as number;
      left -= size;
    }
    return -1;
  }

  insert(place: number, at: number): void {
    const index = this.#blockOf(at, place);
    const block = this.#blocks[index] as Block;
    block.insert(block.countBefore(at, place), at, place);
    this.#firstAts[index] = block.ats[0] as number;
    if (block.size < BLOCK_MAX) return;
    const upper = block.cut();
    this.#blocks.splice(index + 1, 0, upper);
    this.#firstAts.splice(index + 1, 0, upper.ats[0] as number);
  }

  /** @param at when it is due, as it was inserted */
  remove(place: number, at: number): void {
    const index = this.#blockOf(at, place);
    const block = this.#blocks[index] as Block;
    const from = block.countBefore(at, place);
    assert(from < block.size && block.places[from] === place, 'the list holds the place that is asked for', place);
    block.remove(from);
    if (block.size > 0 || this.#blocks.length === 1) {
      this.#firstAts[index] = block.ats[0] as number;
      return;
    }
    this.#blocks.splice(index, 1);
    this.#firstAts.splice(index, 1);
  }

  /** The last block that begins with this entry or one that goes before it; the first when there is none. */
  #blockOf(at: number, place: number): number {
    const firstAts = this.#firstAts;
    let low = 1;
    let high = firstAts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const firstAt = firstAts[middle] as number;
      if (at < firstAt || (at === firstAt && place < ((this.#blocks[middle] as Block).places[0] as number))) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }
}
