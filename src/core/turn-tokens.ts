import { CoxswainError } from './errors.ts';

/** Refuses a turn that no model could speak. Errors: TOKENS_INVALID. */
export function requireTurnTokens(tokens: readonly number[], tokensMax: number, vocabulary: number): void {
  if (tokens.length === 0 || !Number.isInteger(tokensMax) || tokensMax < 1)
    throw new CoxswainError(
      'TOKENS_INVALID',
      `A turn has ${tokens.length} tokens to read and ${tokensMax} to write; at least one of each is needed.`,
    );
  const wrong = tokens.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong !== undefined)
    throw new CoxswainError(
      'TOKENS_INVALID',
      `A token has the number ${wrong}; the model has 0 to ${vocabulary - 1}. Use the tokenizer that belongs to the model.`,
    );
}
