import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { TurnTranscript } from '../../../src/core/turn-transcript.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { eventSchema } from '../../../src/mqtt/payloads.ts';
import { turnEvent, turnLines } from '../../../src/sinks/turn-transcripts.ts';

const at = instantUs(1_000_000);

const transcript = (changes: Partial<TurnTranscript> = {}): TurnTranscript => ({
  ...{ assistant: 'assistant', turn: 3, conversation: 'cabin', provenance: 'driver', said: "open the driver's door", saidAt: at },
  ...{ endedAt: instantUs(1_250_000), end: 'done', detail: '', answer: '', followUp: 'Sorry, that was refused: speed above 0.' },
  calls: [
    {
      ...{ id: 'assistant-x-1', name: 'open_door', argumentsText: '{"door":"driver"}' },
      outcomes: [{ at, outcome: { kind: 'rejected', reason: 'condition', detail: 'speedKmh is 80; it must be at most 0.5' } }],
    },
  ],
  ...{ badCalls: [], promptTokens: 90, answerTokens: 21, firstTokenUs: durationUs(42_000), answerUs: durationUs(60_000) },
  ...changes,
});

describe('a turn that is told', () => {
  it('is a few lines for people', () => {
    expect(turnLines(transcript())).toEqual([
      "assistant#3 driver: open the driver's door",
      '  open_door {"door":"driver"}: rejected (condition: speedKmh is 80; it must be at most 0.5)',
      '  Sorry, that was refused: speed above 0. (42 ms to the first of 21 tokens)',
    ]);
    const cancelled = transcript({ end: 'cancelled', calls: [], answer: 'Once upon', followUp: '', badCalls: ['no JSON'] });
    expect(turnLines(cancelled).slice(1)).toEqual(['  no call: no JSON', '  Once upon [cancelled] (42 ms to the first of 21 tokens)']);
  });

  it('is an event that the schema of events allows', () => {
    const event = turnEvent(transcript(), 'cockpit', new SimClock(at));
    expect(eventSchema.parse(event)).toMatchObject({
      kind: 'turn',
      severity: 'info',
      data: { turnMs: 250, promptTokens: 90, end: 'done' },
    });
    expect(JSON.parse(String(event.data.calls))).toEqual([
      { id: 'assistant-x-1', action: 'open_door', arguments: '{"door":"driver"}', outcome: 'rejected', reason: 'condition' },
    ]);
    const refused = transcript({ end: 'refused', conversation: undefined, firstTokenUs: undefined, answerUs: undefined });
    expect(eventSchema.parse(turnEvent(refused, 'cockpit', new SimClock(at)))).toMatchObject({ severity: 'warning' });
  });

  it('stays within its bounds and drives no terminal, whatever was said', () => {
    const wild = '\u001b[2J\n\u202e'.repeat(2_000);
    const call = { id: 'i', name: wild, argumentsText: wild, outcomes: [{ at, outcome: { kind: 'refused', detail: wild } as const }] };
    const full = transcript({
      said: wild,
      answer: wild,
      detail: wild,
      end: 'failed',
      calls: Array.from({ length: 8 }, () => call),
      badCalls: [wild],
    });
    const event = turnEvent(full, 'cockpit', new SimClock(at));
    eventSchema.parse(event);
    expect(() => JSON.parse(String(event.data.calls))).not.toThrow();
    for (const line of [...turnLines(full), event.message]) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
