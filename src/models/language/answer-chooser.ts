import { CoxswainError } from '../../core/errors.ts';
import { type ConstraintOptions, createConstraintCompiler, toolMarksOf } from './constraint/constraint.ts';
import { createReplyReader } from './reply-reader.ts';
import { type Choice, createSampler } from './sampler.ts';
import { readSamplingOptions } from './sampling-options.ts';
import type { TokenChooser } from './token-chooser.ts';
import type { Vocabulary } from './vocabulary.ts';

/** How the tokens of one answer are chosen. Plain data: it crosses to the process that decodes. */
export interface ChooserOptions {
  /** See `readSamplingOptions`; left out: its defaults. */
  readonly sampling?: Readonly<Record<string, unknown>> | undefined;
  /** What the answer is held to; left out: nothing. */
  readonly constraint?: ConstraintOptions | undefined;
  /** The answer is over as soon as its text, tool calls left out, has one of these. */
  readonly stop?: readonly string[] | undefined;
  /** The most tokens that the answer may have. */
  readonly tokensMax: number;
}

/** Chooses the tokens of one answer, and knows when it is over before the model says so. */
export interface AnswerChooser extends TokenChooser {
  /** Whether nothing need be chosen any more: a stop string was written, or all that the constraint has room for. */
  readonly isOver: boolean;
}

export interface AnswerChoosers {
  /**
   * Begins an answer to a prompt of these tokens. Errors: PROMPT_REFUSED (options out of range; fewer tokens than the shortest valid answer has), SCHEMA_REFUSED,
   * MODEL_UNSUPPORTED (a constraint with a vocabulary that lacks single bytes).
   */
  begin(options: ChooserOptions, prompt: Iterable<number>): AnswerChooser;
  /**
   * Makes now what the first constraint would have to wait for: the tree of tokens, and what fits within strings. 0.1 s for a few thousand tokens, 1 s for 150 000. Errors:
   * MODEL_UNSUPPORTED as above.
   */
  warmUp(): void;
}

/**
 * Makes choosers for a vocabulary, once for a model: compiled constraints are kept between answers.
 * A constrained answer is valid also when it runs out of tokens: near `tokensMax` only those tokens are left from which it can still be ended.
 * `choose` throws LOGITS_NOT_FINITE (NaN, +Infinity, or -Infinity for all that is allowed) and MODEL_CONTRACT (fewer logits than tokens).
 */
export function createAnswerChoosers(vocabulary: Vocabulary): AnswerChoosers {
  const compiler = createConstraintCompiler(vocabulary);
  return {
    warmUp: () => {
      const constraint = compiler.begin({ kind: 'json', schema: { type: 'string' } });
      const [quote] = constraint.allowed()?.ids ?? [];
      if (quote !== undefined) constraint.accept(quote);
      constraint.allowed();
    },
    begin: (options, prompt) => {
      const sampler = createSampler(readSamplingOptions(options.sampling ?? {}), vocabulary.size);
      const constraint = options.constraint === undefined ? undefined : compiler.begin(options.constraint);
      if (constraint !== undefined && constraint.tokensToEnd > options.tokensMax) {
        const message = `the answer may have ${options.tokensMax} tokens, and the shortest that the schema allows is sure of its end with ${constraint.tokensToEnd}. Allow more tokens.`;
        throw new CoxswainError('PROMPT_REFUSED', message);
      }
      const stops = options.stop ?? [];
      const marks = options.constraint?.kind === 'tools' ? toolMarksOf(options.constraint) : undefined;
      const reader = createReplyReader(vocabulary, { stop: stops, marks });
      for (const id of prompt) sampler.note(id, false);
      let tokensLeft = options.tokensMax;

      return {
        get isOver() {
          return reader.stopped !== undefined || constraint?.isDone === true;
        },
        choose: (logits) => {
          let chosen = chosenOf(sampler.choose(logits, constraint?.allowed()));
          tokensLeft -= 1;
          if (constraint !== undefined && !constraint.fits(chosen.id, tokensLeft)) {
            const within = constraint.allowedWithin(tokensLeft);
            // Nothing fits only where depth forbids the shortest way; then the answer goes on and is cut off.
            if (within.count > 0) chosen = chosenOf(sampler.choose(logits, within));
          }
          sampler.note(chosen.id, true);
          constraint?.accept(chosen.id);
          if (stops.length > 0) reader.push(chosen.id);
          const { kind: _, ...token } = chosen;
          return token;
        },
      };
    },
  };
}

function chosenOf(choice: Choice): Extract<Choice, { kind: 'token' }> {
  if (choice.kind === 'token') return choice;
  throw new CoxswainError('LOGITS_NOT_FINITE', `The model's output cannot be chosen from: ${choice.message}. The answer is given up.`);
}
