import type { Clock } from '../core/clock.ts';
import type { TurnTranscript } from '../core/turn-transcript.ts';
import { elapsedUs, msFromDuration } from '../core/units.ts';
import type { EventPayload } from '../mqtt/payloads.ts';

/** What a field of an event holds. */
const TEXT_MAX = 4096;

const cut = (text: string): string => text.slice(0, TEXT_MAX);

/** A turn with an assistant, for `/event/turn`: who said what, what was answered, what was called for and what became of it. */
export function turnEvent(turn: TurnTranscript, node: string, clock: Clock): EventPayload {
  const { assistant, conversation, provenance, said, answer, followUp, end, detail, calls, badCalls, firstTokenUs } = turn;
  const isWell = end === 'done' || end === 'cancelled';
  return {
    ...{ node, kind: 'turn', wallMs: clock.wallMs(), atUs: clock.now(), severity: isWell ? 'info' : 'warning' },
    message: cut(`${assistant}: ${end}${detail === '' ? '' : `, ${detail}`}`),
    data: {
      ...{ assistant, conversation: conversation ?? null, provenance, end, said: cut(said), answer: cut(answer), followUp: cut(followUp) },
      turn: turn.turn,
      calls: cut(
        JSON.stringify(
          calls.map(({ id, name, argumentsText, outcomes }) => ({ id, name, argumentsText, outcome: outcomes.at(-1)?.outcome.kind })),
        ),
      ),
      badCalls: badCalls.length,
      tookMs: msFromDuration(elapsedUs(turn.saidAt, turn.endedAt)),
      firstTokenMs: firstTokenUs === undefined ? null : msFromDuration(firstTokenUs),
      promptTokens: turn.promptTokens,
      answerTokens: turn.answerTokens,
    },
  };
}
