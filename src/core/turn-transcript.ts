import type { ActionOutcome, Provenance } from './proposal.ts';
import type { StreamId } from './stream.ts';
import type { DurationUs, InstantUs } from './units.ts';

/**
 * How a turn with an assistant ended. `cut`: the answer was as long as it may be, or called more than it may; `cancelled`: somebody spoke on, or broke it off; `refused`: it was never
 * begun; `failed`: what runs the model gave no whole answer.
 */
export const TURN_ENDS = ['done', 'cut', 'cancelled', 'refused', 'failed'] as const;
export type TurnEnd = (typeof TURN_ENDS)[number];

/** A call of an answer that was proposed, and what has become of it so far. */
export interface TranscribedCall {
  /** Of the proposal. */
  readonly id: string;
  readonly name: string;
  /** JSON, cut short. */
  readonly argumentsText: string;
  /** Oldest first; the last is how it stands. */
  readonly outcomes: readonly { readonly at: InstantUs; readonly outcome: ActionOutcome }[];
}

/** One turn, from what was asked to its end. Texts in it come from people and models, and are to be shown as such. */
export interface TurnTranscript {
  readonly assistant: StreamId;
  /** From 1, over all conversations. */
  readonly turn: number;
  readonly conversation: string | undefined;
  /** As whose words everything in its prompt counts. */
  readonly provenance: Provenance;
  /** Cut short where it is long. */
  readonly said: string;
  readonly saidAt: InstantUs;
  readonly endedAt: InstantUs;
  readonly end: TurnEnd;
  /** Why it ended so, where that is no matter of course; one line. */
  readonly detail: string;
  readonly answer: string;
  /** What was said when it was known what had become of the calls. */
  readonly followUp: string;
  readonly calls: readonly TranscribedCall[];
  /** What is wrong with calls that could not be read; they were proposed to nobody. */
  readonly badCalls: readonly string[];
  /** Of the answer; 0 and undefined for what was never begun. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** From the ask to the first token, and from there to the last. */
  readonly firstTokenUs: DurationUs | undefined;
  readonly answerUs: DurationUs | undefined;
}
