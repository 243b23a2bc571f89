import { CoxswainError, type ErrorCode } from '../../core/errors.ts';
import type { HttpSettings } from '../../core/http-settings.ts';
import type { DurationUs } from '../../core/units.ts';
import type { WireLogprob, WirePiece } from '../../sinks/openai/chat-reply.ts';
import type { ListedModel } from '../../sinks/openai/model-list.ts';
import type { ServedEnd, ServedRequest } from '../../sinks/openai/served-model.ts';

/** What the HTTP thread is born with. */
export interface HttpInit {
  readonly settings: HttpSettings<string>;
  readonly models: readonly ListedModel[];
}

/** Numbers the answers of one thread. */
export type AnswerId = number;

/** From the thread to the main loop. */
export type FromHttp =
  | { readonly kind: 'listening'; readonly url: string; readonly port: number }
  /** It cannot listen, and ends. */
  | { readonly kind: 'unavailable'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'ask'; readonly id: AnswerId; readonly request: ServedRequest }
  /** Nobody waits for it any more. */
  | { readonly kind: 'cancel'; readonly id: AnswerId }
  | { readonly kind: 'trouble'; readonly message: string }
  /** Back for every beat. */
  | { readonly kind: 'beat' }
  | { readonly kind: 'drained'; readonly isIdle: boolean }
  /** All is said. */
  | { readonly kind: 'closed' };

/** From the main loop to the thread. */
export type ToHttp =
  /** Once a second, so that each end knows of the other, and at once when something has changed. */
  | { readonly kind: 'beat'; readonly isReady: boolean }
  | { readonly kind: 'pieces'; readonly id: AnswerId; readonly pieces: readonly WirePiece[]; readonly logprobs?: readonly WireLogprob[] }
  | { readonly kind: 'note'; readonly id: AnswerId; readonly note: Readonly<Record<string, unknown>> }
  | { readonly kind: 'end'; readonly id: AnswerId; readonly end: SentEnd }
  | { readonly kind: 'drain'; readonly within: DurationUs }
  | { readonly kind: 'close' };

/** Errors lose their class on the way between threads. `code`: undefined where it is none of ours. */
type SentEnd =
  | Exclude<ServedEnd, { readonly kind: 'refused' }>
  | { readonly kind: 'refused'; readonly code: ErrorCode | undefined; readonly message: string };

export function packEnd(end: ServedEnd): SentEnd {
  if (end.kind !== 'refused') return end;
  const { error } = end;
  return { kind: 'refused', code: error instanceof CoxswainError ? error.code : undefined, message: error.message };
}

export function unpackEnd(end: SentEnd): ServedEnd {
  if (end.kind !== 'refused') return end;
  const { code, message } = end;
  return { kind: 'refused', error: code === undefined ? new Error(message) : new CoxswainError(code, message) };
}

/** Tokens of some hundred answers; the thread takes them within a millisecond. */
const TO_HTTP_MAX = 256;
/** A request costs the main loop some 50 us, so that it never finds more than a millisecond of them at once. */
const FROM_HTTP_MAX = 16;
export const HTTP_WINDOWS = { windowMax: FROM_HTTP_MAX, heardMax: TO_HTTP_MAX };
export const MAIN_WINDOWS = { windowMax: TO_HTTP_MAX, heardMax: FROM_HTTP_MAX };

export const BEAT_MS = 1_000;
/** Of either end. A thread may come late by seconds where ten thousand clients come at once, or somebody stops the process for a while. */
export const BEATS_MISSED_MAX = 10;
