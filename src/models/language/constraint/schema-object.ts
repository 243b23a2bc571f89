import { type SchemaContext, separator } from './json-pieces.ts';
import { countOf, isObject, refused, type SchemaObject } from './schema-keywords.ts';
import { stringRule } from './string-grammar.ts';

/** Names of the properties of an object whose names are free. */
const FREE_NAME_CHARS = 64;

/** Writes the objects of a schema from `start` to `end`: its properties in their order, those that need not be there possibly left out. */
export function buildObject(context: SchemaContext, start: number, end: number, schema: SchemaObject, place: string): void {
  const { builder, limits, ruleOf } = context;
  const { properties = {}, required = [], additionalProperties: additional = true } = schema;
  if (!isObject(properties)) throw refused(place, '"properties" is not an object');
  if (!Array.isArray(required) || required.some((name) => typeof name !== 'string'))
    throw refused(place, '"required" is not a list of names');
  const names = [...new Set([...Object.keys(properties), ...required.map(String)])];
  if (names.length > limits.propertiesMax) throw refused(place, `it has ${names.length} properties, more than ${limits.propertiesMax}`);
  if (names.length === 0 && (additional === true || isObject(additional))) {
    buildFree(context, start, end, schema, place);
    return;
  }
  const chosen = chooseProperties(names, required.map(String), schema, place);
  if (chosen === undefined) return;
  // By property: the state with nothing written yet, and the one with something.
  let empty: number | undefined = builder.literal(start, '{');
  let filled: number | undefined;
  for (const { name, isRequired } of chosen) {
    const rule = ruleOf(Object.hasOwn(properties, name) ? properties[name] : additional, `${place}/properties/${name}`);
    const after = builder.state();
    const write = (from: number) => builder.call(separator(context, builder.literal(from, JSON.stringify(name)), ':'), rule, after);
    if (empty !== undefined) write(empty);
    if (filled !== undefined) write(separator(context, filled, ','));
    if (isRequired) empty = undefined;
    else if (filled !== undefined) builder.skip(filled, after);
    filled = after;
  }
  for (const at of [empty, filled]) if (at !== undefined) builder.skip(builder.literal(at, '}'), end);
}

interface ChosenProperty {
  readonly name: string;
  readonly isRequired: boolean;
}

/**
 * Which properties are written, in order. What `minProperties` asks for beyond the required ones is required too, what `maxProperties` has no room for is left
 * out: both leave only valid objects. Undefined when there are none.
 */
function chooseProperties(
  names: readonly string[],
  required: readonly string[],
  schema: SchemaObject,
  place: string,
): readonly ChosenProperty[] | undefined {
  const min = countOf(schema, 'minProperties', 0, place);
  const max = countOf(schema, 'maxProperties', Number.POSITIVE_INFINITY, place);
  const must = new Set(required);
  for (const name of names) if (must.size < min) must.add(name);
  if (must.size < min || must.size > max) return undefined;
  let room = max - must.size;
  return names.flatMap((name): readonly ChosenProperty[] => {
    if (must.has(name)) return [{ name, isRequired: true }];
    room -= 1;
    return room >= 0 ? [{ name, isRequired: false }] : [];
  });
}

/** An object whose names are free. A name may be written twice and the reader takes the last, so at least one is all that can be promised. */
function buildFree(context: SchemaContext, start: number, end: number, schema: SchemaObject, place: string): void {
  const { builder, limits, ruleOf } = context;
  const min = countOf(schema, 'minProperties', 0, place);
  const max = Math.min(countOf(schema, 'maxProperties', limits.itemsDefault, place), limits.itemsMax);
  if (min > 1) throw refused(place, '"minProperties" above 1 without "properties" cannot be held to while writing');
  const rule = ruleOf(schema.additionalProperties ?? true, `${place}/additionalProperties`);
  const name = stringRule(builder, 1, FREE_NAME_CHARS);
  let at = builder.literal(start, '{');
  if (min === 0) builder.skip(builder.literal(at, '}'), end);
  for (let index = 0; index < max; index += 1) {
    const colon = builder.state();
    const after = builder.state();
    builder.call(index === 0 ? at : separator(context, at, ','), name, colon);
    builder.call(separator(context, colon, ':'), rule, after);
    builder.skip(builder.literal(after, '}'), end);
    at = after;
  }
}
