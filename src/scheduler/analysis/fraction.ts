/** A ratio of whole numbers, not reduced. `den` is above 0. */
export interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

export const fraction = (num: number | bigint, den: number | bigint = 1n): Fraction => ({ num: BigInt(num), den: BigInt(den) });
export const ZERO: Fraction = fraction(0n);
export const ONE: Fraction = fraction(1n);

export const plus = (a: Fraction, b: Fraction): Fraction =>
  a.den === b.den ? { num: a.num + b.num, den: a.den } : { num: a.num * b.den + b.num * a.den, den: a.den * b.den };
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { num: -b.num, den: b.den });
export const times = (a: Fraction, b: Fraction): Fraction => ({ num: a.num * b.num, den: a.den * b.den });

/** Below 0, 0 or above 0, as a is smaller, equal or larger. */
export function compare(a: Fraction, b: Fraction): number {
  const difference = a.num * b.den - b.num * a.den;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Exact. Equal denominators are put together first and the rest is added in pairs, so that ten thousand different periods take milliseconds. */
export function sum(parts: readonly Fraction[]): Fraction {
  const byDen = new Map<bigint, bigint>();
  for (const { num, den } of parts) byDen.set(den, (byDen.get(den) ?? 0n) + num);
  let level: Fraction[] = [...byDen].map(([den, num]) => ({ num, den }));
  while (level.length > 1) {
    const next: Fraction[] = [];
    for (let index = 0; index < level.length; index += 2) {
      const left = level[index] ?? ZERO;
      const right = level[index + 1];
      next.push(right === undefined ? left : plus(left, right));
    }
    level = next;
  }
  return level[0] ?? ZERO;
}

/** Towards minus infinity. */
export function floorOf({ num, den }: Fraction): bigint {
  const quotient = num / den;
  return num < 0n && quotient * den !== num ? quotient - 1n : quotient;
}

/** Enough bits for a double with rounding to spare. */
const BITS_KEPT = 128;

/** The nearest double, give or take its last digit. */
export function toNumber({ num, den }: Fraction): number {
  const excess = Math.max(num.toString(16).length, den.toString(16).length) * 4 - 900;
  if (excess <= 0) return Number(num) / Number(den);
  // Both are far beyond a double: drop the low bits that cannot matter.
  const shift = BigInt(Math.max(0, Math.min(num.toString(16).length, den.toString(16).length) * 4 - BITS_KEPT));
  return Number(num >> shift) / Number(den >> shift);
}
