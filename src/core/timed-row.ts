/** A power of two, as every capacity. */
const CAPACITY_MIN = 16;
/** Of what is not there. */
const NEVER = Number.POSITIVE_INFINITY;

/**
 * Items in the order in which they were put in, which is that of their instants: a ring of columns. Positions are counted from the first item ever, so that one never
 * means another item.
 */
export class TimedRow<T> {
  #ats = new Float64Array(CAPACITY_MIN);
  #orders = new Float64Array(CAPACITY_MIN);
  #items = new Array<T | undefined>(CAPACITY_MIN).fill(undefined);
  #mask = CAPACITY_MIN - 1;
  #begin = 0;
  #end = 0;

  /** Infinite when it is empty. */
  get firstAt(): number {
    return this.#begin === this.#end ? NEVER : (this.#ats[this.#begin & this.#mask] as number);
  }

  get firstOrder(): number {
    return this.#orders[this.#begin & this.#mask] as number;
  }

  get lastOrder(): number {
    return this.#orders[(this.#end - 1) & this.#mask] as number;
  }

  get first(): T | undefined {
    return this.#items[this.#begin & this.#mask];
  }

  /** Answers its position. */
  push(at: number, order: number, item: T): number {
    const position = this.#end;
    if (position - this.#begin > this.#mask) this.#grow();
    const index = position & this.#mask;
    this.#ats[index] = at;
    this.#orders[index] = order;
    this.#items[index] = item;
    this.#end = position + 1;
    return position;
  }

  dropFirst(): void {
    this.#items[this.#begin & this.#mask] = undefined;
    this.#begin += 1;
  }

  /** Leaves nothing of the item at the position, if it is still there. */
  withdraw(position: number): void {
    if (position >= this.#begin) this.#items[position & this.#mask] = undefined;
  }

  #grow(): void {
    const [ats, orders, items, mask] = [this.#ats, this.#orders, this.#items, this.#mask];
    const capacity = 2 * items.length;
    this.#ats = new Float64Array(capacity);
    this.#orders = new Float64Array(capacity);
    this.#items = new Array<T | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
    for (let position = this.#begin; position < this.#end; position += 1) {
      const [from, to] = [position & mask, position & this.#mask];
      this.#ats[to] = ats[from] as number;
      this.#orders[to] = orders[from] as number;
      this.#items[to] = items[from];
    }
  }
}
