import { buildTexts, type SchemaContext } from './json-pieces.ts';
import { buildNumber, fractionDigitsOf, scaled, WHOLE_LIMIT } from './number-grammar.ts';
import { patternRule } from './pattern-grammar.ts';
import { countOf, refused, type SchemaObject } from './schema-keywords.ts';
import { stringRule } from './string-grammar.ts';

/** Whole numbers that are listed one by one for `multipleOf`. */
const MULTIPLES_MAX = 2_000;

/** The rule of a schema's strings. */
export function stringRuleOf({ builder, limits }: SchemaContext, schema: SchemaObject, place: string): number {
  const min = countOf(schema, 'minLength', 0, place);
  const max = Math.min(countOf(schema, 'maxLength', Math.max(limits.stringCharsDefault, min), place), limits.stringCharsMax);
  if (min > limits.stringCharsMax) throw refused(place, `"minLength" is ${min}, more than ${limits.stringCharsMax}`);
  if (schema.pattern === undefined) return stringRule(builder, min, max);
  if (typeof schema.pattern !== 'string') throw refused(place, '"pattern" is not a text');
  return patternRule(builder, schema.pattern, min, max, `schema at ${place}`);
}

/** The rule of a schema's numbers, or of its whole numbers alone. */
export function numberRuleOf(context: SchemaContext, type: 'integer' | 'number', schema: SchemaObject, place: string): number {
  const bound = (keyword: string): number | undefined => {
    const value = schema[keyword];
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw refused(place, `"${keyword}" is ${JSON.stringify(value)?.slice(0, 50)}, not a number`);
  };
  const [min, above, max, below] = [bound('minimum'), bound('exclusiveMinimum'), bound('maximum'), bound('exclusiveMaximum')];
  const step = bound('multipleOf');
  const given = [min, above, max, below].filter((value) => value !== undefined);
  const wanted = Math.max(context.limits.fractionDigits, ...given.map(fractionDigitsOf));
  if (wanted > 15) throw refused(place, 'a bound has more than 15 digits behind the point');
  const digits = type === 'integer' || step !== undefined ? 0 : wanted;
  const limit = WHOLE_LIMIT * 10n ** BigInt(digits);
  const lows = [
    -limit,
    min === undefined ? -limit : scaled(min, digits, 'up'),
    above === undefined ? -limit : scaled(above, digits, 'down') + 1n,
  ];
  const highs = [
    limit,
    max === undefined ? limit : scaled(max, digits, 'down'),
    below === undefined ? limit : scaled(below, digits, 'up') - 1n,
  ];
  const low = lows.reduce((a, b) => (a > b ? a : b));
  const high = highs.reduce((a, b) => (a < b ? a : b));
  if (step !== undefined && step !== 1) return multiplesRule(context, step, low, high, place);
  const { builder } = context;
  return builder.rule(`number ${low} ${high} ${digits}`, (start) => buildNumber(builder, start, { low, high, fractionDigits: digits }));
}

function multiplesRule({ builder }: SchemaContext, step: number, low: bigint, high: bigint, place: string): number {
  if (!Number.isInteger(step) || step <= 0) throw refused(place, `"multipleOf" is ${step}; only whole numbers from 1 are possible`);
  const width = BigInt(step);
  // BigInt division cuts towards zero, which for bounds below zero is upwards already.
  const first = low / width + (low > 0n && low % width !== 0n ? 1n : 0n);
  if ((high - first * width) / width >= BigInt(MULTIPLES_MAX))
    throw refused(place, `more than ${MULTIPLES_MAX} multiples of ${step} lie within the bounds. Narrow "minimum" and "maximum"`);
  const values: string[] = [];
  for (let value = first * width; value <= high; value += width) values.push(String(value));
  return builder.rule(`multiples ${step} ${low} ${high}`, (start) => {
    const end = builder.state();
    builder.end(end);
    buildTexts(builder, start, end, values);
  });
}
