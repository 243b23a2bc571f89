import { isObject, refused, type SchemaObject } from './schema-keywords.ts';

/** Longer chains of references to references are no schema of a person. */
const CHAIN_MAX = 100;

/** Follows `$ref` to the schema that it means, within the same document. Errors: SCHEMA_REFUSED (another document, nothing there, a circle). */
export function resolveReference(root: unknown, schema: unknown, place: string): unknown {
  let current = schema;
  for (let count = 0; isObject(current) && current.$ref !== undefined; count += 1) {
    if (count > CHAIN_MAX) throw refused(place, 'references lead to references without end');
    checkBeside(current, place);
    current = follow(root, current.$ref, place);
  }
  return current;
}

function follow(root: unknown, reference: unknown, place: string): unknown {
  if (typeof reference !== 'string' || !(reference === '#' || reference.startsWith('#/')))
    throw refused(
      place,
      `"$ref" is ${JSON.stringify(reference)?.slice(0, 100)}; only places of the same schema ("#/$defs/name") are possible`,
    );
  let current = root;
  for (const part of reference.split('/').slice(1)) {
    const key = decode(part, place).replaceAll('~1', '/').replaceAll('~0', '~');
    const isThere = typeof current === 'object' && current !== null && Object.hasOwn(current, key);
    if (!isThere) throw refused(place, `"$ref" leads to ${reference.slice(0, 100)}, where nothing is`);
    current = (current as SchemaObject)[key];
  }
  return current;
}

function decode(part: string, place: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refused(place, `"$ref" has a part that cannot be decoded: ${part.slice(0, 100)}`);
  }
}

function checkBeside(schema: SchemaObject, place: string): void {
  const narrowing = [
    'type',
    'properties',
    'required',
    'enum',
    'const',
    'items',
    'anyOf',
    'oneOf',
    'allOf',
    'minimum',
    'maximum',
    'pattern',
    'minLength',
    'maxLength',
  ];
  const other = narrowing.find((keyword) => schema[keyword] !== undefined);
  if (other !== undefined) throw refused(place, `"$ref" and "${other}" stand side by side. Say both in one place`);
}
