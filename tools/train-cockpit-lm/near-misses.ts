import { type Intent, inTongue, refuses } from './intent.ts';
import { climate } from './phrases/climate.ts';
import { lights } from './phrases/lights.ts';
import { media } from './phrases/media.ts';
import { openings } from './phrases/openings.ts';
import { seats } from './phrases/seats.ts';
import { travel } from './phrases/travel.ts';

const cannot: Intent['answer'] = ({ language }) => refuses(inTongue(language, "Sorry, I can't help with that.", '抱歉，这个我做不到。'));

const near = (name: string, world: Intent['world'], tone: Intent['tone'] = 'request'): Intent => ({
  id: `refusal/near-${name}`,
  world,
  tone,
  weight: 1.1,
  en: [],
  zh: [],
  answer: cannot,
});

/** What the robot is told that only a car does. Left out is what may be meant for it all the same: ways, stops, silence, messages. */
const CAR_ONLY =
  /^(?:climate\/(?:temperature|fan|mode|defrost)|seats\/|windows\/(?!open-mine|close-mine)|doors\/(?:trunk|lock)|lights\/|media\/(?:volume|next|previous)|phone\/call)/u;

/**
 * Refusals by contrast: what is said in the words of the tools and is no wish that a tool fulfils, and what is wished of a robot and only a car does. For training with
 * `--wide` alone: none of these takes part in the split. The templates of the first stand in phrases/near.*.txt; those of the second are borrowed.
 */
export const nearMisses: readonly Intent[] = [
  ...['climate', 'seats', 'windows', 'doors', 'lights', 'media', 'travel', 'phone'].map((name) => near(name, 'vehicle')),
  near('status', 'vehicle', 'question'),
  near('motion', 'robot'),
  near('speech', 'robot'),
];

/** What the robot cannot do and the car can; `borrowedFrom` says whose templates they say. */
export const wrongMachine: readonly (Intent & { readonly borrowedFrom: Intent })[] = [
  ...[...climate, ...seats, ...openings, ...lights, ...media, ...travel].filter(({ id }) => CAR_ONLY.test(id)).map(toRobot),
];

function toRobot(from: Intent) {
  const { id, tone, en, zh } = from;
  return { id: `refusal/wrong-${id}`, world: 'robot' as const, tone, weight: 0.05, en, zh, answer: cannot, borrowedFrom: from };
}
