/** A double-ended queue over a circular array; every operation is O(1), growth amortised. Its owner bounds its size. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array<T | undefined>(16).fill(undefined);
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  peekFront(): T | undefined {
    return this.#slots[this.#head];
  }

  pushBack(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#size) & (this.#slots.length - 1)] = item;
    this.#size += 1;
  }

  pushFront(item: T): void {
    if (this.#size === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = item;
    this.#size += 1;
  }

  popFront(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#size -= 1;
    return item;
  }

  /** The length stays a power of two, so that an index wraps by a mask. */
  #grow(): void {
    const { length } = this.#slots;
    const wider = new Array<T | undefined>(length * 2).fill(undefined);
    for (let index = 0; index < this.#size; index += 1) wider[index] = this.#slots[(this.#head + index) & (length - 1)];
    this.#slots = wider;
    this.#head = 0;
  }
}
