/** A power of two, as every capacity. */
const CAPACITY_MIN = 16;

/** Instants with a place each, in the order in which they were put in, which is that of the instants: a ring of two columns. */
export class TimedRow {
  #ats = new Float64Array(CAPACITY_MIN);
  #places = new Int32Array(CAPACITY_MIN);
  #head = 0;
  #size = 0;

  /** Infinite when it is empty. */
  get firstAt(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#ats[this.#head] as number);
  }

  get firstPlace(): number {
    return this.#places[this.#head] as number;
  }

  push(at: number, place: number): void {
    if (this.#size === this.#ats.length) this.#grow();
    const tail = (this.#head + this.#size) & (this.#ats.length - 1);
    this.#ats[tail] = at;
    this.#places[tail] = place;
    this.#size += 1;
  }

  dropFirst(): void {
    this.#head = (this.#head + 1) & (this.#ats.length - 1);
    this.#size -= 1;
  }

  #grow(): void {
    const [ats, places] = [this.#ats, this.#places];
    const [begin, end] = [ats.length - this.#head, ats.length * 2];
    this.#ats = new Float64Array(end);
    this.#ats.set(ats.subarray(this.#head));
    this.#ats.set(ats.subarray(0, this.#head), begin);
    this.#places = new Int32Array(end);
    this.#places.set(places.subarray(this.#head));
    this.#places.set(places.subarray(0, this.#head), begin);
    this.#head = 0;
  }
}
