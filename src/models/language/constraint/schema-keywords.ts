import { CoxswainError } from '../../../core/errors.ts';

export type SchemaObject = Readonly<Record<string, unknown>>;
export const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const;
export type TypeName = (typeof TYPES)[number];

/** Keywords that say nothing about which values are valid, or that need not be held to (`format`: an annotation by default in draft 2020-12). */
const ANNOTATIONS = new Set([
  ...[
    '$schema',
    '$id',
    'id',
    '$comment',
    '$defs',
    'definitions',
    '$anchor',
    '$vocabulary',
    'title',
    'description',
    'default',
    'example',
    'examples',
  ],
  ...[
    'deprecated',
    'readOnly',
    'writeOnly',
    'format',
    'contentMediaType',
    'contentEncoding',
    'contentSchema',
    'discriminator',
    'xml',
    'externalDocs',
  ],
]);

/** Keywords of each type that are held to. */
const OF_TYPE: Readonly<Record<TypeName, readonly string[]>> = {
  object: ['properties', 'required', 'additionalProperties', 'minProperties', 'maxProperties', 'unevaluatedProperties'],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems', 'unevaluatedItems'],
  string: ['minLength', 'maxLength', 'pattern'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
};

/** Keywords that narrow what is valid in ways that cannot be held to while writing. */
const REFUSED = new Set([
  ...['not', 'if', 'then', 'else', 'dependentSchemas', 'dependentRequired', 'dependencies', 'contains', 'minContains', 'maxContains'],
  ...['patternProperties', 'propertyNames', '$dynamicRef', '$recursiveRef'],
]);

const HINTS: readonly TypeName[] = ['object', 'array', 'string', 'number'];

/** Errors: SCHEMA_REFUSED when a keyword is there that would have to be ignored although it narrows. */
export function checkKeywords(schema: SchemaObject, place: string): void {
  for (const [keyword, value] of Object.entries(schema)) {
    if (!REFUSED.has(keyword) || value === undefined) continue;
    if (keyword === 'patternProperties' && isEmptyObject(value)) continue;
    throw refused(
      place,
      `"${keyword}" cannot be held to while writing. Leave it out and check afterwards, or say it by anyOf, enum or pattern`,
    );
  }
}

/** Errors: SCHEMA_REFUSED when beside `keyword` there is more than annotations and what `also` names. */
export function checkAlone(schema: SchemaObject, keyword: string, also: readonly string[], place: string): void {
  const known = new Set([
    keyword,
    ...also,
    ...Object.values(OF_TYPE).flat(),
    'type',
    'enum',
    'const',
    'anyOf',
    'oneOf',
    'allOf',
    '$ref',
    'nullable',
  ]);
  const other = Object.keys(schema).find((key) => key !== keyword && !also.includes(key) && !ANNOTATIONS.has(key) && known.has(key));
  if (other !== undefined) throw refused(place, `"${keyword}" and "${other}" stand side by side. Say both in one place`);
}

/** The types that a schema allows; all where it does not say, but only the one that its other keywords speak of where they do. */
export function typesOf(schema: SchemaObject, place: string): readonly TypeName[] {
  const listed = schema.type === undefined ? undefined : Array.isArray(schema.type) ? schema.type : [schema.type];
  const nullable: readonly TypeName[] = schema.nullable === true ? ['null'] : [];
  if (listed === undefined) {
    const hint = HINTS.find((type) => OF_TYPE[type].some((keyword) => schema[keyword] !== undefined));
    return hint === undefined ? TYPES : [...new Set([hint, ...nullable])];
  }
  for (const type of listed)
    if (!TYPES.includes(type)) throw refused(place, `type ${JSON.stringify(type)?.slice(0, 50)} is none of ${TYPES.join(', ')}`);
  if (listed.length === 0) throw refused(place, 'type is an empty list');
  return [...new Set([...(listed as TypeName[]), ...nullable])];
}

export function typeOfValue(value: unknown): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'object';
}

/** A whole number of a keyword. Errors: SCHEMA_REFUSED when it is something else. */
export function countOf(schema: SchemaObject, keyword: string, fallback: number, place: string): number {
  const value = schema[keyword];
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw refused(place, `"${keyword}" is ${JSON.stringify(value)?.slice(0, 50)}, not a whole number from 0`);
  return value;
}

export const isObject = (value: unknown): value is SchemaObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const isEmptyObject = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0;

export const refused = (place: string, problem: string): CoxswainError =>
  new CoxswainError('SCHEMA_REFUSED', `schema at ${place}: ${problem}.`);
