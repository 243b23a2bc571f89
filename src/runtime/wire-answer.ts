import type { SpokenToken } from '../core/turn-task.ts';
import { type DurationUs, msFromDuration } from '../core/units.ts';
import type { Vocabulary } from '../models/language/vocabulary.ts';
import type { WireLogprob, WireUsage } from '../sinks/openai/chat-reply.ts';
import type { ChatUsage } from './chat-service.ts';

const ms = (duration: DurationUs | undefined): number => (duration === undefined ? 0 : msFromDuration(duration));

export function wireUsageOf(usage: ChatUsage, isLate: boolean): WireUsage {
  return {
    promptTokens: usage.promptTokens,
    cachedTokens: usage.cachedTokens ?? 0,
    answerTokens: usage.answerTokens,
    queuedMs: ms(usage.queuedUs),
    firstTokenMs: ms(usage.firstTokenUs),
    answerMs: ms(usage.answerUs),
    isLate,
  };
}

/** Log-probabilities where tokens have them; undefined where none does. */
export function wireLogprobsOf(tokens: readonly SpokenToken[], vocabulary: Vocabulary): readonly WireLogprob[] | undefined {
  const shown = tokens.flatMap(({ id, logprob, top = [] }) =>
    logprob === undefined
      ? []
      : [{ ...spelled(id, vocabulary), logprob, top: top.map((other) => ({ ...spelled(other.id, vocabulary), logprob: other.logprob })) }],
  );
  return shown.length === 0 ? undefined : shown;
}

/** A part of a character is shown as U+FFFD; the bytes say what it is. */
function spelled(id: number, vocabulary: Vocabulary): { readonly token: string; readonly bytes: readonly number[] } {
  const bytes = vocabulary.bytesOf(id);
  return { token: new TextDecoder().decode(bytes), bytes: [...bytes] };
}
