import type { Intent } from './intent.ts';
import { readMorePhrases } from './more-phrases.ts';
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
import { allSentences } from './template.ts';

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

/** The templates of each intent by split, and the sentences that training must not say. */
export interface SplitTemplates {
  /** The templates of an intent in one language. An intent may have none in the held-out split. */
  of(intent: Intent, language: Language, split: Split): readonly string[];
  /** Whether a held-out template of the language says this; slots by their names, as `sentenceOf` writes it. */
  isHeldOut(sentence: string, language: Language): boolean;
}

/** Splits the templates beside the intents once; both splits of an intent together are its templates, and training has the further phrases too. */
export function splitTemplates(): SplitTemplates {
  const kept = { en: heldOutTemplates(ways('en')), zh: heldOutTemplates(ways('zh')) };
  const said = { en: sentencesOf(kept.en), zh: sentencesOf(kept.zh) };
  const more = { en: readMorePhrases('en'), zh: readMorePhrases('zh') };
  return {
    of: (intent, language, split) => {
      const own = intent[language].filter((template) => kept[language].has(`${intent.id}|${template}`) === (split === 'heldout'));
      return split === 'heldout' ? own : [...own, ...(more[language].get(intent.id) ?? [])];
    },
    isHeldOut: (sentence, language) => said[language].has(sentence),
  };
}

const ways = (language: Language) => intents.map((intent) => ({ id: intent.id, templates: intent[language] }));

const sentencesOf = (entries: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...entries].flatMap((entry) => allSentences(entry.slice(entry.indexOf('|') + 1))));
