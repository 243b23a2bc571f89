import { assert } from '../core/assert.ts';
import { goesBefore, type Ordered } from './job-order.ts';

/**
 * Jobs sorted by `goesBefore`. A sorted array instead of a heap: a held job does not hide those behind it, any job can leave from the middle, and moving
 * a thousand pointers is one memmove of 8 kB.
 */
export class WaitingList<T extends Ordered> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  at(index: number): T | undefined {
    return this.#items[index];
  }

  insert(item: T): void {
    this.#items.splice(this.#position(item), 0, item);
  }

  remove(item: T): void {
    const index = this.#position(item);
    assert(this.#items[index] === item, 'a job leaves the list that it is in');
    this.#items.splice(index, 1);
  }

  /** How many items go before this one. */
  #position(item: T): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (goesBefore(this.#items[middle] as T, item)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
