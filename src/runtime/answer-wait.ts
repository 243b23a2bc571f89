import type { Clock } from '../core/clock.ts';
import { addUs, type DurationUs, durationUs, elapsedUs, type InstantUs } from '../core/units.ts';

export interface AnswerWaitOptions {
  /** Answers that may be under way or wait at once; what the stream's queue holds. */
  readonly answersMax: number;
  /** Of the first token, where a request names none: what the stream promises. */
  readonly deadlineUs: DurationUs;
}

/** Somebody who was let in. */
export interface Admission {
  started(): void;
  /** `isWhole`: it was answered, and not broken off or lost. */
  ended(isWhole: boolean): void;
}

export interface Refusal {
  readonly reason: string;
  readonly retryAfterUs: DurationUs;
}

/** The newest answer counts for this much of the mean time between two: some ten of them are remembered. */
const LEARNING = 1 / 8;
/** Nobody is told to come back later than that; by then everything may be another. */
const RETRY_MAX_US = 60_000_000;

/**
 * The test before the queue: who comes is let in while there is a place and while what waits before it leaves the time it asks for; else it is told when to come
 * again. How long an answer takes is measured where it matters, at the end of the queue: the time from one answer to the next while something was to be answered, with
 * whatever else the cores do.
 */
export class AnswerWait {
  readonly #options: AnswerWaitOptions;
  readonly #clock: Clock;
  #underWay = 0;
  #waiting = 0;
  /** Since when something was to be answered, or the last answer ended. */
  #since: InstantUs;
  #answerUs: number | undefined;
  /** By when those who were sent away are expected back, so that they do not all come back at once. */
  #bookedUntil: InstantUs;

  constructor(options: AnswerWaitOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#since = clock.now();
    this.#bookedUntil = clock.now();
  }

  /** Between two answers. Before the first one: as if a full queue were answered just in time. */
  get answerUs(): number {
    return this.#answerUs ?? this.#options.deadlineUs / this.#options.answersMax;
  }

  /** Undefined: come in. */
  refusal(deadlineUs: DurationUs = this.#options.deadlineUs): Refusal | undefined {
    const places = this.#options.answersMax - this.#underWay;
    if (places <= 0) return this.#comeAgain('the queue is full', (1 - places) * this.answerUs);
    // Nobody waits: it begins as soon as the scheduler lets it. Before anything was measured nothing is known.
    if (this.#waiting === 0 || this.#answerUs === undefined) return undefined;
    const waitUs = (this.#waiting + 1) * this.answerUs;
    return waitUs <= deadlineUs ? undefined : this.#comeAgain('too many wait before it', waitUs - deadlineUs);
  }

  /** For one that was let in and given up by the scheduler all the same. */
  afterLoss(reason: string): Refusal {
    return this.#comeAgain(reason, Math.max(1, this.#waiting) * this.answerUs);
  }

  admit(): Admission {
    if (this.#underWay === 0) this.#since = this.#clock.now();
    this.#underWay += 1;
    this.#waiting += 1;
    let isWaiting = true;
    let isOver = false;
    const start = (): void => {
      if (isWaiting) this.#waiting -= 1;
      isWaiting = false;
    };
    return {
      started: start,
      ended: (isWhole) => {
        if (isOver) return;
        isOver = true;
        start();
        this.#underWay -= 1;
        if (isWhole) this.#learn();
      },
    };
  }

  #learn(): void {
    const now = this.#clock.now();
    const tookUs = elapsedUs(this.#since, now);
    this.#since = now;
    this.#answerUs = this.#answerUs === undefined ? tookUs : this.#answerUs + LEARNING * (tookUs - this.#answerUs);
  }

  #comeAgain(reason: string, waitUs: number): Refusal {
    const now = this.#clock.now();
    const earliest = addUs(now, durationUs(waitUs));
    const next = addUs(this.#bookedUntil, durationUs(this.answerUs));
    const at = Math.min(Math.max(earliest, next), now + RETRY_MAX_US) as InstantUs;
    this.#bookedUntil = at;
    return { reason, retryAfterUs: elapsedUs(now, at) };
  }
}
