import { Heap } from './heap.ts';
import { TimedRow } from './timed-row.ts';

/** Enough for the spans that most items are put off by; all of them are looked at with every push and pop, so that each more costs something. */
const ROWS = 4;
/** The heap, among the rows. */
const HEAP = ROWS;

/** When what is not there is due. */
const NEVER = Number.POSITIVE_INFINITY;

/** An item that fits behind no row. */
class Straggler<T> {
  readonly at: number;
  readonly order: number;
  item: T | undefined;

  constructor(at: number, order: number, item: T) {
    this.at = at;
    this.order = order;
    this.item = item;
  }

  static isBefore(this: void, a: Straggler<unknown>, b: Straggler<unknown>): boolean {
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  cancel(): void {
    this.item = undefined;
  }
}

/** An item in a row. */
class Ticket<T> {
  readonly #row: TimedRow<T>;
  readonly #position: number;

  constructor(row: TimedRow<T>, position: number) {
    this.#row = row;
    this.#position = position;
  }

  cancel(): void {
    this.#row.withdraw(this.#position);
  }
}

/**
 * Items by the instant that each is due at, the earliest first; those of one instant in the order of a second number, which no two of them share. The order out never
 * depends on the order in.
 *
 * Whoever puts things off mostly puts them off by the same span as the last time: a period, a delay, a time limit. So items stand in a few rows, each in order: one is
 * put behind the row that ends closest before it, and taken from the row that begins first, which takes no longer with ten thousand of them than with ten. What fits
 * behind no row lies in a heap.
 */
export class Timeline<T> {
  readonly #rows = Array.from({ length: ROWS }, () => new TimedRow<T>());
  readonly #heap = new Heap<Straggler<T>>(Straggler.isBefore);
  /** When the last of each row is due; long ago where there is none. */
  readonly #ends = new Float64Array(ROWS).fill(-NEVER);
  /** When the first of each row and of the heap is due. */
  readonly #begins = new Float64Array(ROWS + 1).fill(NEVER);
  /** Which of them begins first. */
  #first = 0;
  #size = 0;

  /** With those that were cancelled. */
  get size(): number {
    return this.#size;
  }

  /** When the first is due; infinite when there is none. */
  get firstAt(): number {
    return this.#begins[this.#first] as number;
  }

  /** Undefined when there is none, and when it was cancelled. */
  get first(): T | undefined {
    return this.#first === HEAP ? this.#heap.peek()?.item : (this.#rows[this.#first] as TimedRow<T>).first;
  }

  push(at: number, order: number, item: T): void {
    const row = this.#rowFor(at, order);
    if (row === HEAP) this.#pushOnHeap(at, order, item);
    else this.#pushOnRow(row, at, order, item);
  }

  /** As `push`, and answers how to cancel it: it comes up all the same, as undefined. One that has come up is left alone. */
  pushCancellable(at: number, order: number, item: T): { cancel(): void } {
    const row = this.#rowFor(at, order);
    if (row === HEAP) return this.#pushOnHeap(at, order, item);
    return new Ticket(this.#rows[row] as TimedRow<T>, this.#pushOnRow(row, at, order, item));
  }

  pop(): T | undefined {
    const first = this.#first;
    if (this.#begins[first] === NEVER) return undefined;
    this.#size -= 1;
    let item: T | undefined;
    if (first === HEAP) {
      item = this.#heap.pop()?.item;
      this.#begins[HEAP] = this.#heap.peek()?.at ?? NEVER;
    } else {
      const row = this.#rows[first] as TimedRow<T>;
      item = row.first;
      row.dropFirst();
      const { firstAt } = row;
      this.#begins[first] = firstAt;
      if (firstAt === NEVER) this.#ends[first] = -NEVER;
    }
    this.#findFirst();
    return item;
  }

  /** Answers its position. */
  #pushOnRow(row: number, at: number, order: number, item: T): number {
    const position = (this.#rows[row] as TimedRow<T>).push(at, order, item);
    this.#size += 1;
    this.#ends[row] = at;
    if (this.#begins[row] === NEVER) this.#begin(row, at, order);
    return position;
  }

  #pushOnHeap(at: number, order: number, item: T): Straggler<T> {
    this.#size += 1;
    const straggler = new Straggler(at, order, item);
    this.#heap.push(straggler);
    if (this.#heap.peek() === straggler) this.#begin(HEAP, at, order);
    return straggler;
  }

  /** The row that ends closest before, or an empty one. */
  #rowFor(at: number, order: number): number {
    let found = HEAP;
    let end = Number.NaN;
    for (let row = 0; row < ROWS; row += 1) {
      const other = this.#ends[row] as number;
      if (other > at || other <= end || (other === at && (this.#rows[row] as TimedRow<T>).lastOrder > order)) continue;
      found = row;
      end = other;
    }
    return found;
  }

  /** A row or the heap begins with this now. */
  #begin(row: number, at: number, order: number): void {
    this.#begins[row] = at;
    const { firstAt } = this;
    if (at < firstAt || (at === firstAt && order <= this.#orderAt(this.#first))) this.#first = row;
  }

  #findFirst(): void {
    const begins = this.#begins;
    let first = 0;
    let firstAt = begins[0] as number;
    for (let row = 1; row <= HEAP; row += 1) {
      const at = begins[row] as number;
      if (at > firstAt || (at === firstAt && (at === NEVER || this.#orderAt(row) > this.#orderAt(first)))) continue;
      first = row;
      firstAt = at;
    }
    this.#first = first;
  }

  /** Of the first item there. */
  #orderAt(row: number): number {
    return row === HEAP ? (this.#heap.peek() as Straggler<T>).order : (this.#rows[row] as TimedRow<T>).firstOrder;
  }
}
