import { CoxswainError } from '../../core/errors.ts';
import { checkSchemaSize, SCHEMA_LIMITS } from '../../models/language/constraint/schema-limits.ts';
import type { ServedRequest } from '../../sinks/openai/served-model.ts';

/** English has 4 to 5 bytes a token, Chinese up to 6, code 3; runs of spaces can have more, and nobody needs so many. */
const BYTES_PER_TOKEN_MAX = 8;

/**
 * Lets through only what a model may be able to read, so that nothing longer goes to another thread or is encoded.
 * Errors: CONTEXT_OVERFLOW (too long by far), SCHEMA_REFUSED (too large or too deep).
 */
export function checkRequestSize({ messages, tools, constraint }: ServedRequest, contextTokens: number): void {
  const bytes = Buffer.byteLength(JSON.stringify(messages)) + (tools.length === 0 ? 0 : Buffer.byteLength(JSON.stringify(tools)));
  const bytesMax = contextTokens * BYTES_PER_TOKEN_MAX;
  if (bytes > bytesMax)
    throw new CoxswainError(
      'CONTEXT_OVERFLOW',
      `The messages and tools have ${bytes} bytes; a model that reads ${contextTokens} tokens is given at most ${bytesMax}. Shorten them, or begin a new conversation.`,
    );
  if (constraint !== undefined) checkSchemaSize(constraint, SCHEMA_LIMITS);
}
