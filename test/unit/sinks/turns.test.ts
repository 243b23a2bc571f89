import { describe, expect, it } from 'vitest';
import type { ActionOutcome } from '../../../src/core/proposal.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { TurnTranscript } from '../../../src/core/turn-transcript.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { eventSchema } from '../../../src/mqtt/payloads.ts';
import { turnLine } from '../../../src/sinks/console-turns.ts';
import { turnEvent } from '../../../src/sinks/mqtt-turns.ts';

const at = (ms: number) => instantUs(durationFromMs(ms));

const TURN: TurnTranscript = {
  ...{ assistant: 'assistant', turn: 3, conversation: 'voice', provenance: 'driver', end: 'done', detail: '' },
  ...{ said: "open the driver's door", saidAt: at(100), endedAt: at(512), answer: '', followUp: 'Not while we are moving.' },
  calls: [],
  badCalls: [],
  ...{ promptTokens: 120, answerTokens: 12, firstTokenUs: durationFromMs(80), answerUs: durationFromMs(30) },
};

const call = (...outcomes: readonly ActionOutcome[]): TurnTranscript['calls'][number] => ({
  ...{ id: 'a-1', name: 'open_door', argumentsText: '{"door":"driver"}' },
  outcomes: outcomes.map((outcome) => ({ at: at(300), outcome })),
});

describe('a turn with an assistant', () => {
  it('is one line: who said what, what was called for, what became of it, what was said of that', () => {
    expect(turnLine({ ...TURN, calls: [call({ kind: 'rejected', reason: 'condition', detail: 'speedKmh is 80' })] })).toBe(
      'assistant (412 ms) driver: "open the driver\'s door" → open_door {"door":"driver"} rejected (condition: speedKmh is 80) → "Not while we are moving."',
    );
    const accepted = call({ kind: 'accepted', until: at(900) }, { kind: 'achieved' });
    expect(turnLine({ ...TURN, answer: ' Yes. ', followUp: '', calls: [accepted, call()] })).toBe(
      'assistant (412 ms) driver: "open the driver\'s door" → "Yes." → open_door {"door":"driver"} accepted, achieved → open_door {"door":"driver"} proposed',
    );
  });

  it('says how it ended when it did not end well, and what could not be read', () => {
    const line = turnLine({ ...TURN, followUp: '', end: 'cancelled', detail: 'somebody spoke on', badCalls: ['no JSON'] });
    expect(line).toContain('→ a call that cannot be read: no JSON [cancelled: somebody spoke on]');
  });

  it('goes out over MQTT within what an event may hold, whatever was said', () => {
    const clock = new SimClock();
    const long = 'x\u0000\u001b'.repeat(5000);
    const turn = {
      ...TURN,
      said: long,
      answer: long,
      followUp: long,
      detail: long,
      end: 'failed' as const,
      calls: Array.from({ length: 40 }, () => ({ ...call({ kind: 'achieved' }), argumentsText: long.slice(0, 200) })),
    };
    const event = turnEvent(turn, 'cockpit', clock);
    expect(eventSchema.parse(event)).toMatchObject({
      kind: 'turn',
      severity: 'warning',
      data: { provenance: 'driver', end: 'failed', tookMs: 412 },
    });
    expect(eventSchema.parse(turnEvent(TURN, 'cockpit', clock))).toMatchObject({
      severity: 'info',
      data: { firstTokenMs: 80, calls: '[]' },
    });
    expect(turnEvent({ ...TURN, firstTokenUs: undefined, conversation: undefined }, 'cockpit', clock).data).toMatchObject({
      firstTokenMs: null,
      conversation: null,
    });
  });
});
