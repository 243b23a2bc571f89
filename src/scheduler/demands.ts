import type { StreamState } from './state.ts';

/** Only so many are kept, the most urgent ones: it bounds the time of a decision, and a core with more than that ahead of it is overloaded. */
const DEMANDS_MAX = 16;

/** What a core is asked for, a column each, and who of them would be hurt. Instants and spans in microseconds. Allocates nothing. */
export class Demands {
  count = 0;
  readonly stream: StreamState[] = [];
  readonly releaseAt = new Float64Array(DEMANDS_MAX);
  /** How much later than `releaseAt` it may well come. */
  readonly delayUs = new Float64Array(DEMANDS_MAX);
  /** By when its segment must end. */
  readonly dueAt = new Float64Array(DEMANDS_MAX);
  readonly costUs = new Float64Array(DEMANDS_MAX);
  /** How long to hold at most for it. */
  readonly holdUntil = new Float64Array(DEMANDS_MAX);
  /** When it ends with the candidate before it, and, where that makes anybody late, when without. */
  readonly endAt = new Float64Array(DEMANDS_MAX);
  readonly unhurtEndAt = new Float64Array(DEMANDS_MAX);
  /** Set by `findVictim`: how many are late because of the candidate, and the classes that they are of. */
  victimCount = 0;
  victimRankMin = 0;
  victimRankMax = 0;
  /** Goes first of those that are due at once. */
  readonly #place = new Float64Array(DEMANDS_MAX);
  /** The rows, the most urgent first; and by class before that. */
  readonly #byUrgency = new Uint8Array(DEMANDS_MAX);
  readonly #byClass = new Uint8Array(DEMANDS_MAX);

  hasRoomFor(dueAt: number): boolean {
    return this.count < DEMANDS_MAX || dueAt < (this.dueAt[this.#byUrgency[DEMANDS_MAX - 1] as number] as number);
  }

  /** In the place of the least urgent one when all are taken: to be asked for by `hasRoomFor`. */
  add(stream: StreamState, place: number, releaseAt: number, delayUs: number, dueAt: number, costUs: number, holdUntil: number): void {
    const row = this.#rowFor(dueAt, place);
    this.stream[row] = stream;
    this.releaseAt[row] = releaseAt;
    this.delayUs[row] = delayUs;
    this.dueAt[row] = dueAt;
    this.costUs[row] = costUs;
    this.holdUntil[row] = holdUntil;
    this.#place[row] = place;
  }

  #rowFor(dueAt: number, place: number): number {
    const rows = this.#byUrgency;
    const isFull = this.count === DEMANDS_MAX;
    let index = isFull ? DEMANDS_MAX - 1 : this.count;
    const row = isFull ? (rows[index] as number) : this.count;
    if (!isFull) this.count += 1;
    for (; index > 0; index -= 1) {
      const before = rows[index - 1] as number;
      const dueBefore = this.dueAt[before] as number;
      if (dueBefore < dueAt || (dueBefore === dueAt && (this.#place[before] as number) <= place)) break;
      rows[index] = before;
    }
    rows[index] = row;
    return row;
  }

  /**
   * The most urgent one that is late because the core is free at `freeAt` instead of `now`, -1 when none is: not one that cannot be in time by itself, nor one that
   * ends no later for that.
   */
  findVictim(now: number, freeAt: number): number {
    const { count, dueAt, releaseAt, costUs, endAt, unhurtEndAt } = this;
    this.victimCount = 0;
    if (count === 0 || this.#fitAnyway(freeAt)) return -1;
    this.#sortByClass();
    this.#playOut(freeAt, endAt);
    if (!this.#isAnybodyLate()) return -1;
    this.#playOut(now, unhurtEndAt);
    let victim = -1;
    for (let index = 0; index < count; index += 1) {
      const row = this.#byClass[index] as number;
      const due = dueAt[row] as number;
      const canBeInTime = Math.max(now, releaseAt[row] as number) + (costUs[row] as number) <= due;
      if (!canBeInTime || (endAt[row] as number) <= due || (endAt[row] as number) <= (unhurtEndAt[row] as number)) continue;
      if (victim < 0 || due < (dueAt[victim] as number)) victim = row;
      const { rank } = this.stream[row] as StreamState;
      this.victimRankMin = this.victimCount === 0 ? rank : Math.min(this.victimRankMin, rank);
      this.victimRankMax = rank;
      this.victimCount += 1;
    }
    return victim;
  }

  /** The cheap test that mostly suffices: all of them one after the other would still be in time for the most urgent. */
  #fitAnyway(freeAt: number): boolean {
    const { count, releaseAt, costUs } = this;
    let endAt = freeAt;
    for (let row = 0; row < count; row += 1) endAt = Math.max(endAt, releaseAt[row] as number) + (costUs[row] as number);
    return endAt <= (this.dueAt[this.#byUrgency[0] as number] as number);
  }

  #isAnybodyLate(): boolean {
    const { count, dueAt, endAt } = this;
    for (let row = 0; row < count; row += 1) if ((endAt[row] as number) > (dueAt[row] as number)) return true;
    return false;
  }

  #sortByClass(): void {
    const { count, stream } = this;
    let sorted = 0;
    for (let rank = 0; sorted < count; rank += 1) {
      for (let index = 0; index < count; index += 1) {
        const row = this.#byUrgency[index] as number;
        if ((stream[row] as StreamState).rank !== rank) continue;
        this.#byClass[sorted] = row;
        sorted += 1;
      }
    }
  }

  /** When each ends as a work-conserving core without preemption would serve them from `freeAt` on: by class, then by urgency. */
  #playOut(freeAt: number, endAt: Float64Array): void {
    const { count, releaseAt, costUs } = this;
    const rows = this.#byClass;
    let at = freeAt;
    let served = 0;
    for (let left = count; left > 0; left -= 1) {
      let next = -1;
      let nextAt = Number.POSITIVE_INFINITY;
      // The first that waits; else the one that comes first.
      for (let index = 0; index < count && (next < 0 || nextAt > at); index += 1) {
        const row = rows[index] as number;
        const release = releaseAt[row] as number;
        if ((served & (1 << row)) !== 0 || (next >= 0 && release > at && release >= nextAt)) continue;
        next = row;
        nextAt = release;
      }
      at = Math.max(at, nextAt) + (costUs[next] as number);
      endAt[next] = at;
      served |= 1 << next;
    }
  }
}
