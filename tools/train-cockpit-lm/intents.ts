import type { Intent } from './intent.ts';
import type { Language } from './open-values.ts';
import { climate } from './phrases/climate.ts';
import { lights } from './phrases/lights.ts';
import { media } from './phrases/media.ts';
import { openings } from './phrases/openings.ts';
import { questions } from './phrases/questions.ts';
import { refusals } from './phrases/refusals.ts';
import { robot } from './phrases/robot.ts';
import { seats } from './phrases/seats.ts';
import { talk } from './phrases/talk.ts';
import { travel } from './phrases/travel.ts';
import { views } from './phrases/view.ts';
import { heldOutTemplates, type Split } from './split.ts';

/** Everything that the assistant understands and everything that it refuses. */
export const intents: readonly Intent[] = [
  ...climate,
  ...seats,
  ...openings,
  ...lights,
  ...media,
  ...travel,
  ...robot,
  ...talk,
  ...refusals,
  ...questions,
  ...views,
];

/** The templates of each intent in one language, by split. An intent may have none in the held-out split. */
export type SplitTemplates = (intent: Intent, language: Language, split: Split) => readonly string[];

/** Splits all templates once; both splits of an intent together are its templates. */
export function splitTemplates(): SplitTemplates {
  const kept = { en: heldOutTemplates(ways('en')), zh: heldOutTemplates(ways('zh')) };
  return (intent, language, split) =>
    intent[language].filter((template) => kept[language].has(`${intent.id}|${template}`) === (split === 'heldout'));
}

const ways = (language: Language) => intents.map((intent) => ({ id: intent.id, templates: intent[language] }));
