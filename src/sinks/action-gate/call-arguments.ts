import type { ActionArgument, ActionSpec } from '../../core/action.ts';
import type { SignalValue } from '../../core/signal.ts';

export type CallValues = Readonly<Record<string, SignalValue>>;

type CheckedCall = { readonly kind: 'values'; readonly values: CallValues } | { readonly kind: 'bad'; readonly detail: string };

/** Control characters and marks of direction could forge a line, drive a display or hide what is sent. */
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;

/** What a detail quotes of somebody else's text. */
const QUOTED_LENGTH_MAX = 40;

/**
 * Holds a call to the arguments of its action: a plain mapping with every required argument, no other, each of its type and in its range. Nothing is
 * converted: "2" is no number. The values come back in the catalogue's order, in an object of ours.
 */
export function checkCall(action: ActionSpec, given: unknown): CheckedCall {
  if (!isPlainObject(given)) return bad('the arguments are no mapping of names to values');
  const known = new Set(action.arguments.map(({ name }) => name));
  for (const key of Object.keys(given)) {
    if (!known.has(key)) return bad(`there is no argument ${quote(key)}`);
  }
  const values: [string, SignalValue][] = [];
  for (const argument of action.arguments) {
    if (!Object.hasOwn(given, argument.name)) {
      if (argument.isOptional) continue;
      return bad(`${argument.name} is missing; allowed is ${allowed(argument)}`);
    }
    const value = given[argument.name];
    if (!fits(value, argument)) return bad(`${argument.name} is ${quote(value)}; allowed is ${allowed(argument)}`);
    // Minus zero would be written as 0 and compared as 0, and so is 0 from here on.
    values.push([argument.name, value === 0 ? 0 : value]);
  }
  return { kind: 'values', values: Object.fromEntries(values) };
}

const bad = (detail: string): CheckedCall => ({ kind: 'bad', detail });

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function fits(value: unknown, argument: ActionArgument): value is SignalValue {
  switch (argument.type) {
    case 'enum':
      return typeof value === 'string' && argument.values.includes(value);
    case 'integer':
      return Number.isSafeInteger(value) && isBetween(value as number, argument);
    case 'number':
      return typeof value === 'number' && isBetween(value, argument);
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string' && isText(value, argument.lengthMax);
  }
}

/** False for NaN, which is between nothing. */
const isBetween = (value: number, { min, max }: { readonly min: number; readonly max: number }): boolean => value >= min && value <= max;

function isText(value: string, lengthMax: number): boolean {
  // A code point takes at most two units: what is longer than that need not be counted.
  if (value.length > 2 * lengthMax || value.trim() === '') return false;
  return [...value].length <= lengthMax && !NOT_PRINTABLE.test(value);
}

function allowed(argument: ActionArgument): string {
  switch (argument.type) {
    case 'enum':
      return `one of ${argument.values.join(', ')}`;
    case 'integer':
      return `a whole number from ${argument.min} to ${argument.max}`;
    case 'number':
      return `a number from ${argument.min} to ${argument.max}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `a text of 1 to ${argument.lengthMax} printable characters`;
  }
}

/** Somebody else's value, short and on one line. */
export function quote(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(printable(value));
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}

export function printable(text: string, lengthMax = QUOTED_LENGTH_MAX): string {
  const short = text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text;
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, ' ');
}
