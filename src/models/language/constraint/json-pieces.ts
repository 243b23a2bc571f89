import type { GrammarBuilder } from './grammar.ts';
import type { SchemaLimits } from './schema-limits.ts';

/** What the builders of arrays, objects and scalars share while one schema is compiled. */
export interface SchemaContext {
  readonly builder: GrammarBuilder;
  readonly limits: SchemaLimits;
  /** 0: no white space at all. 1: one space is possible after every comma and colon. */
  readonly spaceMax: 0 | 1;
  /** The rule of a schema within this one; made once, and later, so schemas may be as deep and as circular as they like. */
  ruleOf(schema: unknown, place: string): number;
}

/** One of several texts, beginnings shared, so that reading a byte leaves one way to go on. */
export function buildTexts(builder: GrammarBuilder, start: number, end: number, texts: readonly string[]): void {
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
}

/** A comma or a colon, with the space that may follow; answers the state behind. */
export function separator({ builder, spaceMax }: SchemaContext, from: number, sign: ',' | ':'): number {
  const after = builder.literal(from, sign);
  if (spaceMax === 0) return after;
  const next = builder.literal(after, ' ');
  builder.skip(after, next);
  return next;
}
