/**
 * Items by the instant that each is due at, the earliest first; those of one instant in the order of a second number, which no two of them share. The order out
 * never depends on the order in.
 *
 * A binary heap of numbers: comparing follows no pointer and calls nothing, and the items themselves stay where they were put. Moving young objects about in an
 * array that is old would tell the garbage collector of each move.
 */
export class Timeline<T> {
  /** The heap: when, in which order, and the place of the item. */
  readonly #ats: number[] = [];
  readonly #orders: number[] = [];
  readonly #places: number[] = [];
  readonly #items: (T | undefined)[] = [];
  /** Places without an item. */
  readonly #free: number[] = [];

  get size(): number {
    return this.#ats.length;
  }

  /** When the first is due; infinite when there is none. */
  get firstAt(): number {
    return this.#ats.length === 0 ? Number.POSITIVE_INFINITY : (this.#ats[0] as number);
  }

  get first(): T | undefined {
    return this.#ats.length === 0 ? undefined : this.#items[this.#places[0] as number];
  }

  push(at: number, order: number, item: T): void {
    const place = this.#free.length === 0 ? this.#items.length : (this.#free.pop() as number);
    if (place === this.#items.length) this.#items.push(item);
    else this.#items[place] = item;
    let index = this.#ats.length;
    this.#ats.push(at);
    this.#orders.push(order);
    this.#places.push(place);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#isBefore(parent, at, order)) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(index, at, order, place);
  }

  pop(): T | undefined {
    if (this.#ats.length === 0) return undefined;
    const first = this.#places[0] as number;
    const top = this.#items[first];
    this.#items[first] = undefined;
    this.#free.push(first);
    const at = this.#ats.pop() as number;
    const order = this.#orders.pop() as number;
    const place = this.#places.pop() as number;
    const size = this.#ats.length;
    if (size > 0) this.#sink(at, order, place, size);
    return top;
  }

  /** Puts what was the last where it belongs, from the top down. */
  #sink(at: number, order: number, place: number, size: number): void {
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#isBefore(right, this.#ats[child] as number, this.#orders[child] as number)) child = right;
      if (!this.#isBefore(child, at, order)) break;
      this.#move(child, index);
      index = child;
    }
    this.#put(index, at, order, place);
  }

  #isBefore(index: number, at: number, order: number): boolean {
    const other = this.#ats[index] as number;
    return other < at || (other === at && (this.#orders[index] as number) < order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#ats[from] as number, this.#orders[from] as number, this.#places[from] as number);
  }

  #put(index: number, at: number, order: number, place: number): void {
    this.#ats[index] = at;
    this.#orders[index] = order;
    this.#places[index] = place;
  }
}
