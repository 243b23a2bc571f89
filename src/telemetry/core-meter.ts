import { assert } from '../core/assert.ts';
import type { CoreId } from '../core/job.ts';
import type { ModelId } from '../core/model.ts';
import type { SegmentEnd } from '../core/segment.ts';
import type { InstantUs } from '../core/units.ts';
import { BusyWindow } from './busy-window.ts';

/** `quarantined`: lost too often; started again only as a probe. */
export const CORE_STATES = ['starting', 'ready', 'lost', 'quarantined'] as const;
type CoreStateName = (typeof CORE_STATES)[number];

export interface CoreFigures {
  readonly id: CoreId;
  readonly state: CoreStateName;
  /** Share of the run in which the core was taken, from dispatch until its end was told, 0..1. */
  readonly busyRatio: number;
  /** The same over the last second. */
  readonly busyRatioRecent: number;
  /** Share of the run in which the core computed, by its own instants, 0..1; what `busyRatio` has more is overhead. */
  readonly computeRatio: number;
  /** How often it was started again after its first start. */
  readonly restarts: number;
  /** Segments that ended well. */
  readonly jobs: number;
  readonly modelInWork: ModelId | null;
  /** Process that plays the core, for who wants to look at it or kill it; null when none lives. */
  readonly pid: number | null;
  /** Proportional share of physical memory of its process; null when not known. */
  readonly pssBytes: number | null;
}

/** What each core did. All instants come from the runtime's Clock; a core runs at most one segment. */
export interface CoreMeter {
  /** A core that leaves `ready` while a segment is open has that segment closed. */
  state(core: CoreId, state: CoreStateName, at: InstantUs): void;
  segmentStarted(core: CoreId, model: ModelId, at: InstantUs): void;
  /** `at`: when the runtime was told. Does nothing when the loss of the core has closed the segment already. */
  segmentEnded(core: CoreId, end: SegmentEnd, at: InstantUs): void;
  process(core: CoreId, found: { readonly pid: number | undefined; readonly pssBytes: number | undefined }): void;
  figures(at: InstantUs): readonly CoreFigures[];
}

interface CoreBook {
  readonly id: CoreId;
  readonly window: BusyWindow;
  state: CoreStateName;
  starts: number;
  computeUs: number;
  jobs: number;
  modelInWork: ModelId | null;
  pid: number | null;
  pssBytes: number | null;
}

/** Cores begin as `starting`: the first start is not a restart. */
export function createCoreMeter(cores: readonly CoreId[], startedAt: InstantUs): CoreMeter {
  const books = cores.map(
    (id): CoreBook => ({
      id,
      window: new BusyWindow(startedAt),
      state: 'starting',
      starts: 1,
      computeUs: 0,
      jobs: 0,
      modelInWork: null,
      pid: null,
      pssBytes: null,
    }),
  );
  const byId: (CoreBook | undefined)[] = [];
  for (const book of books) byId[book.id] = book;
  const bookOf = (core: CoreId): CoreBook => {
    const book = byId[core];
    assert(book !== undefined, 'the meter knows the core', core);
    return book;
  };
  const close = (book: CoreBook, at: InstantUs): void => {
    book.window.set(false, at);
    book.modelInWork = null;
  };

  return {
    state(core, state, at) {
      const book = bookOf(core);
      if (state === 'starting' && book.state !== 'starting') book.starts += 1;
      if (state !== 'ready') close(book, at);
      if (state === 'lost' || state === 'quarantined') book.pid = book.pssBytes = null;
      book.state = state;
    },
    segmentStarted(core, model, at) {
      const book = bookOf(core);
      assert(book.modelInWork === null, 'a core runs one segment at a time', core);
      book.modelInWork = model;
      book.window.set(true, at);
    },
    segmentEnded(core, end, at) {
      const book = bookOf(core);
      close(book, at);
      if (end.kind !== 'done') return;
      book.jobs += 1;
      book.computeUs += Math.max(0, end.endedAt - end.startedAt);
    },
    process(core, { pid, pssBytes }) {
      const book = bookOf(core);
      book.pid = pid ?? null;
      book.pssBytes = pssBytes ?? null;
    },
    figures: (at) => books.map((book) => figuresOf(book, startedAt, at)),
  };
}

const figuresOf = (book: CoreBook, startedAt: InstantUs, at: InstantUs): CoreFigures => ({
  id: book.id,
  state: book.state,
  busyRatio: book.window.totalRatio(at),
  busyRatioRecent: book.window.recentRatio(at),
  computeRatio: at > startedAt ? Math.min(1, book.computeUs / (at - startedAt)) : 0,
  restarts: book.starts - 1,
  jobs: book.jobs,
  modelInWork: book.modelInWork,
  pid: book.pid,
  pssBytes: book.pssBytes,
});
