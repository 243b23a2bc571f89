import { CoxswainError, type ErrorCode, messageOf } from '../../core/errors.ts';

/** An HTTP answer that says what went wrong, in the OpenAI API's form. */
export interface WireError {
  readonly status: number;
  /** For `Retry-After`, in whole seconds. */
  readonly retryAfterS?: number;
  readonly body: {
    readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string | null };
  };
}

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  PROMPT_REFUSED: 400,
  SCHEMA_REFUSED: 400,
  CONTEXT_OVERFLOW: 400,
  TOKENS_INVALID: 400,
  CONVERSATION_BUSY: 409,
  MODEL_UNKNOWN: 404,
  CACHE_FULL: 503,
};

const wireError = (status: number, type: string, message: string, code: string | null = null, param: string | null = null): WireError => ({
  status,
  body: { error: { message, type, param, code } },
});

/** A request that cannot be what it is: 400. */
export const invalidRequest = (param: string | null, message: string): WireError =>
  wireError(400, 'invalid_request_error', message, null, param);

/** No token, or a wrong one: 401. Says nothing of what would be right. */
export const unauthorized = (): WireError =>
  wireError(401, 'authentication_error', 'A bearer token is needed, and this is not it.', 'invalid_api_key');

/** Without a token the server is for this computer's own programs; a page in a browser that was led here by a name is none. */
export const forbiddenHost = (): WireError =>
  wireError(
    403,
    'permission_error',
    'The Host header names another host than this one. Use the address that the service listens on.',
    'host_not_allowed',
  );

export const notFound = (path: string): WireError =>
  wireError(404, 'invalid_request_error', `There is nothing at ${path.slice(0, 200)}.`, 'not_found');

export const wrongMethod = (method: string, allowed: string): WireError =>
  wireError(405, 'invalid_request_error', `${method.slice(0, 20)} is not possible here; use ${allowed}.`, 'method_not_allowed');

export const wrongMedia = (got: string): WireError =>
  wireError(
    415,
    'invalid_request_error',
    `The body is ${JSON.stringify(got.slice(0, 100))}; send it as application/json, not compressed.`,
    'unsupported_media_type',
  );

export const modelNotFound = (model: string, known: readonly string[]): WireError =>
  wireError(
    404,
    'invalid_request_error',
    `There is no model ${JSON.stringify(model.slice(0, 100))}; there is ${known.join(', ') || 'none'}.`,
    'model_not_found',
    'model',
  );

/** The server's own bounds are reached. */
export const crowded = (what: string): WireError => ({
  ...wireError(429, 'rate_limit_error', `${what} Try again later.`, 'too_many_requests'),
  retryAfterS: 1,
});

export const stoppingSoon = (): WireError => ({
  ...wireError(503, 'server_error', 'The service is stopping. Ask again when it is back.', 'stopping'),
  retryAfterS: 10,
});

export const starting = (): WireError => ({
  ...wireError(503, 'server_error', 'The cores are not up yet. Ask again soon; /readyz says when.', 'not_ready'),
  retryAfterS: 1,
});

export const badRequest = (message: string, status = 400): WireError => wireError(status, 'invalid_request_error', message, 'bad_request');

export const bodyTooLarge = (bytesMax: number): WireError =>
  wireError(
    413,
    'invalid_request_error',
    `The request is larger than ${bytesMax} bytes. Send less, or raise http.requestBytesMax.`,
    'request_too_large',
  );

/** Admission says that the answer would not be in time: 429, with when to come again. */
export const overloaded = (reason: string, retryAfterS: number): WireError => ({
  ...wireError(429, 'rate_limit_error', `The answer would not be in time (${reason}). Try again later.`, 'overloaded'),
  retryAfterS: Math.max(1, Math.ceil(retryAfterS)),
});

/** What was thrown while a request was served. Errors that are not ours are told without their words, which may name files. */
export function wireErrorOf(thrown: unknown): WireError {
  if (!(thrown instanceof CoxswainError))
    return wireError(500, 'server_error', 'Something went wrong here; the log says what.', 'internal_error');
  const status = STATUS[thrown.code] ?? 500;
  // Client libraries know this one by OpenAI's name for it.
  const code =
    thrown.code === 'CONTEXT_OVERFLOW'
      ? 'context_length_exceeded'
      : thrown.code === 'MODEL_UNKNOWN'
        ? 'model_not_found'
        : thrown.code.toLowerCase();
  return wireError(status, status < 500 ? 'invalid_request_error' : 'server_error', messageOf(thrown), code);
}
