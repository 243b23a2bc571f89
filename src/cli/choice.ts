import { UsageError } from './exit-code.ts';

/** A value of an option that must be one of few. Errors: UsageError, with all of them. */
export function oneOf<T extends string>(option: string, given: string, allowed: Readonly<Record<T, unknown>>): T {
  if (Object.hasOwn(allowed, given)) return given as T;
  throw new UsageError(`${option} is ${JSON.stringify(given)}; allowed is one of ${Object.keys(allowed).join(', ')}`);
}
