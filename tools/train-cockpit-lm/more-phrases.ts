import { readFileSync } from 'node:fs';
import type { Language } from './open-values.ts';

/** Templates by the id of their intent. */
export type PhrasesById = ReadonlyMap<string, readonly string[]>;

/**
 * Further templates, for training only: phrases/more.en.txt and phrases/more.zh.txt. They came after the split of the templates beside the intents and take no
 * part in it, so what was held out before them still is.
 */
export function readMorePhrases(language: Language): PhrasesById {
  return read(`more.${language}.txt`);
}

const WIDE_FILES: Readonly<Record<Language, readonly string[]>> = {
  en: ['wide-calls', 'wide-talk', 'wide-refusals', 'wide-unsafe', 'near'],
  zh: ['wide-calls', 'wide-refusals', 'near'],
};

/** Still further templates, which `--wide` adds; those of near misses too. */
export function readWidePhrases(language: Language): PhrasesById {
  return new Map(WIDE_FILES[language].flatMap((file) => [...read(`${file}.${language}.txt`)]));
}

const read = (file: string): PhrasesById => parsePhrases(readFileSync(new URL(`phrases/${file}`, import.meta.url), 'utf8'));

/** One template a line under `[id]` of its intent; lines that begin with # say something to the reader. */
export function parsePhrases(text: string): PhrasesById {
  const byId = new Map<string, string[]>();
  let templates: string[] | undefined;
  for (const line of text.split('\n').map((line) => line.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const id = /^\[(.+)\]$/u.exec(line)?.[1];
    if (id !== undefined) {
      if (byId.has(id)) throw new SyntaxError(`more phrases: [${id}] stands twice`);
      templates = [];
      byId.set(id, templates);
    } else if (templates === undefined) {
      throw new SyntaxError(`more phrases: "${line}" stands under no [id]`);
    } else {
      templates.push(line);
    }
  }
  return byId;
}
