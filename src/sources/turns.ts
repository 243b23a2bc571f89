import type { Clock } from '../core/clock.ts';
import type { SourceId } from '../core/frame.ts';
import type { Prng } from '../core/prng.ts';
import { instantUs } from '../core/units.ts';
import { createEmittingSource } from './emitter.ts';
import type { Source } from './source.ts';

/** Both ends are possible. */
export interface TokenRange {
  readonly from: number;
  readonly to: number;
}

export interface TurnsSourceOptions {
  readonly kind: 'turns';
  readonly id: SourceId;
  /** From one prompt to the next, on average. */
  readonly periodUs: number;
  readonly arrivals: 'poisson' | 'periodic';
  readonly promptTokens: TokenRange;
  readonly answerTokens: TokenRange;
  /** Chance that a prompt goes on with the conversation before it. 0..1 */
  readonly followUpRatio: number;
  /** The source ends after so many; never when absent. */
  readonly turnsMax?: number;
}

/**
 * Somebody who talks to a language model, as far as its load goes: instants and lengths, no words. Poisson arrivals have no memory: each prompt comes after an
 * exponentially distributed time, whatever was before. The same seed gives the same turns.
 */
export function createTurnsSource(options: TurnsSourceOptions, { clock, prng }: { readonly clock: Clock; readonly prng: Prng }): Source {
  const { id, periodUs, arrivals, promptTokens, answerTokens, followUpRatio, turnsMax = Number.POSITIVE_INFINITY } = options;
  return createEmittingSource(id, (emit) => {
    // Each question has draws of its own, so that another range for one leaves the others as they are.
    const [waits, prompts, answers, talks] = ['waits', 'prompts', 'answers', 'talks'].map((label) => prng.fork(`turns/${id}/${label}`)) as [
      Prng,
      Prng,
      Prng,
      Prng,
    ];
    let at: number = clock.now();
    let turns = 0;
    const dueAt = () => {
      at += arrivals === 'periodic' ? periodUs : -Math.log(1 - waits.ratio()) * periodUs;
      return instantUs(Math.round(at));
    };
    const speak = (): void => {
      turns += 1;
      emit.frame(clock.now(), {
        kind: 'turn',
        promptTokens: prompts.integer(promptTokens.from, promptTokens.to),
        answerTokens: answers.integer(answerTokens.from, answerTokens.to),
        isFollowUp: talks.chance(followUpRatio) && turns > 1,
      });
      if (emit.isClosed) return;
      if (turns >= turnsMax) return emit.end(`all ${turnsMax} turns were given`);
      timer = clock.at(dueAt(), speak);
    };
    emit.state('live', `${Number((60e6 / periodUs).toPrecision(3))} prompts a minute`);
    let timer = clock.at(dueAt(), speak);
    return () => timer.cancel();
  });
}
