import type { Clock } from '../core/clock.ts';
import type { JobId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { StreamId } from '../core/stream.ts';
import type { InstantUs } from '../core/units.ts';
import type { JobBook, TurnDesk, Work } from '../pipeline/work.ts';

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
  let lastJob: JobId = 0;
  return {
    bookOf: (stream) => books.bookOf(stream),
    open(book, capturedAt) {
      lastJob += 1;
      book.arrived(lastJob, capturedAt, clock.now());
      return lastJob;
    },
    end: (job, outcome) => books.ended(job, outcome, clock.now()),
    submit: deps.submit,
    servedWith: deps.servedWith,
    cancel: deps.cancel,
    get lossCount() {
      return deps.lossCount();
    },
  };
}
