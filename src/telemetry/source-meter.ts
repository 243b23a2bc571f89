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

export interface SourceMeter {
  frame(source: SourceId): void;
  rejected(source: SourceId, reason: RejectReason): void;
  state(source: SourceId, state: SourceStateName): void;
  figures(): readonly SourceFigures[];
}

export function createSourceMeter(sources: readonly SourceId[]): SourceMeter {
  interface SourceBook {
    readonly id: SourceId;
    readonly rejected: Tally<RejectReason>;
    state: SourceStateName;
    frames: number;
  }
  const books = new Map<SourceId, SourceBook>(sources.map((id) => [id, { id, rejected: new Tally(), state: 'starting', frames: 0 }]));
  const bookOf = (source: SourceId): SourceBook => {
    const book = books.get(source);
    assert(book !== undefined, 'the meter knows the source', source);
    return book;
  };
  return {
    frame(source) {
      bookOf(source).frames += 1;
    },
    rejected(source, reason) {
      bookOf(source).rejected.add(reason);
    },
    state(source, state) {
      bookOf(source).state = state;
    },
    figures: () => [...books.values()].map(({ id, state, frames, rejected }) => ({ id, state, frames, rejected: rejected.counts() })),
  };
}
