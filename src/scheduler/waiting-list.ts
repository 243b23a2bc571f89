import { assert } from '../core/assert.ts';

/**
 * Jobs sorted by who goes before whom. A sorted array instead of a heap: a held job does not hide those behind it, any job can leave from the middle, and
 * moving a thousand pointers is one memmove of 8 kB.
 */
export class WaitingList<T> {
  readonly #items: T[] = [];
  readonly #goesBefore: (a: T, b: T) => boolean;
  readonly #changesOrder: boolean;

  /** @param changesOrder whether two items may change places while they wait; `sort` brings the list up to date then */
  constructor(goesBefore: (a: T, b: T) => boolean, changesOrder: boolean) {
    this.#goesBefore = goesBefore;
    this.#changesOrder = changesOrder;
  }

  get size(): number {
    return this.#items.length;
  }

  at(index: number): T | undefined {
    return this.#items[index];
  }

  insert(item: T): void {
    if (this.#changesOrder) this.#items.push(item);
    else this.#items.splice(this.#position(item), 0, item);
  }

  remove(item: T): void {
    const index = this.#changesOrder ? this.#items.indexOf(item) : this.#position(item);
    assert(this.#items[index] === item, 'a job leaves the list that it is in');
    this.#items.splice(index, 1);
  }

  sort(): void {
    this.#items.sort((a, b) => (this.#goesBefore(a, b) ? -1 : 1));
  }

  /** How many items go before this one. */
  #position(item: T): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#goesBefore(this.#items[middle] as T, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
