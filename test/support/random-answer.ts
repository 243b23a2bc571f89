import type { Prng } from '../../src/core/prng.ts';
import { idsOf } from '../../src/models/language/allowed-tokens.ts';
import type { Constraint } from '../../src/models/language/constraint/constraint.ts';
import type { Vocabulary } from '../../src/models/language/vocabulary.ts';

export interface RandomAnswer {
  readonly ids: readonly number[];
  readonly text: string;
  readonly isEnded: boolean;
}

/**
 * Writes an answer of tokens drawn at random from what a constraint allows, as a model that knows nothing would. Once `tokensMax` tokens are left out of reach, only
 * tokens that still lead to an end in time are drawn, as the token chooser does it.
 */
export function randomAnswer(constraint: Constraint, vocabulary: Vocabulary, prng: Prng, tokensMax: number): RandomAnswer {
  const ids: number[] = [];
  for (let left = tokensMax; left > 0; left -= 1) {
    let allowed = [...idsOf(constraint.allowed() ?? constraint.allowedWithin(left))];
    let id = allowed[prng.integer(0, allowed.length - 1)] ?? -1;
    if (!constraint.fits(id, left - 1)) {
      allowed = [...idsOf(constraint.allowedWithin(left - 1))];
      id = allowed[prng.integer(0, allowed.length - 1)] ?? -1;
    }
    if (allowed.length === 0) throw new Error('nothing is allowed');
    if (vocabulary.eosIds.includes(id)) return { ids, text: textOf(vocabulary, ids), isEnded: true };
    constraint.accept(id);
    ids.push(id);
  }
  return { ids, text: textOf(vocabulary, ids), isEnded: constraint.isComplete };
}

function textOf(vocabulary: Vocabulary, ids: readonly number[]): string {
  return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(Buffer.concat(ids.map((id) => vocabulary.bytesOf(id))));
}
