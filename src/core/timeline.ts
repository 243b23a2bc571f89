import { TimedHeap } from './timed-heap.ts';
import { TimedRow } from './timed-row.ts';

/** Enough for the spans that most items are put off by; all of them are looked at with every push and pop, so that each more costs something. */
const ROWS = 4;
/** The heap, among the rows. */
const HEAP = ROWS;

/** When what is not there is due. */
const NEVER = Number.POSITIVE_INFINITY;
/** Of a place without an item. */
const NO_ORDER = -1;

/**
 * Items by the instant that each is due at, the earliest first; those of one instant in the order of a second number, not negative, which no two of them share. The
 * order out never depends on the order in.
 *
 * Whoever puts things off mostly puts them off by the same span as the last time: a period, a delay, a time limit. So items stand in a few rows, each in order: one is
 * put behind the row that ends closest before it, and taken from the row that begins first, which takes no longer with ten thousand of them than with ten. What fits
 * behind no row lies in a heap.
 */
export class Timeline<T> {
  /** By place. The items stay where they were put: moving young objects about in an array that is old would tell the garbage collector of each move. */
  readonly #items: (T | undefined)[] = [];
  readonly #orders: number[] = [];
  /** Places without an item. */
  readonly #free: number[] = [];
  readonly #rows = Array.from({ length: ROWS }, () => new TimedRow());
  readonly #heap = new TimedHeap(this.#orders);
  /** When the last of each row is due, long ago where there is none, and its place. */
  readonly #ends = new Float64Array(ROWS).fill(-NEVER);
  readonly #lasts = new Int32Array(ROWS);
  /** When the first of each row and of the heap is due, and its place. */
  readonly #begins = new Float64Array(ROWS + 1).fill(NEVER);
  readonly #fronts = new Int32Array(ROWS + 1);
  /** Which of them begins first. */
  #first = 0;

  get size(): number {
    return this.#items.length - this.#free.length;
  }

  /** When the first is due; infinite when there is none. */
  get firstAt(): number {
    return this.#begins[this.#first] as number;
  }

  /** Undefined when there is none, and when it was withdrawn. */
  get first(): T | undefined {
    return this.firstAt === NEVER ? undefined : this.#items[this.#fronts[this.#first] as number];
  }

  /** Answers the place of the item, which is its own until it is popped. */
  push(at: number, order: number, item: T): number {
    const place = this.#free.length === 0 ? this.#items.length : (this.#free.pop() as number);
    this.#items[place] = item;
    this.#orders[place] = order;
    const lane = this.#laneFor(at, order);
    if (lane === HEAP) this.#heap.push(at, place);
    else {
      (this.#rows[lane] as TimedRow).push(at, place);
      this.#ends[lane] = at;
      this.#lasts[lane] = place;
    }
    if (lane === HEAP || this.#begins[lane] === NEVER) this.#lookAt(lane);
    if (this.#isBefore(lane, this.#first)) this.#first = lane;
    return place;
  }

  pop(): T | undefined {
    const lane = this.#first;
    if (this.#begins[lane] === NEVER) return undefined;
    const place = this.#fronts[lane] as number;
    const item = this.#items[place];
    this.#items[place] = undefined;
    this.#orders[place] = NO_ORDER;
    this.#free.push(place);
    if (lane === HEAP) this.#heap.dropFirst();
    else (this.#rows[lane] as TimedRow).dropFirst();
    this.#lookAt(lane);
    if (lane !== HEAP && this.#begins[lane] === NEVER) this.#ends[lane] = -NEVER;
    this.#findFirst();
    return item;
  }

  /** Takes the item out of its place, if it is still there: it comes up all the same, as undefined. */
  withdraw(place: number, order: number): void {
    if (this.#orders[place] === order) this.#items[place] = undefined;
  }

  /** The row that ends closest before, an empty one where there is none. */
  #laneFor(at: number, order: number): number {
    let found = HEAP;
    let end = Number.NaN;
    for (let row = 0; row < ROWS; row += 1) {
      const other = this.#ends[row] as number;
      if (other <= end || other > at || (other === at && (this.#orders[this.#lasts[row] as number] as number) > order)) continue;
      found = row;
      end = other;
    }
    return found;
  }

  #findFirst(): void {
    const begins = this.#begins;
    let first = 0;
    let firstAt = begins[0] as number;
    for (let lane = 1; lane <= HEAP; lane += 1) {
      const at = begins[lane] as number;
      if (at > firstAt || (at === firstAt && !this.#isBefore(lane, first))) continue;
      first = lane;
      firstAt = at;
    }
    this.#first = first;
  }

  #isBefore(lane: number, other: number): boolean {
    const [at, otherAt] = [this.#begins[lane] as number, this.#begins[other] as number];
    if (at !== otherAt) return at < otherAt;
    return (this.#orders[this.#fronts[lane] as number] as number) < (this.#orders[this.#fronts[other] as number] as number);
  }

  #lookAt(lane: number): void {
    const from = lane === HEAP ? this.#heap : (this.#rows[lane] as TimedRow);
    this.#begins[lane] = from.firstAt;
    this.#fronts[lane] = from.firstPlace;
  }
}
