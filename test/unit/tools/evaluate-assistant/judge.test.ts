import { describe, expect, it } from 'vitest';
import { figuresOf, type HeldOut, isRight, type Judged, messagesOf } from '../../../../tools/evaluate-assistant/judge.ts';

const CALL = '<tool_call>{"name":"set_fan","arguments":{"level":3}}</tool_call>';

const heldOut = (group: string, wanted: string, changes: Partial<HeldOut> = {}): HeldOut => ({
  messages: [
    { role: 'system', content: 's' },
    { role: 'user', content: 'u' },
    { role: 'assistant', content: wanted },
  ],
  ...{ group, intent: `${group}/x`, language: 'en', isMisspelt: false, prompt: [] },
  ...changes,
});
const judged = (document: HeldOut, text: string, changes: Partial<Judged> = {}): Judged => ({
  ...{ document, text, isWhole: true, isSamePrompt: true },
  ...changes,
});

describe('the judge of answers', () => {
  it('takes a refusal in other words for one, and none that calls besides', () => {
    expect(isRight({ group: 'refusal' }, 'Sorry, no.', 'Sorry, I cannot.')).toBe(true);
    expect(isRight({ group: 'refusal' }, '抱歉。', '抱歉，不行。')).toBe(true);
    expect(isRight({ group: 'refusal' }, `Sorry. ${CALL}`, 'Sorry.')).toBe(false);
    expect(isRight({ group: 'refusal' }, 'No.', 'Sorry.')).toBe(false);
  });

  it('wants calls to the last letter', () => {
    expect(isRight({ group: 'call' }, CALL, CALL)).toBe(true);
    expect(isRight({ group: 'call' }, CALL.replace('3', '4'), CALL)).toBe(false);
  });

  it('counts by group, by language, by name, and what was cut off as wrong', () => {
    const figures = figuresOf([
      judged(heldOut('call', CALL), CALL),
      judged(heldOut('call', CALL, { isMisspelt: true }), CALL.replace('3', '4')),
      judged(heldOut('call', CALL, { language: 'zh' }), CALL, { isWhole: false, isSamePrompt: false }),
      judged(heldOut('refusal', 'Sorry.'), 'Sorry, no.'),
    ]);
    expect(figures).toEqual({
      groups: { call: { right: 1, count: 3 }, refusal: { right: 1, count: 1 } },
      languages: { 'call/en': { right: 1, count: 2 }, 'call/zh': { right: 0, count: 1 }, 'refusal/en': { right: 1, count: 1 } },
      clean: { call: { right: 1, count: 2 }, refusal: { right: 1, count: 1 } },
      callNames: { right: 3, count: 3 },
      sameRefusals: { right: 0, count: 1 },
      samePrompts: { right: 3, count: 4 },
    });
  });

  it('makes calls of the calls that an earlier answer wrote', () => {
    const base = heldOut('call', CALL);
    const document = { ...base, messages: [{ role: 'assistant', content: `Well. ${CALL}${CALL}` } as const, ...base.messages] };
    const call = { name: 'set_fan', arguments: { level: 3 } };
    expect(messagesOf(document)[0]).toEqual({ role: 'assistant', content: 'Well. ', toolCalls: [call, call] });
  });
});
