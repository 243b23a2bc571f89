import { CoxswainError } from '../../core/errors.ts';

/**
 * Characters that stand for others while a template is rendered, so that what strangers wrote cannot be mistaken for what the template wrote. They are taken from
 * Unicode's private use area, and only such as nothing in the request has. One character stands for one, so that what templates cut and measure stays as it is.
 */
export interface StandIns {
  /** Every character of a control token replaced: no part of the text can be part of one. */
  all(text: string): string;
  /** Only what is a whole control token made none, by its first character. For names, which templates compare with names of their own. */
  whole(text: string): string;
  /** Takes all replacements back. */
  restore(text: string): string;
  /** Whether the text has a stand-in that was written out as an escape, and so cannot be taken back. */
  isEscaped(text: string): boolean;
}

const PRIVATE_FIRST = 0xe000;
const PRIVATE_LAST = 0xf8ff;

/** `texts`: everything that a rendering may have in it. Errors: PROMPT_REFUSED when hardly any private character is free. */
export function createStandIns(controls: Iterable<string>, texts: Iterable<string>): StandIns {
  const tokens = [...controls];
  const taken = new Set<string>();
  for (const text of texts) for (const letter of text.match(/[\ue000-\uf8ff]/gu) ?? []) taken.add(letter);
  let next = PRIVATE_FIRST;
  const free = (): string => {
    while (next <= PRIVATE_LAST && taken.has(String.fromCharCode(next))) next += 1;
    if (next > PRIVATE_LAST)
      throw new CoxswainError('PROMPT_REFUSED', 'the messages use nearly all of the private characters U+E000 to U+F8FF. Leave them out.');
    next += 1;
    return String.fromCharCode(next - 1);
  };
  const standFor = new Map<string, string>();
  const meaning = new Map<string, string>();
  for (const token of tokens) {
    for (const letter of [...token].filter(isReplaceable)) {
      if (standFor.has(letter)) continue;
      const stand = free();
      standFor.set(letter, stand);
      meaning.set(stand, letter);
    }
  }
  const all = (text: string): string => {
    let changed = '';
    for (const letter of text) changed += standFor.get(letter) ?? letter;
    return changed;
  };
  const whole = (text: string): string => {
    let changed = text;
    for (const token of tokens) {
      const first = [...token].find(isReplaceable);
      if (first === undefined || !changed.includes(token)) continue;
      changed = changed.replaceAll(token, token.replace(first, standFor.get(first) ?? first));
    }
    return changed;
  };
  return {
    all,
    whole,
    restore: (text) => text.replace(/[\ue000-\uf8ff]/gu, (stand) => meaning.get(stand) ?? stand),
    isEscaped: (text) =>
      (text.match(/\\u[ef][0-9a-f]{3}/giu) ?? []).some((written) =>
        meaning.has(String.fromCharCode(Number.parseInt(written.slice(2), 16))),
      ),
  };
}

/** White space is trimmed and quotes are escaped by templates, so these stay what they are; no control token is made of nothing else. */
const isReplaceable = (letter: string): boolean =>
  letter.length === 1 && letter > ' ' && letter !== '"' && letter !== '\\' && letter.trim() !== '';
