import { wordsOf } from './template.ts';

/** Which sentences and values a text is made of: those that training sees, or those kept from it. */
export type Split = 'train' | 'heldout';

/** One of so many values of an open or numeric slot is kept from training, chosen by its hash, so that any source of values agrees. */
const HELD_OUT_VALUES = 8;

/** One of so many templates is kept from training where its words allow it. */
const HELD_OUT_TEMPLATES = 7;

/** So many templates that stay must say a word too before one that says it may be kept from training. */
const TEMPLATES_PER_WORD = 2;

/** Whether a value of a slot belongs to the held-out split. The same word may be trained in one slot and held out in another. */
export function isHeldOutValue(slot: string, value: string): boolean {
  return fnv1a(`${slot}:${value.toLowerCase()}`) % HELD_OUT_VALUES === 0;
}

/** All ways to ask for one thing in one language. */
interface Ways {
  readonly id: string;
  readonly templates: readonly string[];
}

/**
 * The templates of one language that are kept from training: about one of seven of each thing to ask for, and one at least where there are three or more. A
 * template whose every word is said by two templates that stay goes first, since the split asks for new sentences and not for words never heard; where there
 * is none, as among the many things refused, the one with the fewest new words. Members are `id|template`.
 */
export function heldOutTemplates(ways: readonly Ways[]): ReadonlySet<string> {
  const sayers = new Map<string, number>();
  const count = (template: string, by: number): void => {
    for (const word of wordsOf(template)) sayers.set(word, (sayers.get(word) ?? 0) + by);
  };
  const newWords = (template: string): number =>
    [...wordsOf(template)].filter((word) => (sayers.get(word) ?? 0) <= TEMPLATES_PER_WORD).length;
  for (const { templates } of ways) for (const template of templates) count(template, 1);
  const kept = new Set<string>();
  for (const { id, templates } of ways) {
    const wanted = templates.length < 3 ? 0 : Math.max(1, Math.round(templates.length / HELD_OUT_TEMPLATES));
    const left = [...templates].sort((one, other) => newWords(one) - newWords(other) || fnv1a(one) - fnv1a(other));
    for (const [index, candidate] of left.slice(0, wanted).entries()) {
      if (index > 0 && newWords(candidate) > 0) break;
      count(candidate, -1);
      kept.add(`${id}|${candidate}`);
    }
  }
  return kept;
}

/** Unsigned 32-bit FNV-1a over UTF-16 units, mixed once more since its low bits alone are weak. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
