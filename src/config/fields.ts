import { z } from 'zod';

/**
 * Scalars from which the sections are built. Each carries one text that says what is allowed, and it is the same text whatever is wrong with the
 * value: the message of a zod issue is "what is allowed", never "what went wrong".
 */

/** Ids become MQTT topic levels, keys of reports and words of a command line. A leading letter keeps `__proto__`, `-x` and `7` out. */
const ID_PATTERN = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const ID_ALLOWED = 'a letter, then at most 63 letters, digits, "_" or "-"';

/** Longer paths are refused by Linux (PATH_MAX). */
const PATH_LENGTH_MAX = 4095;

/** Control characters could forge lines of a log or drive a terminal; marks of direction could make one path look like another. */
const isPrintable = (text: string): boolean => !/[\p{Cc}\p{Cf}\u2028\u2029]/u.test(text);

/** Sections hold at most this many entries; far above any computer with sensors, far below what would hurt. */
const ENTRIES_MAX = 64;

/** Names of Object.prototype's members are refused, so that nobody downstream is surprised by a report that has a stream called `constructor`. */
const idKey = z
  .string({ error: ID_ALLOWED })
  .regex(ID_PATTERN, { error: ID_ALLOWED })
  .refine((id) => !Object.hasOwn(Object.prototype, id), { error: 'any other name; this one has a meaning of its own in JavaScript' });

export const idField = (about: string) => idKey.describe(about);

/** A name that is not an MQTT level, such as a tensor's or a licence's. */
export function textField(about: string, lengthMax = 256) {
  const error = `1 to ${lengthMax} printable characters`;
  return z.string({ error }).min(1, { error }).max(lengthMax, { error }).refine(isPrintable, { error }).describe(about);
}

export function pathField(about: string) {
  const error = 'a path without control characters';
  return z.string({ error }).min(1, { error }).max(PATH_LENGTH_MAX, { error }).refine(isPrintable, { error }).describe(about);
}

export function patternField(pattern: RegExp, allowed: string, about: string) {
  return z.string({ error: allowed }).regex(pattern, { error: allowed }).describe(about);
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** `unit` is how people call it: `ms`, `frames per second`; empty for a plain number. */
export function numberField(range: Range, unit: string, about: string) {
  const error = `a number from ${range.min} to ${range.max}${unit === '' ? '' : ` ${unit}`}`;
  return z.number({ error }).min(range.min, { error }).max(range.max, { error }).describe(withUnit(about, unit));
}

export function integerField(range: Range, unit: string, about: string) {
  const error = `a whole number from ${range.min} to ${range.max}${unit === '' ? '' : ` ${unit}`}`;
  return z.int({ error }).min(range.min, { error }).max(range.max, { error }).describe(withUnit(about, unit));
}

export const msField = (range: Range, about: string) => numberField(range, 'ms', about);

export const flagField = (about: string) => z.boolean({ error: 'true or false' }).describe(about);

export function choiceField<const T extends readonly [string, ...string[]]>(values: T, about: string) {
  return z.enum(values, { error: `one of ${values.join(', ')}` }).describe(about);
}

const withUnit = (about: string, unit: string): string => (unit === '' ? about : `${about} Unit: ${unit}.`);

/** A mapping from ids to entries. */
export function entriesOf<T extends z.ZodType>(entry: T, about: string) {
  const error = `at most ${ENTRIES_MAX} entries`;
  return z
    .record(idKey, entry)
    .refine((entries) => Object.keys(entries).length <= ENTRIES_MAX, { error })
    .meta({ description: about, maxProperties: ENTRIES_MAX });
}

/** A list with bounds. */
export function listOf<T extends z.ZodType>(item: T, range: Range, about: string) {
  const error = `a list of ${range.min} to ${range.max} items`;
  return z.array(item, { error }).min(range.min, { error }).max(range.max, { error }).describe(about);
}
