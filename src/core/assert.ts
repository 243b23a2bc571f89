/** A broken invariant: a bug of ours, never the input's fault. It is not caught on the way up; the process stops in its safe state. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant broken: ${invariant}`);
}

/** For the default branch of an exhaustive switch. */
export function assertNever(value: never): never {
  throw new InvariantError(`invariant broken: no case for ${JSON.stringify(value)}`);
}
