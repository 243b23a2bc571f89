import type { ActionOutcome } from '../core/proposal.ts';
import type { TranscribedCall, TurnTranscript } from '../core/turn-transcript.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';

/**
 * A turn as one line for people; whoever prints it escapes what comes from outside.
 *
 *     assistant (412 ms) driver: "open the driver's door" → "" · open_door {"door":"driver"} rejected (condition: speedKmh is 80) → "Not while we are moving."
 */
export function turnLine({ assistant, provenance, said, saidAt, endedAt, ...rest }: TurnTranscript): string {
  const { answer, followUp, calls, badCalls, end, detail } = rest;
  const ms = msFromDuration(elapsedUs(saidAt, endedAt)).toFixed(0);
  const spoken = (text: string): string[] => (text.trim() === '' ? [] : [`→ "${text.trim()}"`]);
  const parts = [
    `${assistant} (${ms} ms) ${provenance}: "${said}"`,
    ...spoken(answer),
    ...calls.map(callText),
    ...badCalls.map((flaw) => `→ a call that cannot be read: ${flaw}`),
    ...spoken(followUp),
    ...(end === 'done' ? [] : [`[${end}${detail === '' ? '' : `: ${detail}`}]`]),
  ];
  return parts.join(' ');
}

function callText({ name, argumentsText, outcomes }: TranscribedCall): string {
  const way = outcomes.map(({ outcome }) => outcomeText(outcome)).join(', ');
  return `→ ${name} ${argumentsText} ${way === '' ? 'proposed' : way}`;
}

function outcomeText(outcome: ActionOutcome): string {
  const detail = 'detail' in outcome && outcome.detail !== '' ? outcome.detail : undefined;
  const reason = outcome.kind === 'rejected' ? outcome.reason : undefined;
  const why = [reason, detail].filter((part) => part !== undefined).join(': ');
  return why === '' ? outcome.kind : `${outcome.kind} (${why})`;
}
