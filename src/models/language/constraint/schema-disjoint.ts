import { isObject, type SchemaObject, TYPES, typeOfValue } from './schema-keywords.ts';

/** Whether it is certain that no value is valid for two of these schemas (references already followed): by type, by listed values, or by a property that both require. */
export function isDisjoint(schemas: readonly unknown[]): boolean {
  return schemas.every((one, index) => schemas.slice(index + 1).every((other) => isApart(one, other)));
}

function isApart(one: unknown, other: unknown): boolean {
  if (one === false || other === false) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const valuesOne = valuesOf(one);
  const valuesOther = valuesOf(other);
  if (valuesOne !== undefined && valuesOther !== undefined) return !valuesOne.some((value) => valuesOther.includes(value));
  if (!typeSet(one).some((type) => typeSet(other).includes(type))) return true;
  if (one.type !== 'object' || other.type !== 'object') return false;
  const required = (schema: SchemaObject) => (Array.isArray(schema.required) ? schema.required : []);
  return required(one).some((name) => required(other).includes(name) && isApart(propertyOf(one, name), propertyOf(other, name)));
}

function propertyOf(schema: SchemaObject, name: unknown): unknown {
  const { properties } = schema;
  const property = isObject(properties) && typeof name === 'string' && Object.hasOwn(properties, name) ? properties[name] : undefined;
  // Only listed values are compared, one level deep: that is how variants are told apart, and it cannot run in circles.
  return isObject(property) && valuesOf(property) !== undefined ? property : true;
}

function valuesOf(schema: SchemaObject): readonly string[] | undefined {
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}

/** Types that a schema may allow; a whole number is a number. */
function typeSet(schema: SchemaObject): readonly string[] {
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  const listed = Array.isArray(values)
    ? values.map(typeOfValue)
    : schema.type === undefined
      ? TYPES
      : Array.isArray(schema.type)
        ? schema.type
        : [schema.type];
  const types = [...listed, ...(schema.nullable === true ? ['null'] : [])];
  return [...new Set(types.map((type) => (type === 'integer' ? 'number' : String(type))))];
}
