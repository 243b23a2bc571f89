/**
 * Items in the order that they were given: a part of an array, so that whoever leaves in front moves nobody. Whoever comes or leaves in between moves those of the
 * side where they are fewer. Most leave in front, and a move costs more than it seems, since the garbage collector is told of it.
 */
export class WaitingBlock<T> {
  /** Undefined outside of the part. */
  readonly #items: (T | undefined)[];
  #begin = 0;
  #end: number;

  constructor(items: readonly T[] = []) {
    this.#items = [...items];
    this.#end = items.length;
  }

  get size(): number {
    return this.#end - this.#begin;
  }

  /** Undefined past the last. */
  at(index: number): T | undefined {
    const place = this.#begin + index;
    return place < this.#end ? this.#items[place] : undefined;
  }

  indexOf(item: T): number {
    return this.#items.indexOf(item, this.#begin) - this.#begin;
  }

  insert(index: number, item: T): void {
    const items = this.#items;
    if (this.#begin > 0 && 2 * index <= this.size) {
      this.#begin -= 1;
      const to = this.#begin + index;
      for (let place = this.#begin; place < to; place += 1) items[place] = items[place + 1];
      items[to] = item;
      return;
    }
    if (this.#end === items.length) this.#makeRoom();
    const to = this.#begin + index;
    for (let place = this.#end; place > to; place -= 1) items[place] = items[place - 1];
    items[to] = item;
    this.#end += 1;
  }

  remove(index: number): void {
    const items = this.#items;
    const from = this.#begin + index;
    if (2 * index < this.size) {
      for (let place = from; place > this.#begin; place -= 1) items[place] = items[place - 1];
      items[this.#begin] = undefined;
      this.#begin += 1;
      return;
    }
    this.#end -= 1;
    for (let place = from; place < this.#end; place += 1) items[place] = items[place + 1];
    items[this.#end] = undefined;
  }

  items(): T[] {
    return this.#items.slice(this.#begin, this.#end) as T[];
  }

  /** Behind the last: a place that is free in front is used when the array would have to become twice as long without it. */
  #makeRoom(): void {
    const items = this.#items;
    const free = this.#begin;
    if (2 * free <= items.length) {
      items.push(undefined);
      return;
    }
    items.copyWithin(0, free);
    items.fill(undefined, items.length - free);
    this.#begin = 0;
    this.#end -= free;
  }
}
