import { type SchemaContext, separator } from './json-pieces.ts';
import { countOf, refused, type SchemaObject } from './schema-keywords.ts';

/** Writes the arrays of a schema from `start` to `end`. */
export function buildArray(context: SchemaContext, start: number, end: number, schema: SchemaObject, place: string): void {
  const { builder } = context;
  const { min, max, itemAt } = readArray(context, schema, place);
  const close = (from: number) => builder.skip(builder.literal(from, ']'), end);
  let at = builder.literal(start, '[');
  if (min === 0) close(at);
  for (let index = 0; index < max; index += 1) {
    const after = builder.state();
    builder.call(index === 0 ? at : separator(context, at, ','), itemAt(index), after);
    if (index + 1 >= min) close(after);
    at = after;
  }
}

function readArray(
  { limits, ruleOf }: SchemaContext,
  schema: SchemaObject,
  place: string,
): { readonly min: number; readonly max: number; itemAt(index: number): number } {
  const listed = schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : []);
  if (!Array.isArray(listed)) throw refused(place, '"prefixItems" is not a list');
  const rest = Array.isArray(schema.items) ? schema.additionalItems : schema.items;
  const min = countOf(schema, 'minItems', 0, place);
  let max = Math.min(countOf(schema, 'maxItems', Math.max(limits.itemsDefault, min), place), limits.itemsMax);
  if (min > limits.itemsMax) throw refused(place, `"minItems" is ${min}, more than ${limits.itemsMax}`);
  if (rest === false) max = Math.min(max, listed.length);
  if (schema.uniqueItems === true && max > 1) {
    if (min > 1) throw refused(place, '"uniqueItems" with "minItems" above 1 cannot be held to while writing');
    max = 1;
  }
  const itemAt = (index: number) =>
    index < listed.length ? ruleOf(listed[index], `${place}/prefixItems/${index}`) : ruleOf(rest ?? true, `${place}/items`);
  return { min, max, itemAt };
}
