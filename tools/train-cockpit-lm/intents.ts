import type { Intent } from './intent.ts';
import { readMorePhrases, readWidePhrases } from './more-phrases.ts';
import { nearMisses, wrongMachine } from './near-misses.ts';
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

/** All that training with `--wide` draws from. */
export const wideIntents: readonly Intent[] = [...intents, ...nearMisses, ...wrongMachine];

/** The templates of each intent by split, and the sentences that training must not say. */
export interface SplitTemplates {
  /** The templates of an intent in one language. An intent may have none in the held-out split. */
  of(intent: Intent, language: Language, split: Split): readonly string[];
  /** All templates for training, those of `--wide` too. */
  wideOf(intent: Intent, language: Language): readonly string[];
  /** Whether a held-out template of the language says this; slots by their names, as `sentenceOf` writes it. */
  isHeldOut(sentence: string, language: Language): boolean;
}

/** Splits the templates beside the intents once; both splits of an intent together are its templates, and training has the further phrases too. */
export function splitTemplates(): SplitTemplates {
  const kept = { en: heldOutTemplates(ways('en')), zh: heldOutTemplates(ways('zh')) };
  const said = { en: sentencesOf(kept.en), zh: sentencesOf(kept.zh) };
  const more = { en: readMorePhrases('en'), zh: readMorePhrases('zh') };
  const wide = { en: readWidePhrases('en'), zh: readWidePhrases('zh') };
  const of: SplitTemplates['of'] = (intent, language, split) => {
    const own = intent[language].filter((template) => kept[language].has(`${intent.id}|${template}`) === (split === 'heldout'));
    return split === 'heldout' ? own : [...own, ...(more[language].get(intent.id) ?? [])];
  };
  const owners = new Map<Intent, Intent>(wrongMachine.map((intent) => [intent, intent.borrowedFrom]));
  const wideOf = cached((intent: Intent, language: Language) => {
    const owner = owners.get(intent) ?? intent;
    return [...of(owner, language, 'train'), ...(wide[language].get(owner.id) ?? [])];
  });
  return {
    of,
    wideOf,
    isHeldOut: (sentence, language) => said[language].has(sentence),
  };
}

/** Remembers what was found for an intent in a language. */
function cached<T>(find: (intent: Intent, language: Language) => T): (intent: Intent, language: Language) => T {
  const found = { en: new Map<Intent, T>(), zh: new Map<Intent, T>() };
  return (intent, language) => {
    const known = found[language].get(intent) ?? find(intent, language);
    found[language].set(intent, known);
    return known;
  };
}

const ways = (language: Language) => intents.map((intent) => ({ id: intent.id, templates: intent[language] }));

const sentencesOf = (entries: ReadonlySet<string>): ReadonlySet<string> =>
  new Set([...entries].flatMap((entry) => allSentences(entry.slice(entry.indexOf('|') + 1))));
