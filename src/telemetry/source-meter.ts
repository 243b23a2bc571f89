import { assert } from '../core/assert.ts';
import type { SourceId } from '../core/frame.ts';
import type { RejectReason } from '../core/outcome.ts';
import { type CountsBy, Tally } from './tally.ts';

export const SOURCE_STATES = ['starting', 'live', 'stalled', 'restarting', 'ended'] as const;
type SourceStateName = (typeof SOURCE_STATES)[number];

export interface SourceFigures {
  readonly id: SourceId;
  readonly state: SourceStateName;
  /** Frames that the source gave. */
  readonly frames: number;
  /** Inputs that it turned away at the edge; they never became frames. */
  readonly rejected: CountsBy<RejectReason>;
}

/** What is told of one source; looked up once, since every frame is told. */
export interface SourceBook {
  frame(): void;
  rejected(reason: RejectReason): void;
  state(state: SourceStateName): void;
}

export interface SourceMeter {
  bookOf(source: SourceId): SourceBook;
  figures(): readonly SourceFigures[];
}

class Book implements SourceBook {
  readonly #id: SourceId;
  readonly #rejected = new Tally<RejectReason>();
  #state: SourceStateName = 'starting';
  #frames = 0;

  constructor(id: SourceId) {
    this.#id = id;
  }

  frame(): void {
    this.#frames += 1;
  }

  rejected(reason: RejectReason): void {
    this.#rejected.add(reason);
  }

  state(state: SourceStateName): void {
    this.#state = state;
  }

  figures(): SourceFigures {
    return { id: this.#id, state: this.#state, frames: this.#frames, rejected: this.#rejected.counts() };
  }
}

export function createSourceMeter(sources: readonly SourceId[]): SourceMeter {
  const books = new Map(sources.map((id) => [id, new Book(id)]));
  return {
    bookOf(source) {
      const book = books.get(source);
      assert(book !== undefined, 'the meter knows the source', source);
      return book;
    },
    figures: () => [...books.values()].map((book) => book.figures()),
  };
}
