import type { GrammarBuilder } from './grammar.ts';

/** Bounds of a number as whole multiples of 10^-fractionDigits, both included. */
export interface NumberRange {
  readonly low: bigint;
  readonly high: bigint;
  readonly fractionDigits: number;
}

/** Whole digits of numbers without bounds: all such numbers are exact in a double. */
const WHOLE_DIGITS_MAX = 15;
export const WHOLE_LIMIT = 10n ** BigInt(WHOLE_DIGITS_MAX) - 1n;

/** Writes every number of a range, and no other, in plain decimal notation: no exponent, no leading zero, at most `fractionDigits` behind the point. */
export function buildNumber(builder: GrammarBuilder, start: number, range: NumberRange): void {
  const end = builder.state();
  builder.end(end);
  const { low, high, fractionDigits } = range;
  if (low > high) return;
  if (high >= 0n) buildMagnitude(builder, start, end, { low: low > 0n ? low : 0n, high, fractionDigits });
  if (low >= 0n) return;
  const minus = builder.state();
  builder.edge(start, 0x2d, 0x2d, minus);
  // Zero is written without a sign, so magnitudes begin at the least step.
  buildMagnitude(builder, minus, end, { low: high < 0n ? -high : 1n, high: -low, fractionDigits });
}

/** Numbers from zero up, once for each count of whole digits. */
function buildMagnitude(builder: GrammarBuilder, start: number, end: number, { low, high, fractionDigits }: NumberRange): void {
  const scale = 10n ** BigInt(fractionDigits);
  for (let whole = (low / scale).toString().length; whole <= (high / scale).toString().length; whole += 1) {
    const least = whole === 1 ? 0n : 10n ** BigInt(whole - 1) * scale;
    const most = 10n ** BigInt(whole) * scale - 1n;
    const from = low > least ? low : least;
    const to = high < most ? high : most;
    if (from > to) continue;
    const width = whole + fractionDigits;
    buildDigits(builder, start, end, { low: from.toString().padStart(width, '0'), high: to.toString().padStart(width, '0'), whole });
  }
}

interface Digits {
  /** Digits of the bounds, whole and fraction in a row, both of one length. */
  readonly low: string;
  readonly high: string;
  /** How many of them stand before the point. */
  readonly whole: number;
}

/** Walks down the digits, knowing at each place whether what was written still equals the beginning of either bound. */
function buildDigits(builder: GrammarBuilder, start: number, end: number, { low, high, whole }: Digits): void {
  const known = new Map<string, number>();
  const stateAt = (at: number, isLow: boolean, isHigh: boolean): number => {
    const key = `${at} ${isLow} ${isHigh}`;
    const state = known.get(key);
    if (state !== undefined) return state;
    const made = builder.state();
    known.set(key, made);
    fill(made, at, isLow, isHigh);
    return made;
  };
  const fill = (state: number, at: number, isLow: boolean, isHigh: boolean): void => {
    // Ending here means zeros from here on: never too much, but too little while the lower bound has digits left.
    if (at >= whole && (!isLow || /^0*$/u.test(low.slice(at)))) builder.skip(state, end);
    if (at === low.length) return;
    let from = state;
    if (at === whole) {
      from = builder.state();
      builder.edge(state, 0x2e, 0x2e, from);
    }
    const least = isLow ? Number(low[at]) : 0;
    const most = isHigh ? Number(high[at]) : 9;
    for (let digit = least; digit <= most; digit += 1)
      builder.edge(from, 0x30 + digit, 0x30 + digit, stateAt(at + 1, isLow && digit === least, isHigh && digit === most));
  };
  fill(start, 0, true, true);
}

/** A number as a whole multiple of 10^-digits, rounded down or up where it is none. Exact, by its shortest decimal form. */
export function scaled(value: number, digits: number, rounding: 'down' | 'up'): bigint {
  const [, sign = '', whole = '0', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/u.exec(String(value)) ?? [];
  const mantissa = BigInt(`${sign}${whole}${fraction}`);
  const shift = Number(exponent) - fraction.length + digits;
  if (shift >= 0) return mantissa * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  const quotient = mantissa / divisor;
  const isExact = quotient * divisor === mantissa;
  if (isExact) return quotient;
  // BigInt division cuts towards zero.
  if (rounding === 'down') return mantissa < 0n ? quotient - 1n : quotient;
  return mantissa < 0n ? quotient : quotient + 1n;
}

/** Digits behind the point in a number's shortest decimal form. */
export function fractionDigitsOf(value: number): number {
  const [, fraction = '', exponent = '0'] = /^-?\d+(?:\.(\d+))?(?:e([+-]?\d+))?$/u.exec(String(value)) ?? [];
  return Math.max(0, fraction.length - Number(exponent));
}
