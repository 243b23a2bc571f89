import type { StreamId } from '../../core/stream.ts';
import type { DurationUs } from '../../core/units.ts';

/** What streams may move over the bus in every period, wherever their segments run (MemGuard: Yun et al. 2013). Who is not named is not regulated. */
export interface Regulation {
  /** Periods begin at its multiples. */
  readonly periodUs: DurationUs;
  readonly bytesByStream: ReadonlyMap<StreamId, number>;
}

export interface BudgetFigures {
  readonly stream: StreamId;
  readonly movedBytes: number;
  /** Periods in which its segments waited for the next one, and for how long in all. */
  readonly stalls: number;
  readonly stalledUs: number;
}

/** A remainder of a budget that is only rounding. */
const EPSILON = 1e-9;

/** Of a number, four times its last binary digit. */
const DIGIT = 2 ** -50;

/** One stream's budget; all that runs of it, on whichever cores, draws on it together. */
export class ByteBudget {
  readonly #stream: StreamId;
  readonly #bytes: number;
  readonly #periodUs: number;
  #left = 0;
  #refillAt = 0;
  #movedBytes = 0;
  #isWaitedFor = false;
  #waitsSince = 0;
  #stalls = 0;
  #stalledUs = 0;
  /** What its segments move now, in bytes per microsecond; kept by the chip. */
  rate = 0;
  /** How many of them there are. */
  runs = 0;

  constructor(stream: StreamId, bytes: number, periodUs: number) {
    this.#stream = stream;
    this.#bytes = bytes;
    this.#periodUs = periodUs;
  }

  draw(bytes: number): void {
    this.#left = Math.max(0, this.#left - bytes);
    this.#movedBytes += bytes;
  }

  /** Whether nothing is left of it; what a period gives is handed out at its beginning and gone at its end. All that was moved has been drawn. */
  isSpentAt(at: number): boolean {
    if (at >= this.#refillAt) {
      this.#refillAt = (Math.floor(at / this.#periodUs) + 1) * this.#periodUs;
      this.#left = this.#bytes;
    }
    return this.#left <= this.#bytes * EPSILON;
  }

  /** Told at every change whether somebody waits for the next period. */
  wait(isWaitedFor: boolean, at: number): void {
    if (this.#isWaitedFor) this.#stalledUs += at - this.#waitsSince;
    else if (isWaitedFor) this.#stalls += 1;
    this.#isWaitedFor = isWaitedFor;
    this.#waitsSince = at;
  }

  /** When it is used up or handed out anew, whichever comes first. Not on a whole microsecond: nobody but the chip sees it. */
  changesAt(at: number): number {
    if (this.rate === 0) return this.#refillAt;
    // Late in a long run a remainder may be too short for the clock's digits; time has to go on all the same.
    return Math.min(this.#refillAt, at + Math.max(at * DIGIT + DIGIT, this.#left / this.rate));
  }

  figuresAt(at: number): BudgetFigures {
    const stalledUs = this.#stalledUs + (this.#isWaitedFor ? at - this.#waitsSince : 0);
    return { stream: this.#stream, movedBytes: this.#movedBytes, stalls: this.#stalls, stalledUs };
  }
}
