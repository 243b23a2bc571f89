/** One `{argument}` at most, such as in `door.{door}`. */
const PLACEHOLDER = /\{([a-z][a-z0-9_]*)\}/;

/** Of an enum argument: every other value of it. */
export const ALL = 'all';

/** The argument that a pattern is about; undefined for a plain signal. */
export const placeholderOf = (pattern: string): string | undefined => PLACEHOLDER.exec(pattern)?.[1];

/** The signals that a pattern means when its argument has this value; `values` are all that the argument may have. */
export function signalsOf(pattern: string, value: string, values: readonly string[]): readonly string[] {
  if (placeholderOf(pattern) === undefined) return [pattern];
  const instances = value === ALL ? values.filter((other) => other !== ALL) : [value];
  return instances.map((instance) => pattern.replace(PLACEHOLDER, instance));
}
