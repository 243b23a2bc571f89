import type { Outcome } from '../../core/outcome.ts';
import type { Provenance } from '../../core/proposal.ts';
import type { WireFinish, WireLogprob, WirePiece, WireUsage } from './chat-reply.ts';
import type { ChatCompletionRequest } from './chat-request.ts';
import type { ListedModel } from './model-list.ts';

/** A request, with who its words count as. */
export interface ServedRequest extends ChatCompletionRequest {
  readonly provenance: Provenance;
}

/** How an answer ended. */
export type ServedEnd =
  | { readonly kind: 'answered'; readonly finish: WireFinish; readonly usage: WireUsage }
  /** It cannot be asked; the same as what `ask` may throw. A CoxswainError says what is wrong; any other is a fault of ours. */
  | { readonly kind: 'refused'; readonly error: Error }
  /** It would not be, or would not have been, in time. */
  | { readonly kind: 'overloaded'; readonly reason: string; readonly retryAfterS: number }
  /** `problem`: in words, where they are known. */
  | { readonly kind: 'lost'; readonly outcome: Outcome; readonly problem?: string | undefined };

export interface ServedListener {
  /** Pieces of the answer, and the log-probabilities of the tokens since the last call, where they were asked for. */
  onPieces(pieces: readonly WirePiece[], logprobs: readonly WireLogprob[] | undefined): void;
  /** Something beside the answer, for the field `coxswain`: what became of a proposal. */
  onNote(note: Readonly<Record<string, unknown>>): void;
  /** Once, last; possibly inside `ask`. */
  onEnd(end: ServedEnd): void;
}

/** Something that answers under one name: a language model, or an assistant. */
export interface ServedModel extends ListedModel {
  /** Errors: CoxswainError for what cannot be asked. Everything later comes through the listener. */
  ask(request: ServedRequest, listener: ServedListener): { cancel(): void };
}
