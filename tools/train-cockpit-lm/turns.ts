import type { Prng } from '../../src/core/prng.ts';
import { type Call, type Intent, inTongue, one } from './intent.ts';
import type { Message } from './message.ts';
import { type Language, pick } from './open-values.ts';

/** What is said after a call that only makes sense because of it: the same for another seat, another number, once more. */
export function followUps(call: Call): readonly Intent[] {
  return [again(call), ...otherPlace(call), ...otherNumber(call)];
}

const again = (call: Call): Intent => ({
  id: 'follow/again',
  world: 'both',
  tone: 'talk',
  en: ['(again|once more|one more time)( please|)', '(do that|do it) again', 'repeat that', 'the same again'],
  zh: ['(再来一次|再一次|重复一遍)', '再做一次', '再来一遍'],
  answer: () => ({ kind: 'calls', calls: [call] }),
});

/** The slot that says where, for the calls that have one. */
const PLACES: Readonly<Record<string, { readonly argument: string; readonly slot: string; readonly value: 'seat' | 'zone' | 'window' }>> = {
  set_seat_heating: { argument: 'seat', slot: 'seat', value: 'seat' },
  open_door: { argument: 'door', slot: 'seat', value: 'seat' },
  set_window: { argument: 'window', slot: 'window', value: 'window' },
  set_temperature: { argument: 'zone', slot: 'zone', value: 'zone' },
};

function otherPlace(call: Call): readonly Intent[] {
  const place = PLACES[call.name];
  if (place === undefined || call.name === 'open_door') return [];
  const noun = { seat: 'the {seat} seat', window: '{window}', zone: 'the {zone}' }[place.value];
  const chinese = { seat: '{seat}(座椅|)', window: '{window}(车窗|窗户)', zone: '{zone}' }[place.value];
  return [
    {
      id: 'follow/other-place',
      world: 'vehicle',
      tone: 'talk',
      en: [
        `(and |)${noun} (too|as well|also)`,
        `(now |)(do |)the same (for|with) ${noun}`,
        `and ${noun}`,
        `what about ${noun}`,
        `${noun} too please`,
      ],
      zh: [`${chinese}也(是|一样|要)`, `(还有|再加上)${chinese}`, `${chinese}呢`, `${chinese}也来一样的`],
      answer: ({ values }) => one(call.name, { ...call.arguments, [place.argument]: values[place.slot] ?? '' }),
    },
  ];
}

/** The slot that says how much, for the calls that have one. */
const NUMBERS: Readonly<
  Record<string, { readonly argument: string; readonly slot: string; readonly unit: string; readonly chinese: string }>
> = {
  set_seat_heating: { argument: 'level', slot: 'seatLevel', unit: '', chinese: '(挡|档|级)' },
  set_fan: { argument: 'level', slot: 'fanLevel', unit: '', chinese: '(挡|档|级)' },
  set_temperature: { argument: 'celsius', slot: 'celsius', unit: '( degrees|)', chinese: '度' },
  set_window: { argument: 'percent', slot: 'percent', unit: '', chinese: '' },
  set_volume: { argument: 'percent', slot: 'percent', unit: '', chinese: '' },
  set_cabin_light: { argument: 'percent', slot: 'percent', unit: '', chinese: '' },
};

function otherNumber(call: Call): readonly Intent[] {
  const number = NUMBERS[call.name];
  if (number === undefined) return [];
  const said = `{${number.slot}}${number.unit}`;
  const chinese = `{${number.slot}}${number.chinese}`;
  return [
    {
      id: 'follow/other-number',
      world: 'vehicle',
      tone: 'talk',
      en: [
        `(no|sorry)(,|) (make it |)${said}`,
        `make (it|that) ${said}`,
        `I (meant|mean) ${said}`,
        `(rather|better) ${said}`,
        `change (it|that) to ${said}`,
        `${said} instead`,
      ],
      zh: [`(不|不对)，(要|改成)${chinese}`, `(改成|换成|调到)${chinese}`, `我(说的|要的)是${chinese}`, `还是${chinese}(吧|)`],
      answer: ({ values }) => one(call.name, { ...call.arguments, [number.argument]: Number(values[number.slot]) }),
    },
  ];
}

/** Why the gate refused, as it says it: words to be said back. */
const REASONS: readonly string[] = [
  'moving',
  'too fast',
  'class C',
  'not confirmed',
  'rate limit',
  'expired',
  'out of range',
  'unknown action',
  'emergency stop',
  'speed above 0',
  'gear not P',
  'not from a passenger',
  'text from a sign',
];

/** What came of the calls, and what the assistant says of it. */
export function outcomeReply(calls: number, language: Language, prng: Prng): readonly Message[] {
  const [outcome, reply] = drawOutcome(language, prng);
  const results = Array.from({ length: calls }, (): Message => ({ role: 'tool', content: JSON.stringify(outcome) }));
  return [...results, { role: 'assistant', content: reply }];
}

function drawOutcome(language: Language, prng: Prng): readonly [outcome: object, reply: string] {
  if (prng.chance(0.6)) return [{ outcome: pick(prng, ['accepted', 'achieved']) }, inTongue(language, 'Done.', '好的。')];
  if (prng.chance(0.25)) return [{ outcome: 'timed_out' }, inTongue(language, 'Sorry, there was no answer.', '抱歉，没有回应。')];
  const reason = pick(prng, REASONS);
  return [{ outcome: 'rejected', reason }, inTongue(language, `Sorry, that was refused: ${reason}.`, `抱歉，被拒绝了：${reason}。`)];
}
