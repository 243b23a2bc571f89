export type Environment = Readonly<Record<string, string | undefined>>;

export type Interpolated = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'problem'; readonly text: string };

/**
 * Replaces `${NAME}` by the environment's value and `${NAME:-default}` by the default where NAME is not set or empty, as shells do. What was put in is not
 * looked at again. Only fields that say so are interpolated.
 */
export function interpolate(text: string, env: Environment): Interpolated {
  let result = '';
  let rest = text;
  for (let start = rest.indexOf('${'); start >= 0; start = rest.indexOf('${')) {
    const match = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/.exec(rest.slice(start));
    if (match === null) return { kind: 'problem', text: `after "\${" comes a name and "}"; allowed are \${NAME} and \${NAME:-default}` };
    const [whole, name = '', fallback] = match;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    const used = value === undefined || (value === '' && fallback !== undefined) ? fallback : value;
    if (used === undefined) {
      return { kind: 'problem', text: `the environment variable ${name} is not set; set it or write \${${name}:-default}` };
    }
    result += rest.slice(0, start) + used;
    rest = rest.slice(start + whole.length);
  }
  return { kind: 'text', text: result + rest };
}
