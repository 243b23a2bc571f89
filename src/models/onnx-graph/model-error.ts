import { CoxswainError } from '../../core/errors.ts';

/** MODEL_UNLOADABLE: `place` says where in the file (`graph.node[3] "conv1"`), `problem` what was got and what was allowed. */
export function unloadable(place: string, problem: string, cause?: unknown): CoxswainError {
  return new CoxswainError('MODEL_UNLOADABLE', `${place}: ${problem}`, cause === undefined ? undefined : { cause });
}

/**
 * What a rule throws when an operator is understood but its result cannot be told without running it, such as `NonZero`. The walk over the graph catches
 * it and names the node among the unknown; it never reaches a caller.
 */
export class NotInferable extends Error {
  override readonly name = 'NotInferable';
}
