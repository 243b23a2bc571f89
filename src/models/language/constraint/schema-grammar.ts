import type { GrammarBuilder } from './grammar.ts';
import { buildTexts, type SchemaContext } from './json-pieces.ts';
import { buildArray } from './schema-array.ts';
import { isDisjoint } from './schema-disjoint.ts';
import { checkAlone, checkKeywords, isObject, refused, type SchemaObject, type TypeName, typeOfValue, typesOf } from './schema-keywords.ts';
import type { SchemaLimits } from './schema-limits.ts';
import { buildObject } from './schema-object.ts';
import { resolveReference } from './schema-reference.ts';
import { numberRuleOf, stringRuleOf } from './schema-scalars.ts';

export interface SchemaGrammarOptions {
  readonly limits: SchemaLimits;
  /** 0: no white space at all. 1: one space is possible after every comma and colon. */
  readonly spaceMax: 0 | 1;
}

/**
 * The rule whose texts are the JSON values of a schema. Every text is valid; not every valid value has a text: properties come in the schema's order and no others
 * beside them, numbers have no exponent, lengths are bounded. `checkSchemaSize` comes first.
 * Errors: SCHEMA_REFUSED, with the place in the schema.
 */
export function schemaRule(builder: GrammarBuilder, root: unknown, { limits, spaceMax }: SchemaGrammarOptions): number {
  const ruleOf = (given: unknown, place: string): number => {
    const schema = resolveReference(root, given, place);
    // Every `true`, and every empty schema, is the same rule; so is every `false`.
    const isAny = schema === true || (isObject(schema) && Object.keys(schema).length === 0);
    return builder.rule(isAny ? 'any value' : schema === false ? 'no value' : schema, (start) => {
      if (schema === false) return;
      if (!isAny && !isObject(schema))
        throw refused(place, `a schema is an object or a boolean, not ${JSON.stringify(schema)?.slice(0, 50)}`);
      buildSchema(context, root, start, isObject(schema) ? schema : {}, place);
    });
  };
  const context: SchemaContext = { builder, limits, spaceMax, ruleOf };
  return ruleOf(root, '#');
}

function buildSchema(context: SchemaContext, root: unknown, start: number, schema: SchemaObject, place: string): void {
  checkKeywords(schema, place);
  const end = context.builder.state();
  context.builder.end(end);
  const combined = (['anyOf', 'oneOf', 'allOf'] as const).find((keyword) => schema[keyword] !== undefined);
  if (combined !== undefined) buildCombined(context, root, start, end, schema, combined, place);
  else if (schema.enum !== undefined || schema.const !== undefined) buildValues(context, start, end, schema, place);
  else {
    const types = typesOf(schema, place);
    // Every whole number is a number.
    for (const type of types) if (type !== 'integer' || !types.includes('number')) buildType(context, start, end, type, schema, place);
  }
}

function buildCombined(
  { builder, limits, ruleOf }: SchemaContext,
  root: unknown,
  start: number,
  end: number,
  schema: SchemaObject,
  keyword: 'anyOf' | 'oneOf' | 'allOf',
  place: string,
): void {
  checkAlone(schema, keyword, [], place);
  const options = schema[keyword];
  if (!Array.isArray(options) || options.length === 0) throw refused(place, `"${keyword}" is not a list of schemas`);
  if (options.length > limits.enumMax) throw refused(place, `"${keyword}" has ${options.length} schemas, more than ${limits.enumMax}`);
  if (keyword === 'allOf' && options.length > 1) throw refused(place, '"allOf" of several schemas. Write what they have together as one');
  if (keyword === 'oneOf' && !isDisjoint(options.map((option) => resolveReference(root, option, place))))
    throw refused(place, '"oneOf" whose schemas may hold at once. Write anyOf, or give each a required property with another const');
  options.forEach((option, index) => {
    builder.call(start, ruleOf(option, `${place}/${keyword}/${index}`), end);
  });
}

function buildValues({ builder, limits }: SchemaContext, start: number, end: number, schema: SchemaObject, place: string): void {
  const keyword = schema.const === undefined ? 'enum' : 'const';
  checkAlone(schema, keyword, ['type', 'nullable'], place);
  const values = keyword === 'const' ? [schema.const] : schema.enum;
  if (!Array.isArray(values)) throw refused(place, '"enum" is not a list');
  if (values.length > limits.enumMax) throw refused(place, `"enum" has ${values.length} values, more than ${limits.enumMax}`);
  const types = typesOf(schema, place);
  const isOfType = (value: unknown) => {
    const type = typeOfValue(value);
    return types.includes(type) || (type === 'integer' && types.includes('number'));
  };
  const texts = values.filter(isOfType).map((value) => JSON.stringify(value) ?? 'null');
  buildTexts(builder, start, end, texts);
}

function buildType(context: SchemaContext, start: number, end: number, type: TypeName, schema: SchemaObject, place: string): void {
  const { builder } = context;
  switch (type) {
    case 'null':
      buildTexts(builder, start, end, ['null']);
      return;
    case 'boolean':
      buildTexts(builder, start, end, ['true', 'false']);
      return;
    case 'string':
      builder.call(start, stringRuleOf(context, schema, place), end);
      return;
    case 'integer':
    case 'number':
      builder.call(start, numberRuleOf(context, type, schema, place), end);
      return;
    case 'array':
      buildArray(context, start, end, schema, place);
      return;
    case 'object':
      buildObject(context, start, end, schema, place);
      return;
  }
}
