import type { GrammarBuilder } from './grammar.ts';
import { buildNumber, fractionDigitsOf, scaled, WHOLE_LIMIT } from './number-grammar.ts';
import { patternRule } from './pattern-grammar.ts';
import { isDisjoint } from './schema-disjoint.ts';
import {
  checkAlone,
  checkKeywords,
  countOf,
  isObject,
  refused,
  type SchemaObject,
  type TypeName,
  typeOfValue,
  typesOf,
} from './schema-keywords.ts';
import type { SchemaLimits } from './schema-limits.ts';
import { resolveReference } from './schema-reference.ts';
import { stringRule } from './string-grammar.ts';

export interface SchemaGrammarOptions {
  readonly limits: SchemaLimits;
  /** 0: no white space at all. 1: one space is possible after every comma and colon. */
  readonly spaceMax: 0 | 1;
}

/** Whole numbers that are listed one by one for `multipleOf`. */
const MULTIPLES_MAX = 2_000;
/** Names of the properties of an object whose names are free. */
const FREE_NAME_CHARS = 64;

/**
 * The rule whose texts are the JSON values of a schema. Every text is valid; not every valid value has a text: properties come in the schema's order and no others
 * beside them, numbers have no exponent, lengths are bounded. `checkSchemaSize` comes first.
 * Errors: SCHEMA_REFUSED, with the place in the schema.
 */
export function schemaRule(builder: GrammarBuilder, schema: unknown, { limits, spaceMax }: SchemaGrammarOptions): number {
  const root = schema;

  /** The rule of a schema. It is made later, so schemas may be as deep and as circular as they like. */
  const ruleOf = (given: unknown, place: string): number => {
    const target = resolveReference(root, given, place);
    // Every `true`, and every empty schema, is the same rule; so is every `false`.
    const isAny = target === true || (isObject(target) && Object.keys(target).length === 0);
    const key = isAny ? 'any value' : target === false ? 'no value' : target;
    return builder.rule(key, (start) => {
      if (target === false) return;
      if (!isAny && !isObject(target))
        throw refused(place, `a schema is an object or a boolean, not ${JSON.stringify(target)?.slice(0, 50)}`);
      buildSchema(start, isObject(target) ? target : {}, place);
    });
  };

  const buildSchema = (start: number, target: SchemaObject, place: string): void => {
    checkKeywords(target, place);
    const end = builder.state();
    builder.end(end);
    for (const keyword of ['anyOf', 'oneOf', 'allOf'] as const) {
      const options = target[keyword];
      if (options === undefined) continue;
      checkAlone(target, keyword, [], place);
      if (!Array.isArray(options) || options.length === 0) throw refused(place, `"${keyword}" is not a list of schemas`);
      if (options.length > limits.enumMax) throw refused(place, `"${keyword}" has ${options.length} schemas, more than ${limits.enumMax}`);
      if (keyword === 'allOf' && options.length > 1)
        throw refused(place, '"allOf" of several schemas. Write what they have together as one');
      if (keyword === 'oneOf' && !isDisjoint(options.map((option) => resolveReference(root, option, place))))
        throw refused(place, '"oneOf" whose schemas may hold at once. Write anyOf, or give each a required property with another const');
      options.forEach((option, index) => {
        builder.call(start, ruleOf(option, `${place}/${keyword}/${index}`), end);
      });
      return;
    }
    if (target.enum !== undefined || target.const !== undefined) {
      buildValues(start, end, target, place);
      return;
    }
    const types = typesOf(target, place);
    for (const type of types) if (!(type === 'integer' && types.includes('number'))) buildType(start, end, type, target, place);
  };

  const buildValues = (start: number, end: number, target: SchemaObject, place: string): void => {
    const keyword = target.const === undefined ? 'enum' : 'const';
    checkAlone(target, keyword, ['type', 'nullable'], place);
    const values = keyword === 'const' ? [target.const] : target.enum;
    if (!Array.isArray(values)) throw refused(place, '"enum" is not a list');
    if (values.length > limits.enumMax) throw refused(place, `"enum" has ${values.length} values, more than ${limits.enumMax}`);
    const types = typesOf(target, place);
    const isOfType = (value: unknown) =>
      types.includes(typeOfValue(value)) || (typeOfValue(value) === 'integer' && types.includes('number'));
    buildTexts(
      start,
      end,
      values.filter(isOfType).map((value) => JSON.stringify(value) ?? 'null'),
    );
  };

  /** One of several texts, beginnings shared, so that reading a byte leaves one way to go on. */
  const buildTexts = (start: number, end: number, texts: readonly string[]): void => {
    const known = new Map<string, number>();
    for (const text of new Set(texts)) {
      let at = start;
      for (const letter of text) {
        const key = `${at} ${letter}`;
        const next = known.get(key) ?? builder.literal(at, letter);
        known.set(key, next);
        at = next;
      }
      builder.skip(at, end);
    }
  };

  const buildType = (start: number, end: number, type: TypeName, target: SchemaObject, place: string): void => {
    switch (type) {
      case 'null':
        builder.skip(builder.literal(start, 'null'), end);
        return;
      case 'boolean':
        buildTexts(start, end, ['true', 'false']);
        return;
      case 'string':
        builder.call(start, stringOf(target, place), end);
        return;
      case 'integer':
      case 'number':
        builder.call(start, numberOf(target, type, place), end);
        return;
      case 'array':
        buildArray(start, end, target, place);
        return;
      case 'object':
        buildObject(start, end, target, place);
        return;
    }
  };

  const stringOf = (target: SchemaObject, place: string): number => {
    const min = countOf(target, 'minLength', 0, place);
    const max = Math.min(countOf(target, 'maxLength', Math.max(limits.stringCharsDefault, min), place), limits.stringCharsMax);
    if (min > limits.stringCharsMax) throw refused(place, `"minLength" is ${min}, more than ${limits.stringCharsMax}`);
    if (target.pattern === undefined) return stringRule(builder, min, max);
    if (typeof target.pattern !== 'string') throw refused(place, '"pattern" is not a text');
    return patternRule(builder, target.pattern, min, max, `schema at ${place}`);
  };

  const numberOf = (target: SchemaObject, type: 'integer' | 'number', place: string): number => {
    const bound = (keyword: string): number | undefined => {
      const value = target[keyword];
      if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
      throw refused(place, `"${keyword}" is ${JSON.stringify(value)?.slice(0, 50)}, not a number`);
    };
    const [min, above, max, below] = [bound('minimum'), bound('exclusiveMinimum'), bound('maximum'), bound('exclusiveMaximum')];
    const step = bound('multipleOf');
    const given = [min, above, max, below].filter((value) => value !== undefined);
    const wanted = Math.max(limits.fractionDigits, ...given.map(fractionDigitsOf));
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
    if (step !== undefined && step !== 1) return multiplesOf(step, low, high, place);
    return builder.rule(`number ${low} ${high} ${digits}`, (start) => buildNumber(builder, start, { low, high, fractionDigits: digits }));
  };

  const multiplesOf = (step: number, low: bigint, high: bigint, place: string): number => {
    if (!Number.isInteger(step) || step <= 0) throw refused(place, `"multipleOf" is ${step}; only whole numbers from 1 are possible`);
    const width = BigInt(step);
    const first = low / width + (low > 0n && low % width !== 0n ? 1n : 0n);
    if ((high - first * width) / width >= BigInt(MULTIPLES_MAX))
      throw refused(place, `more than ${MULTIPLES_MAX} multiples of ${step} lie within the bounds. Narrow "minimum" and "maximum"`);
    const values: string[] = [];
    for (let value = first * width; value <= high; value += width) values.push(String(value));
    return builder.rule(`multiples ${step} ${low} ${high}`, (start) => {
      const end = builder.state();
      builder.end(end);
      buildTexts(start, end, values);
    });
  };

  /** A comma or a colon, with the space that may follow. */
  const separator = (from: number, sign: string): number => {
    const after = builder.literal(from, sign);
    if (spaceMax === 0) return after;
    const next = builder.literal(after, ' ');
    builder.skip(after, next);
    return next;
  };

  const buildArray = (start: number, end: number, target: SchemaObject, place: string): void => {
    const listed = target.prefixItems ?? (Array.isArray(target.items) ? target.items : []);
    if (!Array.isArray(listed)) throw refused(place, '"prefixItems" is not a list');
    const rest = Array.isArray(target.items) ? target.additionalItems : target.items;
    const min = countOf(target, 'minItems', 0, place);
    let max = Math.min(countOf(target, 'maxItems', Math.max(limits.itemsDefault, min), place), limits.itemsMax);
    if (min > limits.itemsMax) throw refused(place, `"minItems" is ${min}, more than ${limits.itemsMax}`);
    if (rest === false) max = Math.min(max, listed.length);
    if (target.uniqueItems === true && max > 1) {
      if (min > 1) throw refused(place, '"uniqueItems" with "minItems" above 1 cannot be held to while writing');
      max = 1;
    }
    const itemAt = (index: number) =>
      index < listed.length ? ruleOf(listed[index], `${place}/prefixItems/${index}`) : ruleOf(rest ?? true, `${place}/items`);
    const close = (from: number) => builder.skip(builder.literal(from, ']'), end);
    let at = builder.literal(start, '[');
    if (min === 0) close(at);
    for (let index = 0; index < max; index += 1) {
      const after = builder.state();
      builder.call(index === 0 ? at : separator(at, ','), itemAt(index), after);
      if (index + 1 >= min) close(after);
      at = after;
    }
  };

  const buildObject = (start: number, end: number, target: SchemaObject, place: string): void => {
    const { properties = {}, required = [], additionalProperties: additional = true } = target;
    if (!isObject(properties)) throw refused(place, '"properties" is not an object');
    if (!Array.isArray(required) || required.some((name) => typeof name !== 'string'))
      throw refused(place, '"required" is not a list of names');
    const names = [...new Set([...Object.keys(properties), ...required.map(String)])];
    if (names.length > limits.propertiesMax) throw refused(place, `it has ${names.length} properties, more than ${limits.propertiesMax}`);
    const min = countOf(target, 'minProperties', 0, place);
    const max = countOf(target, 'maxProperties', Number.POSITIVE_INFINITY, place);
    if (names.length === 0 && additional !== false && isObjectOrTrue(additional)) {
      buildFree(start, end, additional, min, max, place);
      return;
    }
    // What minProperties asks for beyond the required ones is required too; what maxProperties has no room for is left out. Both leave only valid objects.
    const must = new Set(required.map(String));
    for (const name of names) if (must.size < min) must.add(name);
    const kept = names.filter(
      (name) => must.has(name) || names.filter((other) => must.has(other) || names.indexOf(other) <= names.indexOf(name)).length <= max,
    );
    if (must.size < min || must.size > max) return;
    const first = builder.literal(start, '{');
    // By property: the state with nothing written yet, and the one with something.
    let empty: number | undefined = first;
    let filled: number | undefined;
    for (const name of kept) {
      const property = Object.hasOwn(properties, name) ? properties[name] : additional;
      const rule = ruleOf(property, `${place}/properties/${name}`);
      const after = builder.state();
      if (empty !== undefined) builder.call(separator(builder.literal(empty, JSON.stringify(name)), ':'), rule, after);
      if (filled !== undefined) builder.call(separator(builder.literal(separator(filled, ','), JSON.stringify(name)), ':'), rule, after);
      if (must.has(name)) empty = undefined;
      else if (filled !== undefined) builder.skip(filled, after);
      filled = after;
    }
    for (const at of [empty, filled]) if (at !== undefined) builder.skip(builder.literal(at, '}'), end);
  };

  /** An object whose names are free. A name may be written twice; the reader takes the last, so at least one is all that can be promised. */
  const buildFree = (start: number, end: number, value: unknown, min: number, max: number, place: string): void => {
    if (min > 1) throw refused(place, '"minProperties" above 1 without "properties" cannot be held to while writing');
    const rule = ruleOf(value, `${place}/additionalProperties`);
    const name = stringRule(builder, 1, FREE_NAME_CHARS);
    let at = builder.literal(start, '{');
    if (min === 0) builder.skip(builder.literal(at, '}'), end);
    for (let index = 0; index < Math.min(max, limits.itemsDefault); index += 1) {
      const colon = builder.state();
      const after = builder.state();
      builder.call(index === 0 ? at : separator(at, ','), name, colon);
      builder.call(separator(colon, ':'), rule, after);
      builder.skip(builder.literal(after, '}'), end);
      at = after;
    }
  };

  return ruleOf(schema, '#');
}

const isObjectOrTrue = (value: unknown): boolean => value === true || isObject(value);
