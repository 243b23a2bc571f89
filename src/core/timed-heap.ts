/** Instants with a place each, the earliest first, those of one instant by an order that each place has: a binary heap of two columns. */
export class TimedHeap {
  readonly #ats: number[] = [];
  readonly #places: number[] = [];
  readonly #orders: readonly number[];

  /** @param orders by place; of those that are in it they stand still */
  constructor(orders: readonly number[]) {
    this.#orders = orders;
  }

  /** Infinite when it is empty. */
  get firstAt(): number {
    return this.#ats.length === 0 ? Number.POSITIVE_INFINITY : (this.#ats[0] as number);
  }

  get firstPlace(): number {
    return this.#places.length === 0 ? 0 : (this.#places[0] as number);
  }

  push(at: number, place: number): void {
    let index = this.#ats.length;
    this.#ats.push(at);
    this.#places.push(place);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#isBefore(parent, at, place)) break;
      this.#put(index, this.#ats[parent] as number, this.#places[parent] as number);
      index = parent;
    }
    this.#put(index, at, place);
  }

  dropFirst(): void {
    const at = this.#ats.pop() as number;
    const place = this.#places.pop() as number;
    const size = this.#ats.length;
    if (size === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && this.#isBefore(right, this.#ats[child] as number, this.#places[child] as number)) child = right;
      if (!this.#isBefore(child, at, place)) break;
      this.#put(index, this.#ats[child] as number, this.#places[child] as number);
      index = child;
    }
    this.#put(index, at, place);
  }

  #isBefore(index: number, at: number, place: number): boolean {
    const other = this.#ats[index] as number;
    return other < at || (other === at && (this.#orders[this.#places[index] as number] as number) < (this.#orders[place] as number));
  }

  #put(index: number, at: number, place: number): void {
    this.#ats[index] = at;
    this.#places[index] = place;
  }
}
