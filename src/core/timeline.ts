/**
 * Items by the instant that each is due at, the earliest first; those of one instant in the order of a second number, which no two of them share. A binary heap
 * with its keys in arrays of numbers beside the items, so that comparing follows no pointer and calls nothing. The order out never depends on the order in.
 */
export class Timeline<T> {
  readonly #ats: number[] = [];
  readonly #orders: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** When the first is due; infinite when there is none. */
  get firstAt(): number {
    return this.#ats[0] ?? Number.POSITIVE_INFINITY;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  push(at: number, order: number, item: T): void {
    let index = this.#items.length;
    this.#ats.push(at);
    this.#orders.push(order);
    this.#items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#isBefore(parent, at, order)) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(index, at, order, item);
  }

  pop(): T | undefined {
    const top = this.#items[0];
    const at = this.#ats.pop();
    const order = this.#orders.pop();
    const item = this.#items.pop();
    const size = this.#items.length;
    if (size === 0) return top;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#isBefore(right, this.#ats[child] as number, this.#orders[child] as number)) child = right;
      if (!this.#isBefore(child, at as number, order as number)) break;
      this.#move(child, index);
      index = child;
    }
    this.#put(index, at as number, order as number, item as T);
    return top;
  }

  #isBefore(index: number, at: number, order: number): boolean {
    const other = this.#ats[index] as number;
    return other < at || (other === at && (this.#orders[index] as number) < order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#ats[from] as number, this.#orders[from] as number, this.#items[from] as T);
  }

  #put(index: number, at: number, order: number, item: T): void {
    this.#ats[index] = at;
    this.#orders[index] = order;
    this.#items[index] = item;
  }
}
