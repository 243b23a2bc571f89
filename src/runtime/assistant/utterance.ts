import type { CoxswainError } from '../../core/errors.ts';
import type { Outcome } from '../../core/outcome.ts';
import type { ActionOutcome, Proposal, Provenance } from '../../core/proposal.ts';
import type { SpokenToken } from '../../core/turn-task.ts';
import type { TurnTranscript } from '../../core/turn-transcript.ts';
import type { DurationUs, InstantUs } from '../../core/units.ts';
import type { ChatMessage } from '../../models/language/chat-message.ts';
import type { ReplyPiece } from '../../models/language/reply-reader.ts';
import type { ChatAsk, ChatEnd } from '../chat-service.ts';

/** Something that was said or typed. */
export interface Utterance {
  readonly text: string;
  /** Set by the runtime, never by a model. */
  readonly provenance: Provenance;
  /** Those of one conversation follow each other, and the next one breaks the last off. Absent: it stands for itself and is not remembered. */
  readonly conversation?: string;
  /** What was said before, as the caller has it, instead of what is remembered. Its words count as those of this utterance. */
  readonly history?: readonly ChatMessage[];
  /** When it began; now when absent. */
  readonly saidAt?: InstantUs;
  /** Of the first token; the stream's when absent. */
  readonly deadlineAt?: InstantUs;
  /** How the answer is chosen; the likeliest tokens where no temperature is given. */
  readonly answering?: Pick<ChatAsk, 'sampling' | 'stop' | 'tokensMax'>;
}

/** Who says what became of calls. */
export type FollowUps = 'fixed' | 'model' | 'none';

export interface AssistantEnd {
  readonly transcript: TurnTranscript;
  /** Why it was refused before anything was asked: PROMPT_REFUSED, CONTEXT_OVERFLOW, MODEL_UNSUPPORTED. */
  readonly error: CoxswainError | undefined;
  /** Of the answer; undefined when no answer was asked for, as for a yes. */
  readonly outcome: Outcome | undefined;
  readonly finish: ChatEnd['finish'];
  readonly usage: ChatEnd['usage'] | undefined;
}

export interface AssistantListener {
  /** Parts of the answer as soon as they are certain, then, after proposals, of what is said of them (`follow-up`). Calls come here as the model wrote them. */
  onPieces(pieces: readonly ReplyPiece[], tokens: readonly SpokenToken[], part: 'answer' | 'follow-up'): void;
  /**
   * Each change of each call that was proposed; also after the end, until it is final. Possibly inside a call of the gate: must not call gate or assistant.
   */
  onProposal(proposal: Proposal, outcome: ActionOutcome): void;
  /** Once; nothing is said after it. */
  onEnd(end: AssistantEnd): void;
}

export interface AssistantLimits {
  /** Tokens of an answer, if the utterance does not say less, and of what is said of its calls. */
  readonly answerTokensMax: number;
  readonly followUpTokensMax: number;
  /** Calls of one answer; with one more it ends. */
  readonly callsMax: number;
  /** How long a turn waits for what becomes of its calls. */
  readonly outcomeWithinUs: DurationUs;
  /** Turns at once, of all conversations. */
  readonly underWayMax: number;
  /** Conversations that are remembered, the least recently used forgotten first; more than turns at once. */
  readonly conversationsMax: number;
  /** Turns that one conversation remembers. */
  readonly turnsMax: number;
  /** A conversation in which nothing was said for so long is forgotten. */
  readonly idleUs: DurationUs;
}
