import { assert, assertNever } from '../core/assert.ts';
import { IdMap } from '../core/id-map.ts';
import type { JobId } from '../core/job.ts';
import type { DropReason, FailReason, Outcome, RejectReason } from '../core/outcome.ts';
import type { Criticality, Stream, StreamId } from '../core/stream.ts';
import { elapsedUs, type InstantUs, msFromDuration } from '../core/units.ts';
import { createDurationHistogram, type LatencyMs, latencyMsOf } from './histogram.ts';
import { type CountsBy, Tally } from './tally.ts';
import type { AnswerFigures } from './turn-meter.ts';

/** Always: arrived = done + late + every dropped + every rejected + every failed + inFlight. */
export interface JobCounts {
  readonly arrived: number;
  readonly done: number;
  readonly late: number;
  readonly dropped: CountsBy<DropReason>;
  readonly rejected: CountsBy<RejectReason>;
  readonly failed: CountsBy<FailReason>;
  readonly inFlight: number;
}

export interface StreamFigures {
  readonly id: StreamId;
  readonly model: string;
  readonly criticality: Criticality;
  readonly deadlineMs: number;
  readonly periodMs: number;
  readonly jobs: JobCounts;
  /** From capture to decoded result, of a turn to its first token; of done and late jobs. */
  readonly latencyMs: LatencyMs;
  /** Only of a stream of turns. */
  readonly answers?: AnswerFigures;
}

export interface LedgerOptions {
  /** More jobs than this without an Outcome are a bug: every queue before the ledger is bounded. Default 65 536. */
  readonly inFlightMax?: number;
}

/** Where the jobs of one stream are entered; looked up once, since every job is told. */
export interface StreamBook {
  arrived(job: JobId, capturedAt: InstantUs, at: InstantUs): void;
}

/** The books of every job: one line when it arrives, one when it ends, and the two always agree. Anything else is a broken invariant. */
export interface Ledger {
  bookOf(stream: StreamId): StreamBook;
  ended(job: JobId, outcome: Outcome, at: InstantUs): void;
  /** A frame that was meant for the stream and turned away before it had a job number; it counts as arrived and rejected. */
  refused(stream: StreamId, reason: RejectReason): void;
  /** Jobs without an Outcome, over all streams. */
  readonly inFlight: number;
  /** In the order in which the streams were given. */
  figures(): readonly StreamFigures[];
}

export const createLedger = (streams: readonly Stream[], options: LedgerOptions = {}): Ledger => new Books(streams, options);

class Books implements Ledger {
  readonly #books: ReadonlyMap<StreamId, Book>;
  readonly #underWay = new IdMap<Line>();

  constructor(streams: readonly Stream[], { inFlightMax = 65_536 }: LedgerOptions) {
    this.#books = new Map(streams.map((stream) => [stream.id, new Book(stream, this.#underWay, inFlightMax)]));
    assert(this.#books.size === streams.length, 'stream ids are unique');
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  bookOf(stream: StreamId): Book {
    const book = this.#books.get(stream);
    assert(book !== undefined, 'the ledger knows the stream', stream);
    return book;
  }

  ended(job: JobId, outcome: Outcome, at: InstantUs): void {
    const line = this.#underWay.remove(job);
    assert(line !== undefined, 'a job ends exactly once, after it arrived', job);
    line.book.ended(outcome, line.capturedAt, at);
  }

  refused(stream: StreamId, reason: RejectReason): void {
    this.bookOf(stream).refused(reason);
  }

  figures(): readonly StreamFigures[] {
    return [...this.#books.values()].map((book) => book.figures());
  }
}

/** Of a job without an Outcome. */
interface Line {
  readonly book: Book;
  readonly capturedAt: InstantUs;
}

class Book implements StreamBook {
  readonly #stream: Stream;
  /** Of all streams. */
  readonly #underWay: IdMap<Line>;
  readonly #inFlightMax: number;
  readonly #latency = createDurationHistogram();
  readonly #dropped = new Tally<DropReason>();
  readonly #rejected = new Tally<RejectReason>();
  readonly #failed = new Tally<FailReason>();
  #arrived = 0;
  #done = 0;
  #late = 0;
  #inFlight = 0;

  constructor(stream: Stream, underWay: IdMap<Line>, inFlightMax: number) {
    this.#stream = stream;
    this.#underWay = underWay;
    this.#inFlightMax = inFlightMax;
  }

  arrived(job: JobId, capturedAt: InstantUs, at: InstantUs): void {
    assert(capturedAt <= at, 'a job is not captured after it arrives', job);
    assert(this.#underWay.size < this.#inFlightMax, 'no more jobs are in flight than the ledger allows', this.#inFlightMax);
    assert(this.#underWay.add(job, { book: this, capturedAt }), 'a job arrives once', job);
    this.#arrived += 1;
    this.#inFlight += 1;
  }

  ended(outcome: Outcome, capturedAt: InstantUs, at: InstantUs): void {
    this.#inFlight -= 1;
    switch (outcome.kind) {
      case 'done':
        this.#done += 1;
        return this.#latency.record(elapsedUs(capturedAt, at));
      case 'late':
        this.#late += 1;
        return this.#latency.record(elapsedUs(capturedAt, at));
      case 'dropped':
        return this.#dropped.add(outcome.reason);
      case 'rejected':
        return this.#rejected.add(outcome.reason);
      case 'failed':
        return this.#failed.add(outcome.reason);
      default:
        assertNever(outcome);
    }
  }

  refused(reason: RejectReason): void {
    this.#arrived += 1;
    this.#rejected.add(reason);
  }

  figures(): StreamFigures {
    const { id, model, criticality, deadlineUs, periodUs } = this.#stream;
    return {
      id,
      model,
      criticality,
      deadlineMs: msFromDuration(deadlineUs),
      periodMs: msFromDuration(periodUs),
      jobs: {
        arrived: this.#arrived,
        done: this.#done,
        late: this.#late,
        dropped: this.#dropped.counts(),
        rejected: this.#rejected.counts(),
        failed: this.#failed.counts(),
        inFlight: this.#inFlight,
      },
      latencyMs: latencyMsOf(this.#latency),
    };
  }
}
