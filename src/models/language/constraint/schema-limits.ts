import { CoxswainError } from '../../../core/errors.ts';

/** How large a schema may be, and how long an answer to it where the schema does not say. */
export interface SchemaLimits {
  /** Values in the schema as a JSON document: objects, arrays, texts, numbers. */
  readonly valuesMax: number;
  /** Characters of all its texts and names together. */
  readonly charsMax: number;
  /** How deep objects and arrays of the schema lie in one another. */
  readonly depthMax: number;
  readonly enumMax: number;
  readonly propertiesMax: number;
  /** Longest string where there is no `maxLength`; what `maxLength` is lowered to. In characters. */
  readonly stringCharsDefault: number;
  readonly stringCharsMax: number;
  /** Longest array where there is no `maxItems`; what `maxItems` is lowered to. */
  readonly itemsDefault: number;
  readonly itemsMax: number;
  /** Digits behind the point of numbers that are not whole, where no bound needs more. */
  readonly fractionDigits: number;
}

export const SCHEMA_LIMITS: SchemaLimits = {
  valuesMax: 20_000,
  charsMax: 262_144,
  depthMax: 100,
  enumMax: 1_000,
  propertiesMax: 200,
  stringCharsDefault: 2_000,
  stringCharsMax: 10_000,
  itemsDefault: 100,
  itemsMax: 1_000,
  fractionDigits: 6,
};

/** Refuses a schema that is too large or too deep before anything walks it recursively; never itself recursive. Errors: SCHEMA_REFUSED. */
export function checkSchemaSize(schema: unknown, limits: SchemaLimits): void {
  let count = 0;
  let chars = 0;
  let level: readonly unknown[] = [schema];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limits.depthMax) throw tooLarge('is nested deeper than', limits.depthMax);
    const inner: unknown[] = [];
    for (const value of level) {
      count += 1;
      if (count + inner.length > limits.valuesMax) throw tooLarge('has more values than', limits.valuesMax);
      if (typeof value === 'string') chars += value.length;
      if (typeof value !== 'object' || value === null) continue;
      for (const [name, part] of Object.entries(value)) {
        chars += name.length;
        if (chars > limits.charsMax) throw tooLarge('has more characters than', limits.charsMax);
        inner.push(part);
        if (inner.length > limits.valuesMax) throw tooLarge('has more values than', limits.valuesMax);
      }
    }
    level = inner;
  }
  if (chars > limits.charsMax) throw tooLarge('has more characters than', limits.charsMax);
}

const tooLarge = (problem: string, limit: number): CoxswainError =>
  new CoxswainError('SCHEMA_REFUSED', `the schema ${problem} ${limit}. Ask for less, or for parts one after the other.`);
