import { assert } from '../core/assert.ts';

/** Past this many items a block is cut in two. Moving half of them up by one place costs about as much as finding the place. */
const BLOCK_MAX = 128;

/**
 * Jobs sorted by who goes before whom. Sorted arrays instead of a heap: a held job does not hide those behind it, and any job can leave from the middle. The
 * list is kept in blocks, so that a place among ten thousand costs the logarithm of their number and no more moves than a place among two hundred.
 */
export class WaitingList<T> {
  /** Never none; all but an only one have items. */
  readonly #blocks: T[][] = [[]];
  readonly #goesBefore: (a: T, b: T) => boolean;
  readonly #changesOrder: boolean;
  #size = 0;

  /** @param changesOrder whether two items may change places while they wait; `sort` brings the list up to date then */
  constructor(goesBefore: (a: T, b: T) => boolean, changesOrder: boolean) {
    this.#goesBefore = goesBefore;
    this.#changesOrder = changesOrder;
  }

  get size(): number {
    return this.#size;
  }

  at(index: number): T | undefined {
    let left = index;
    for (const block of this.#blocks) {
      if (left < block.length) return block[left];
      left -= block.length;
    }
    return undefined;
  }

  insert(item: T): void {
    this.#size += 1;
    const place = this.#changesOrder ? 0 : this.#blockOf(item);
    const block = this.#blocks[place] as T[];
    let index = block.length;
    block.push(item);
    if (this.#changesOrder) return;
    const to = this.#positionIn(block, item, index);
    for (; index > to; index -= 1) block[index] = block[index - 1] as T;
    block[to] = item;
    if (block.length > BLOCK_MAX) this.#blocks.splice(place + 1, 0, block.splice(BLOCK_MAX / 2));
  }

  remove(item: T): void {
    const place = this.#changesOrder ? 0 : this.#blockOf(item);
    const block = this.#blocks[place] as T[];
    const index = this.#changesOrder ? block.indexOf(item) : this.#positionIn(block, item, block.length);
    assert(block[index] === item, 'a job leaves the list that it is in');
    this.#size -= 1;
    for (let next = index + 1; next < block.length; next += 1) block[next - 1] = block[next] as T;
    block.pop();
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(place, 1);
  }

  sort(): void {
    if (this.#changesOrder) this.#blocks[0]?.sort((a, b) => (this.#goesBefore(a, b) ? -1 : 1));
  }

  /** The last block that begins with the item or one that goes before it; the first when there is none. */
  #blockOf(item: T): number {
    const blocks = this.#blocks;
    let low = 1;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#goesBefore(item, blocks[middle]?.[0] as T)) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** How many of the first `count` items go before this one. */
  #positionIn(block: readonly T[], item: T, count: number): number {
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#goesBefore(block[middle] as T, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
