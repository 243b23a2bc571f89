/** So many are taken out of the heap at once, and so many stand in the row at most. */
const ROW_FILL = 16;
const ROW_MAX = 64;

/**
 * Items by the instant that each is due at, the earliest first; those of one instant in the order of a second number, which no two of them share. The order out
 * never depends on the order in.
 *
 * What is due next stands in a short row, the first of them at its end: most items are put in close to that end and taken off it soon, without a heap's comparisons
 * that nobody can foresee. What is due later than all of the row lies in a heap.
 */
export class Timeline<T> {
  /** The latest first; empty only when there is no item at all. */
  readonly #row = new Entries();
  /** A binary heap, the earliest first. */
  readonly #heap = new Entries();
  /** The items stay where they were put: moving young objects about in an array that is old would tell the garbage collector of each move. */
  readonly #items: (T | undefined)[] = [];
  /** Places without an item. */
  readonly #free: number[] = [];

  get size(): number {
    return this.#row.size + this.#heap.size;
  }

  /** When the first is due; infinite when there is none. */
  get firstAt(): number {
    const { ats } = this.#row;
    return ats.length === 0 ? Number.POSITIVE_INFINITY : (ats[ats.length - 1] as number);
  }

  get first(): T | undefined {
    const { places } = this.#row;
    return places.length === 0 ? undefined : this.#items[places[places.length - 1] as number];
  }

  push(at: number, order: number, item: T): void {
    const place = this.#free.length === 0 ? this.#items.length : (this.#free.pop() as number);
    if (place === this.#items.length) this.#items.push(item);
    else this.#items[place] = item;
    if (this.#row.size > 0 && this.#row.isBefore(0, at, order)) this.#putOnHeap(at, order, place);
    else this.#putInRow(at, order, place);
  }

  pop(): T | undefined {
    const row = this.#row;
    if (row.size === 0) return undefined;
    const place = row.places[row.size - 1] as number;
    row.dropLast();
    if (row.size === 0) this.#fillRow();
    const item = this.#items[place];
    this.#items[place] = undefined;
    this.#free.push(place);
    return item;
  }

  #putInRow(at: number, order: number, place: number): void {
    const row = this.#row;
    let index = row.size;
    row.add(at, order, place);
    for (; index > 0 && row.isBefore(index - 1, at, order); index -= 1) row.move(index - 1, index);
    row.put(index, at, order, place);
    if (row.size > ROW_MAX) this.#shortenRow();
  }

  /** The later half of it goes into the heap. */
  #shortenRow(): void {
    const { ats, orders, places } = this.#row;
    const count = ROW_MAX / 2;
    for (let index = 0; index < count; index += 1) this.#putOnHeap(ats[index] as number, orders[index] as number, places[index] as number);
    for (const column of [ats, orders, places]) column.splice(0, count);
  }

  #fillRow(): void {
    const [row, heap] = [this.#row, this.#heap];
    const count = Math.min(ROW_FILL, heap.size);
    while (row.size < count) row.add(0, 0, 0);
    for (let index = count - 1; index >= 0; index -= 1) {
      row.put(index, heap.ats[0] as number, heap.orders[0] as number, heap.places[0] as number);
      this.#dropTop();
    }
  }

  #putOnHeap(at: number, order: number, place: number): void {
    const heap = this.#heap;
    let index = heap.size;
    heap.add(at, order, place);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap.isBefore(parent, at, order)) break;
      heap.move(parent, index);
      index = parent;
    }
    heap.put(index, at, order, place);
  }

  #dropTop(): void {
    const heap = this.#heap;
    const size = heap.size - 1;
    const [at, order, place] = [heap.ats[size] as number, heap.orders[size] as number, heap.places[size] as number];
    heap.dropLast();
    if (size === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && heap.isBefore(right, heap.ats[child] as number, heap.orders[child] as number)) child = right;
      if (!heap.isBefore(child, at, order)) break;
      heap.move(child, index);
      index = child;
    }
    heap.put(index, at, order, place);
  }
}

/** When, in which order, and the place of the item: columns of numbers, so that comparing follows no pointer and calls nothing. */
class Entries {
  readonly ats: number[] = [];
  readonly orders: number[] = [];
  readonly places: number[] = [];

  get size(): number {
    return this.ats.length;
  }

  isBefore(index: number, at: number, order: number): boolean {
    const other = this.ats[index] as number;
    return other < at || (other === at && (this.orders[index] as number) < order);
  }

  add(at: number, order: number, place: number): void {
    this.ats.push(at);
    this.orders.push(order);
    this.places.push(place);
  }

  move(from: number, to: number): void {
    this.put(to, this.ats[from] as number, this.orders[from] as number, this.places[from] as number);
  }

  put(index: number, at: number, order: number, place: number): void {
    this.ats[index] = at;
    this.orders[index] = order;
    this.places[index] = place;
  }

  dropLast(): void {
    this.ats.pop();
    this.orders.pop();
    this.places.pop();
  }
}
