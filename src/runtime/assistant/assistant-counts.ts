import type { ActionOutcome } from '../../core/proposal.ts';
import type { TurnEnd } from '../../core/turn-transcript.ts';

/** `turns` is `underWay` and the five ends together, at every instant. */
export interface AssistantCounts {
  readonly turns: number;
  readonly underWay: number;
  readonly ends: Readonly<Record<TurnEnd, number>>;
  /** Turns that were a plain yes or no to a question. */
  readonly confirmations: number;
  /** Turns that ended with words about what had become of their calls. */
  readonly followUps: number;
  /** Calls that were proposed, by where they stand now. */
  readonly calls: Readonly<Record<ActionOutcome['kind'], number>>;
  /** Calls that could not be read. */
  readonly badCalls: number;
  /** Calls that were not proposed: more than an answer may have, or where none may be. */
  readonly strayCalls: number;
  /** That something is remembered of. */
  readonly conversations: number;
}

export class AssistantCounter {
  readonly #ends: Record<TurnEnd, number> = { done: 0, cut: 0, cancelled: 0, refused: 0, failed: 0 };
  readonly #calls: Record<ActionOutcome['kind'], number> = {
    ...{ rejected: 0, 'awaiting-confirmation': 0, accepted: 0, achieved: 0 },
    ...{ 'timed-out': 0, refused: 0, superseded: 0 },
  };
  turns = 0;
  confirmations = 0;
  followUps = 0;
  badCalls = 0;
  strayCalls = 0;

  get underWay(): number {
    return this.turns - Object.values(this.#ends).reduce((sum, count) => sum + count, 0);
  }

  ended(end: TurnEnd): void {
    this.#ends[end] += 1;
  }

  /** A call goes from one outcome, undefined when it is new, to another. */
  moved(from: ActionOutcome | undefined, to: ActionOutcome): void {
    if (from !== undefined) this.#calls[from.kind] -= 1;
    this.#calls[to.kind] += 1;
  }

  counts(conversations: number): AssistantCounts {
    const { turns, underWay, confirmations, followUps, badCalls, strayCalls } = this;
    return {
      ...{ turns, underWay, confirmations, followUps, badCalls, strayCalls, conversations },
      ends: { ...this.#ends },
      calls: { ...this.#calls },
    };
  }
}
