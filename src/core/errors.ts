/**
 * Every operating error by code. Expected results of a job (late, dropped, rejected, failed) are Outcomes, not errors; broken invariants are
 * `assert`. The text is the short meaning; docs/errors.md says what to do. A test holds the two lists to each other.
 */
export const ERROR_CODES = {
  ARENA_FULL: { retryable: true, text: 'The shared tensor memory has no free block of the size asked for.' },
  BROKER_UNREACHABLE: { retryable: true, text: 'The MQTT broker could not be reached.' },
  CACHE_FULL: { retryable: true, text: 'The caches of conversations under way leave no room for another.' },
  CONFIG_INVALID: { retryable: false, text: 'The configuration does not say what it must.' },
  CONTEXT_OVERFLOW: { retryable: false, text: 'A text is longer than the language model reads.' },
  CONVERSATION_BUSY: { retryable: true, text: 'A conversation has a turn under way already.' },
  CORE_CRASHED: { retryable: true, text: 'A core process ended by itself.' },
  CORE_HUNG: { retryable: true, text: 'A core process did not answer within its hard timeout and was killed.' },
  CORE_START_FAILED: { retryable: true, text: 'A core process could not be started.' },
  CROP_INVALID: { retryable: false, text: 'The part of an image to be looked at is degenerate or outside of it.' },
  FILE_UNREADABLE: { retryable: false, text: 'A file named by the user could not be read.' },
  FILE_UNWRITABLE: { retryable: true, text: 'A file could not be written.' },
  HTTP_UNAVAILABLE: { retryable: true, text: 'The HTTP server cannot listen at its address.' },
  IMAGE_CORRUPT: { retryable: false, text: 'An image could not be decoded.' },
  IMAGE_TOO_LARGE: { retryable: false, text: 'An image has more pixels than its source allows.' },
  LOGITS_NOT_FINITE: { retryable: false, text: 'A language model gave numbers that are NaN or infinite.' },
  MODEL_CONTRACT: { retryable: false, text: 'The inputs or outputs of a model differ from its manifest.' },
  MODEL_HASH_MISMATCH: { retryable: false, text: 'The bytes of a model do not have the SHA-256 of its manifest.' },
  MODEL_MISSING: { retryable: false, text: 'A model file of the manifest does not exist.' },
  MODEL_UNKNOWN: { retryable: false, text: 'A model was named that the manifest does not list.' },
  MODEL_UNLOADABLE: { retryable: false, text: 'A model file could not be parsed or initialised.' },
  MODEL_UNSUPPORTED: { retryable: false, text: 'A model is of a kind that cannot be run.' },
  NATIVE_UNAVAILABLE: { retryable: false, text: 'A function of the operating system is missing or not permitted.' },
  PROGRAM_MISSING: { retryable: false, text: 'An optional system program is not installed.' },
  PROMPT_REFUSED: { retryable: false, text: 'A prompt, its messages or its options cannot be given to the model.' },
  SCHEMA_REFUSED: { retryable: false, text: 'An answer cannot be held to this JSON Schema.' },
  SOURCE_LOST: { retryable: true, text: 'A source ended or stopped giving data.' },
  TOKENS_INVALID: { retryable: false, text: 'A turn has no tokens, or some that the model does not have.' },
  TURN_FAILED: { retryable: false, text: "A step of a conversation's turn failed." },
  WAV_INVALID: { retryable: false, text: 'A WAV file is not one we can play.' },
  WORKER_CRASHED: { retryable: true, text: 'A worker thread ended by itself.' },
} as const satisfies Record<string, { readonly retryable: boolean; readonly text: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The one class of operating errors. The message says what was got, what was allowed, where, and what to do. */
export class CoxswainError extends Error {
  override readonly name = 'CoxswainError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}

/** The text of anything thrown, for a message or a log line. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
