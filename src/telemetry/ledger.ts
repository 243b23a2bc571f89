import { assert, assertNever } from '../core/assert.ts';
import { IdMap } from '../core/id-map.ts';
import type { JobId } from '../core/job.ts';
import type { DropReason, FailReason, Outcome, RejectReason } from '../core/outcome.ts';
import type { Criticality, Stream, StreamId } from '../core/stream.ts';
import { elapsedUs, type InstantUs, msFromDuration } from '../core/units.ts';
import { createDurationHistogram, type DurationHistogram, type LatencyMs, latencyMsOf } from './histogram.ts';
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

/** The book of every job: one line when it arrives, one when it ends, and the two always agree. Anything else is a broken invariant. */
export interface Ledger {
  arrived(job: JobId, stream: StreamId, capturedAt: InstantUs, at: InstantUs): void;
  ended(job: JobId, outcome: Outcome, at: InstantUs): void;
  /** A frame that was meant for the stream and turned away before it had a job number; it counts as arrived and rejected. */
  refused(stream: StreamId, reason: RejectReason): void;
  /** Jobs without an Outcome, over all streams. */
  readonly inFlight: number;
  /** In the order in which the streams were given. */
  figures(): readonly StreamFigures[];
}

interface Account {
  readonly stream: Stream;
  readonly latency: DurationHistogram;
  readonly dropped: Tally<DropReason>;
  readonly rejected: Tally<RejectReason>;
  readonly failed: Tally<FailReason>;
  arrived: number;
  done: number;
  late: number;
  inFlight: number;
}

export const createLedger = (streams: readonly Stream[], options: LedgerOptions = {}): Ledger => new Book(streams, options);

class Book implements Ledger {
  readonly #inFlightMax: number;
  readonly #accounts: ReadonlyMap<StreamId, Account>;
  readonly #open = new IdMap<{ readonly account: Account; readonly capturedAt: InstantUs }>();

  constructor(streams: readonly Stream[], options: LedgerOptions) {
    this.#inFlightMax = options.inFlightMax ?? 65_536;
    this.#accounts = new Map(streams.map((stream) => [stream.id, openAccount(stream)]));
    assert(this.#accounts.size === streams.length, 'stream ids are unique');
  }

  get inFlight(): number {
    return this.#open.size;
  }

  arrived(job: JobId, stream: StreamId, capturedAt: InstantUs, at: InstantUs): void {
    const account = this.#accountOf(stream);
    assert(capturedAt <= at, 'a job is not captured after it arrives', job);
    assert(this.#open.size < this.#inFlightMax, 'no more jobs are in flight than the ledger allows', this.#inFlightMax);
    assert(this.#open.add(job, { account, capturedAt }), 'a job arrives once', job);
    account.arrived += 1;
    account.inFlight += 1;
  }

  ended(job: JobId, outcome: Outcome, at: InstantUs): void {
    const entry = this.#open.remove(job);
    assert(entry !== undefined, 'a job ends exactly once, after it arrived', job);
    entry.account.inFlight -= 1;
    book(entry.account, outcome, entry.capturedAt, at);
  }

  refused(stream: StreamId, reason: RejectReason): void {
    const account = this.#accountOf(stream);
    account.arrived += 1;
    account.rejected.add(reason);
  }

  figures(): readonly StreamFigures[] {
    return [...this.#accounts.values()].map(figuresOf);
  }

  #accountOf(stream: StreamId): Account {
    const account = this.#accounts.get(stream);
    assert(account !== undefined, 'the ledger knows the stream', stream);
    return account;
  }
}

const openAccount = (stream: Stream): Account => ({
  stream,
  latency: createDurationHistogram(),
  dropped: new Tally(),
  rejected: new Tally(),
  failed: new Tally(),
  arrived: 0,
  done: 0,
  late: 0,
  inFlight: 0,
});

function book(account: Account, outcome: Outcome, capturedAt: InstantUs, at: InstantUs): void {
  switch (outcome.kind) {
    case 'done':
    case 'late':
      account[outcome.kind] += 1;
      account.latency.record(elapsedUs(capturedAt, at));
      return;
    case 'dropped':
      return account.dropped.add(outcome.reason);
    case 'rejected':
      return account.rejected.add(outcome.reason);
    case 'failed':
      return account.failed.add(outcome.reason);
    default:
      assertNever(outcome);
  }
}

function figuresOf(account: Account): StreamFigures {
  const { stream } = account;
  return {
    id: stream.id,
    model: stream.model,
    criticality: stream.criticality,
    deadlineMs: msFromDuration(stream.deadlineUs),
    periodMs: msFromDuration(stream.periodUs),
    jobs: {
      arrived: account.arrived,
      done: account.done,
      late: account.late,
      dropped: account.dropped.counts(),
      rejected: account.rejected.counts(),
      failed: account.failed.counts(),
      inFlight: account.inFlight,
    },
    latencyMs: latencyMsOf(account.latency),
  };
}
