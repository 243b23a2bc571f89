import type { Clock } from '../core/clock.ts';
import type { JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { StreamId } from '../core/stream.ts';
import type { InstantUs } from '../core/units.ts';
import type { StreamAccount, TurnDesk, Work } from '../pipeline/work.ts';

interface JobBook {
  arrived(job: JobId, capturedAt: InstantUs, at: InstantUs): void;
}

/** What the desk needs of the ledger. */
export interface JobBooks {
  bookOf(stream: StreamId): JobBook;
  ended(job: JobId, outcome: Outcome, at: InstantUs): void;
}

/** Numbers the jobs of a run, enters them in the books, and passes work on. */
export function createJobDesk(deps: {
  readonly clock: Clock;
  readonly books: JobBooks;
  readonly submit: (work: Work) => void;
  readonly servedWith: (stream: StreamId) => ModelId | null | undefined;
  readonly cancel: (job: JobId) => void;
  readonly lossCount: () => number;
}): TurnDesk {
  const { clock, books } = deps;
  const numbers: Numbers = { lastJob: 0 };
  return {
    accountOf: (stream) => new Account(books.bookOf(stream), numbers, clock),
    end: (job, outcome) => books.ended(job, outcome, clock.now()),
    submit: deps.submit,
    servedWith: deps.servedWith,
    cancel: deps.cancel,
    get lossCount() {
      return deps.lossCount();
    },
  };
}

/** Given out, over all streams. */
interface Numbers {
  lastJob: JobId;
}

/** One object: of ten thousand streams each has its own, and every frame comes by. */
class Account implements StreamAccount {
  readonly #book: JobBook;
  readonly #numbers: Numbers;
  readonly #clock: Clock;

  constructor(book: JobBook, numbers: Numbers, clock: Clock) {
    this.#book = book;
    this.#numbers = numbers;
    this.#clock = clock;
  }

  open(capturedAt: InstantUs): JobId {
    const job = this.#numbers.lastJob + 1;
    this.#numbers.lastJob = job;
    this.#book.arrived(job, capturedAt, this.#clock.now());
    return job;
  }
}
