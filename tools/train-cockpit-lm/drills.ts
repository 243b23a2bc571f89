import type { Prng } from '../../src/core/prng.ts';
import type { Message } from './message.ts';
import { type Language, mediaTitle, messageText, personName, pick, placeName, roomName, spokenText } from './open-values.ts';
import { isHeldOutValue } from './split.ts';

/**
 * Exercises in copying. A small model learns slowly to copy from examples in which a name of three tokens stands in an answer of twenty: the heads that find
 * where a word stood before come late. Where every token of the answer is a copy they come within some hundred steps, and serve all else from then on.
 */
export function drawDrill(prng: Prng): readonly Message[] {
  return pick(prng, [echo, echo, lookUp])(prng);
}

const SOURCES: readonly (readonly [slot: string, draw: (prng: Prng, language: Language) => string])[] = [
  ['place', placeName],
  ['name', personName],
  ['query', mediaTitle],
  ['text', messageText],
  ['room', roomName],
  ['sentence', spokenText],
  ['number', (prng) => String(prng.integer(0, 9999) / pick(prng, [1, 10]))],
];

/** Something to copy that the held-out split does not ask for. */
function drawItem(prng: Prng): string {
  const [slot, draw] = pick(prng, SOURCES);
  for (;;) {
    const text = draw(prng, prng.chance(0.5) ? 'en' : 'zh');
    if (!isHeldOutValue(slot, text)) return prng.chance(0.3) ? text.toLowerCase() : text;
  }
}

const items = (prng: Prng, low: number, high: number): readonly string[] =>
  Array.from({ length: prng.integer(low, high) }, () => drawItem(prng));

/** Says again what was said. */
function echo(prng: Prng): readonly Message[] {
  const text = items(prng, 2, 7).join(pick(prng, [' ', ', ', '，', '; ']));
  return [
    { role: 'system', content: 'Repeat what you hear.' },
    { role: 'user', content: text },
    { role: 'assistant', content: text },
  ];
}

/** Says what stands behind each of some words in a list. */
function lookUp(prng: Prng): readonly Message[] {
  const entries = new Map(items(prng, 3, 7).map((key) => [key, drawItem(prng)]));
  const asked = Array.from({ length: prng.integer(2, 4) }, () => pick(prng, [...entries.keys()]));
  return [
    { role: 'system', content: ['Look up what you hear.', ...[...entries].map(([key, value]) => `${key}: ${value}`)].join('\n') },
    ...asked.flatMap((key): readonly Message[] => [
      { role: 'user', content: key },
      { role: 'assistant', content: entries.get(key) ?? '' },
    ]),
  ];
}
