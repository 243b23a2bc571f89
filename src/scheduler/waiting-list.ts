import { assert } from '../core/assert.ts';
import { WaitingBlock } from './waiting-block.ts';

/** Past this many items a block is cut in two. Moving half of them up by one place costs about as much as finding the place. */
const BLOCK_MAX = 128;

/** Up to so many items change places one by one; beyond, going through the whole list costs less. */
const REKEYED_MAX = 16;

/**
 * Jobs sorted by who goes before whom. Sorted arrays instead of a heap: a held job does not hide those behind it, and any job can leave from the middle. The
 * list is kept in blocks, so that a place among ten thousand costs the logarithm of their number and no more moves than a place among two hundred.
 */
export class WaitingList<T> {
  /** Never none; all but an only one have items. */
  readonly #blocks: WaitingBlock<T>[] = [new WaitingBlock()];
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
    const blocks = this.#blocks;
    let left = index;
    for (let place = 0; place < blocks.length; place += 1) {
      const block = blocks[place] as WaitingBlock<T>;
      const { size } = block;
      if (left < size) return block.at(left);
      left -= size;
    }
    return undefined;
  }

  /** How many stand before it. */
  placeOf(item: T): number {
    const place = this.#changesOrder ? 0 : this.#blockOf(item);
    let before = this.#indexIn(this.#blocks[place] as WaitingBlock<T>, item);
    for (let index = 0; index < place; index += 1) before += (this.#blocks[index] as WaitingBlock<T>).size;
    return before;
  }

  insert(item: T): void {
    this.#size += 1;
    const place = this.#changesOrder ? 0 : this.#blockOf(item);
    const block = this.#blocks[place] as WaitingBlock<T>;
    block.insert(this.#changesOrder ? block.size : this.#positionIn(block, item), item);
    if (block.size > BLOCK_MAX && !this.#changesOrder) this.#cut(block, place);
  }

  remove(item: T): void {
    const blocks = this.#blocks;
    // Mostly the first leaves.
    const isFirst = (blocks[0] as WaitingBlock<T>).at(0) === item;
    const place = isFirst || this.#changesOrder ? 0 : this.#blockOf(item);
    const block = blocks[place] as WaitingBlock<T>;
    block.remove(isFirst ? 0 : this.#indexIn(block, item));
    this.#size -= 1;
    if (block.size === 0 && blocks.length > 1) blocks.splice(place, 1);
  }

  /** Lets items of the list change places: `change` is called for each of them while they are out of it. */
  rekey(items: readonly T[], change: (item: T) => void): void {
    if (this.#changesOrder) return items.forEach(change);
    if (items.length > REKEYED_MAX) return this.#rekeyMany(new Set(items), change);
    for (const item of items) this.remove(item);
    for (const item of items) {
      change(item);
      this.insert(item);
    }
  }

  /** Merges them with the others and cuts the list into blocks anew. */
  #rekeyMany(moved: ReadonlySet<T>, change: (item: T) => void): void {
    const kept = this.#blocks.flatMap((block) => block.items()).filter((item) => !moved.has(item));
    assert(kept.length + moved.size === this.#size, 'only items of the list change places');
    moved.forEach(change);
    const sorted = [...moved].sort((a, b) => (this.#goesBefore(a, b) ? -1 : 1));
    const merged: T[] = [];
    let next = 0;
    for (const item of kept) {
      for (let first = sorted[next]; first !== undefined && this.#goesBefore(first, item); first = sorted[next]) {
        merged.push(first);
        next += 1;
      }
      merged.push(item);
    }
    merged.push(...sorted.slice(next));
    this.#blocks.length = 0;
    for (let from = 0; from < merged.length; from += BLOCK_MAX / 2)
      this.#blocks.push(new WaitingBlock(merged.slice(from, from + BLOCK_MAX / 2)));
  }

  sort(): void {
    if (!this.#changesOrder) return;
    const [only] = this.#blocks;
    this.#blocks[0] = new WaitingBlock(only?.items().sort((a, b) => (this.#goesBefore(a, b) ? -1 : 1)));
  }

  #cut(block: WaitingBlock<T>, place: number): void {
    const items = block.items();
    this.#blocks.splice(place, 1, new WaitingBlock(items.slice(0, BLOCK_MAX / 2)), new WaitingBlock(items.slice(BLOCK_MAX / 2)));
  }

  /** The last block that begins with the item or one that goes before it; the first when there is none. */
  #blockOf(item: T): number {
    const blocks = this.#blocks;
    let low = 1;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#goesBefore(item, blocks[middle]?.at(0) as T)) high = middle;
      else low = middle + 1;
    }
    return low - 1;
  }

  /** Where the item stands in its block. */
  #indexIn(block: WaitingBlock<T>, item: T): number {
    const index = this.#changesOrder ? block.indexOf(item) : this.#positionIn(block, item);
    assert(block.at(index) === item, 'the list holds the job that is asked for');
    return index;
  }

  /** How many in the block go before the item. */
  #positionIn(block: WaitingBlock<T>, item: T): number {
    let low = 0;
    let high = block.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#goesBefore(block.at(middle) as T, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
