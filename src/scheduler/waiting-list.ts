import { assert } from '../core/assert.ts';

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
    const blocks = this.#blocks;
    const first = blocks[0] as T[];
    if (index < first.length) return first[index];
    let left = index - first.length;
    for (let place = 1; place < blocks.length; place += 1) {
      const block = blocks[place] as T[];
      if (left < block.length) return block[left];
      left -= block.length;
    }
    return undefined;
  }

  /** How many stand before it. */
  placeOf(item: T): number {
    const place = this.#changesOrder ? 0 : this.#blockOf(item);
    const block = this.#blocks[place] as T[];
    let before = this.#changesOrder ? block.indexOf(item) : this.#positionIn(block, item, block.length);
    assert(block[before] === item, 'the list holds the job that is asked for');
    for (let index = 0; index < place; index += 1) before += (this.#blocks[index] as T[]).length;
    return before;
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
    // Mostly the first leaves.
    const isFirst = this.#blocks[0]?.[0] === item;
    const place = isFirst || this.#changesOrder ? 0 : this.#blockOf(item);
    const block = this.#blocks[place] as T[];
    const index = isFirst ? 0 : this.#changesOrder ? block.indexOf(item) : this.#positionIn(block, item, block.length);
    assert(block[index] === item, 'a job leaves the list that it is in');
    this.#size -= 1;
    for (let next = index + 1; next < block.length; next += 1) block[next - 1] = block[next] as T;
    block.pop();
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(place, 1);
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
    const kept = this.#blocks.flat().filter((item) => !moved.has(item));
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
    for (let from = 0; from < merged.length; from += BLOCK_MAX / 2) this.#blocks.push(merged.slice(from, from + BLOCK_MAX / 2));
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
