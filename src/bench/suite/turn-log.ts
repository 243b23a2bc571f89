import type { InstantUs } from '../../core/units.ts';

/** What became of the turns of one load of a language model. */
export interface TurnLog {
  /** Prompt tokens of a step. */
  readonly chunkTokens: number;
  /** From request to first token, in microseconds. */
  readonly firstTokens: number[];
  /** From one token to the next, in microseconds; of tokens that came at once, the time since the one before in equal parts. */
  readonly gaps: number[];
  tokenCount: number;
  /** Tokens a second from the first token of a turn on, for each that spoke long enough to have a rate. */
  readonly rates: number[];
  readonly open: Set<TurnWatch>;
}

/** Shorter ones say little of a rate. */
const RATED_TOKENS_MIN = 16;
/** A turn that has said too little for that long is rated all the same: it starves. */
const RATED_US_MIN = 2e6;

export const createTurnLog = (chunkTokens: number): TurnLog => ({
  ...{ chunkTokens, firstTokens: [], gaps: [], tokenCount: 0, rates: [], open: new Set() },
});

/** Follows one turn. */
export class TurnWatch {
  readonly #log: TurnLog;
  readonly #promptSteps: number;
  readonly #askedAt: InstantUs;
  #tokens = 0;
  #firstAt = 0;
  #lastAt = 0;

  constructor(log: TurnLog, promptTokens: number, askedAt: InstantUs) {
    this.#log = log;
    this.#promptSteps = Math.ceil(promptTokens / log.chunkTokens);
    this.#askedAt = askedAt;
    log.open.add(this);
  }

  /** So many of its steps are done; the last one of the prompt gives the first token. */
  steps(stepsDone: number, at: InstantUs): void {
    const told = stepsDone - this.#promptSteps + 1;
    const fresh = told - this.#tokens;
    if (told < 1 || fresh < 1) return;
    const log = this.#log;
    let spaced = fresh;
    if (this.#tokens === 0) {
      log.firstTokens.push(at - this.#askedAt);
      this.#firstAt = at;
      spaced -= 1;
    }
    for (let token = 0; token < spaced; token += 1) log.gaps.push((at - this.#lastAt) / spaced);
    log.tokenCount += fresh;
    this.#tokens = told;
    this.#lastAt = at;
  }

  /** It has ended, or the play has. */
  close(at: InstantUs): void {
    this.#log.open.delete(this);
    if (this.#tokens === 0) return;
    const spokeUs = at - this.#firstAt;
    const isRated = this.#tokens >= RATED_TOKENS_MIN || spokeUs >= RATED_US_MIN;
    if (isRated && spokeUs > 0) this.#log.rates.push(((this.#tokens - 1) * 1e6) / spokeUs);
  }
}
