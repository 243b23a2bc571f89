import type { Clock } from '../core/clock.ts';
import type { ActionOutcome } from '../core/proposal.ts';
import type { TranscribedCall, TurnTranscript } from '../core/turn-transcript.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';
import type { EventPayload } from '../mqtt/payloads.ts';

/** The longest text that a field of an event may have is 4096. */
const TEXT_MAX = 2_000;
/** What a line quotes of what was said. */
const QUOTED_MAX = 200;

/** A turn with an assistant, for `/event/turn`. `calls` is JSON: a list of `{id, action, arguments, outcome, reason}`, as they stood at the end of the turn. */
export function turnEvent(transcript: TurnTranscript, node: string, clock: Clock): EventPayload {
  const { assistant, turn, conversation, provenance, end, detail, said, answer, followUp, calls, badCalls } = transcript;
  const ms = (duration: Parameters<typeof msFromDuration>[0] | undefined): number | null =>
    duration === undefined ? null : msFromDuration(duration);
  return {
    node,
    kind: 'turn',
    wallMs: clock.wallMs(),
    atUs: clock.now(),
    severity: end === 'failed' ? 'error' : end === 'refused' ? 'warning' : 'info',
    message: turnLines(transcript).join(' | ').slice(0, TEXT_MAX),
    data: {
      ...{ assistant, turn, provenance, end, detail: shortened(detail, TEXT_MAX), conversation: conversation ?? null },
      ...{ said: said.slice(0, TEXT_MAX), answer: answer.slice(0, TEXT_MAX), followUp: followUp.slice(0, TEXT_MAX) },
      ...{ calls: callsText(calls), badCalls: badCalls.length },
      ...{ promptTokens: transcript.promptTokens, answerTokens: transcript.answerTokens },
      ...{ firstTokenMs: ms(transcript.firstTokenUs), answerMs: ms(transcript.answerUs) },
      turnMs: msFromDuration(elapsedUs(transcript.saidAt, transcript.endedAt)),
    },
  };
}

/** A turn for people: what was said, what was answered, and what became of each call. Nothing in them can drive a terminal. */
export function turnLines(transcript: TurnTranscript): readonly string[] {
  const { assistant, turn, provenance, said, answer, followUp, calls, badCalls, end, detail, firstTokenUs, answerTokens } = transcript;
  const took = firstTokenUs === undefined ? '' : ` (${msFromDuration(firstTokenUs).toFixed(0)} ms to the first of ${answerTokens} tokens)`;
  const why = detail === '' ? '' : `, ${shortened(detail, QUOTED_MAX)}`;
  const texts = [answer, followUp].filter((text) => text !== '').map((text) => shortened(text, QUOTED_MAX));
  return [
    `${assistant}#${turn} ${provenance}: ${shortened(said, QUOTED_MAX)}`,
    ...calls.map(({ name, argumentsText, outcomes }) => `  ${shortened(`${name} ${argumentsText}`, QUOTED_MAX)}: ${standing(outcomes)}`),
    ...badCalls.map((problem) => `  no call: ${shortened(problem, QUOTED_MAX)}`),
    `  ${[...texts, ...(end === 'done' ? [] : [`[${end}${why}]`])].join(' ')}${took}`,
  ];
}

/** Where a call went, such as "accepted, achieved" or "rejected (condition: speedKmh is 80; it must be at most 0.5)". */
const standing = (outcomes: TranscribedCall['outcomes']): string => outcomes.map(({ outcome }) => outcomeText(outcome)).join(', ');

function outcomeText(outcome: ActionOutcome): string {
  if (outcome.kind === 'rejected') return `rejected (${outcome.reason}: ${shortened(outcome.detail, QUOTED_MAX)})`;
  return outcome.kind === 'refused' ? `refused (${shortened(outcome.detail, QUOTED_MAX)})` : outcome.kind;
}

/** As many of the calls as a field holds. */
function callsText(calls: TurnTranscript['calls']): string {
  const parts = calls.map(({ id, name, argumentsText, outcomes }) => {
    const outcome = outcomes.at(-1)?.outcome;
    const reason = outcome?.kind === 'rejected' ? outcome.reason : null;
    return JSON.stringify({ id, action: name.slice(0, 64), arguments: argumentsText, outcome: outcome?.kind ?? null, reason });
  });
  let chars = 0;
  const kept = parts.filter((part) => {
    chars += part.length + 1;
    return chars < 2 * TEXT_MAX;
  });
  return `[${kept.join(',')}]`;
}

function shortened(text: string, lengthMax: number): string {
  const short = text.length > lengthMax ? `${text.slice(0, lengthMax)}...` : text;
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, ' ');
}
