import { assert } from '../../core/assert.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { isFiniteEverywhere } from '../../core/finite.ts';
import type { SpokenToken } from '../../core/turn-task.ts';
import type { CachedText, Conversations } from './conversations.ts';
import type { DecoderForward } from './decoder-forward.ts';
import type { TokenChooser } from './token-chooser.ts';

export interface DecoderTurnOptions {
  /** With as much of `tokens` cached as is known. */
  readonly text: CachedText;
  readonly tokens: readonly number[];
  readonly tokensMax: number;
  readonly droppedTokens: number;
  readonly chunkTokens: number;
  readonly chooser: TokenChooser;
  readonly stopIds: ReadonlySet<number>;
}

export interface DecoderTurnDeps {
  readonly forward: DecoderForward;
  readonly conversations: Conversations;
  /** Called once, when the prompt is read. */
  readonly keepShared: (text: CachedText) => void;
}

export interface StepWatch {
  /** Asked after each step: whether the rest is to wait. */
  isYieldWanted(): boolean;
  /** Called for each token of the answer, as it is made. A token that ends the answer is not told. */
  onToken(token: SpokenToken): void;
}

export type TurnFinish = 'stop' | 'length' | 'cancelled' | 'failed';

export interface TurnProgress {
  /** Steps run by this call. */
  readonly steps: number;
  /** Undefined while there is more to do. */
  readonly finish: TurnFinish | undefined;
}

/**
 * A turn under way: chunks of the prompt, the last of which gives the first token, then a step for each further token. The last token is chosen but not run, so
 * it is not cached; the next turn reads it with what was said to it.
 *
 *     prompt of 300, chunks of 128, answer of 3:   | 0..128 | 128..256 | 256..300 -> t0 | t0 -> t1 | t1 -> t2 |
 */
export class DecoderTurn {
  /** Of the text, found in the cache when the turn began. */
  readonly cachedTokens: number;
  /** To be read at the beginning. */
  readonly promptTokens: number;
  /** Left out of the text, since it did not fit. */
  readonly droppedTokens: number;
  readonly tokensMax: number;
  readonly #options: DecoderTurnOptions;
  readonly #deps: DecoderTurnDeps;
  #written = 0;
  /** Chosen and not yet run. */
  #next: number | undefined;
  #finish: TurnFinish | undefined;

  constructor(deps: DecoderTurnDeps, options: DecoderTurnOptions) {
    this.#deps = deps;
    this.#options = options;
    this.cachedTokens = options.text.cache.length;
    this.promptTokens = options.tokens.length - this.cachedTokens;
    this.droppedTokens = options.droppedTokens;
    this.tokensMax = options.tokensMax;
  }

  get conversation(): string | undefined {
    return this.#options.text.conversation;
  }

  /** Tokens of the answer so far. */
  get writtenTokens(): number {
    return this.#written;
  }

  get finish(): TurnFinish | undefined {
    return this.#finish;
  }

  /**
   * Runs up to `steps` steps, one at least. Errors: LOGITS_NOT_FINITE, TURN_FAILED (what the session or the chooser threw, but for what has a code of its own); the turn is over then and its cache is gone,
   * others are as they were.
   */
  run(steps: number, watch: StepWatch): TurnProgress {
    assert(this.#finish === undefined, 'a turn that is over is not run');
    let done = 0;
    while (done < steps && this.#finish === undefined) {
      this.#step(watch);
      done += 1;
      if (watch.isYieldWanted()) break;
    }
    return { steps: done, finish: this.#finish };
  }

  /** Ends the turn between steps; what was read and written stays cached. Does nothing when it is over. */
  cancel(): void {
    if (this.#finish === undefined) this.#end('cancelled');
  }

  #step(watch: StepWatch): void {
    const { text, tokens, chunkTokens } = this.#options;
    const { forward } = this.#deps;
    if (this.#next !== undefined) {
      const token = this.#next;
      const logits = this.#guarded(() => forward.run(text.cache, [token], 0, 1));
      text.tokens.push(token);
      this.#choose(logits, watch);
      return;
    }
    const from = text.cache.length;
    const to = Math.min(from + chunkTokens, tokens.length);
    const logits = this.#guarded(() => forward.run(text.cache, tokens, from, to));
    for (let index = from; index < to; index += 1) text.tokens.push(tokens[index] as number);
    if (to < tokens.length) return;
    this.#choose(logits, watch);
    this.#deps.keepShared(text);
  }

  #choose(logits: Float32Array, watch: StepWatch): void {
    if (!isFiniteEverywhere(logits)) {
      this.#fail();
      const place = this.#options.text.tokens.length;
      throw new CoxswainError(
        'LOGITS_NOT_FINITE',
        `The model gave logits that are NaN or infinite behind token ${place}. The turn is given up; its cache is gone.`,
      );
    }
    const chosen = this.#guarded(() => this.#options.chooser.choose(logits));
    if (this.#options.stopIds.has(chosen.id)) return this.#end('stop');
    this.#written += 1;
    this.#next = chosen.id;
    if (this.#options.chooser.isOver === true) this.#end('stop');
    else if (this.#written === this.tokensMax) this.#end('length');
    watch.onToken(chosen);
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      this.#fail();
      if (thrown instanceof CoxswainError) throw thrown;
      throw new CoxswainError('TURN_FAILED', `A step of a turn failed: ${messageOf(thrown)}. The turn is given up; its cache is gone.`, {
        cause: thrown,
      });
    }
  }

  #end(finish: TurnFinish): void {
    this.#finish = finish;
    this.#options.text.isLive = false;
    this.#deps.conversations.touch(this.#options.text);
  }

  #fail(): void {
    this.#end('failed');
    this.#deps.conversations.remove(this.#options.text);
  }
}
