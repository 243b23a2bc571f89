import type { z } from 'zod';
import { CoxswainError } from '../core/errors.ts';
import type { DecodeOptions } from './codec.ts';

/**
 * The options with defaults filled in. Throws CONFIG_INVALID that names the codec, the key, what was got and what is allowed.
 * Costs a few microseconds, so codecs call it once per decode rather than trust that somebody else did.
 */
export function parseDecodeOptions<Schema extends z.ZodObject>(codec: string, schema: Schema, options: DecodeOptions): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    if (issue.code === 'unrecognized_keys') return `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    const key = issue.path.join('.');
    const value = options[String(issue.path[0])];
    return key === '' ? issue.message : `${key}: got ${JSON.stringify(value)}; ${issue.message}`;
  });
  throw new CoxswainError(
    'CONFIG_INVALID',
    `decode options of codec ${codec}: ${problems.join('; ')}. Allowed keys: ${Object.keys(schema.shape).join(', ')}.`,
  );
}
