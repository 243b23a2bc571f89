/** A broken invariant: a bug of ours, never the input's fault. It is not caught on the way up; the process stops in its safe state. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Where an invariant is checked with every event, its text is a constant and `about` says which job, core or stream it was about: putting a text together costs
 * more than most of what is checked.
 */
export function assert(condition: unknown, invariant: string, about?: string | number): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${invariant}${about === undefined ? '' : ` (${about})`}`);
}

/** For the default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new InvariantError(`invariant broken: no case for ${JSON.stringify(value)}`);
}
