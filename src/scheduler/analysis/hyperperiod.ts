import { INSTANT_MAX } from './task.ts';

/** The least common multiple of the periods; undefined beyond `INSTANT_MAX`. */
export const hyperperiodOf = (tasks: readonly { readonly period: number }[]): number | undefined =>
  tasks.reduce<number | undefined>((multiple, { period }) => commonMultiple(multiple, period), 1);

/** Of two periods; undefined beyond `INSTANT_MAX`, or where one is. */
export function commonMultiple(multiple: number | undefined, period: number): number | undefined {
  if (multiple === undefined) return undefined;
  let [a, b] = [multiple, period];
  while (b > 0) [a, b] = [b, a % b];
  const all = (BigInt(multiple) / BigInt(a)) * BigInt(period);
  return all > BigInt(INSTANT_MAX) ? undefined : Number(all);
}
