import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { intents, wideIntents } from '../../../../tools/train-cockpit-lm/intents.ts';
import { parsePhrases, readMorePhrases, readWidePhrases } from '../../../../tools/train-cockpit-lm/more-phrases.ts';
import { nearMisses } from '../../../../tools/train-cockpit-lm/near-misses.ts';
import { slots } from '../../../../tools/train-cockpit-lm/slots.ts';
import { drawPieces } from '../../../../tools/train-cockpit-lm/template.ts';
import { refusedSlots } from '../../../../tools/train-cockpit-lm/topics.ts';
import { wideSlots } from '../../../../tools/train-cockpit-lm/wide-slots.ts';

describe('further phrases', () => {
  it.each(['en', 'zh'] as const)('are there in %s for every intent and for no other', (language) => {
    expect([...readMorePhrases(language).keys()].sort()).toEqual(intents.map(({ id }) => id).sort());
  });

  it.each(['en', 'zh'] as const)('in %s are well formed and use the slots of their intent', (language) => {
    for (const [id, templates] of readMorePhrases(language)) {
      const own = new Set(intents.find((intent) => intent.id === id)?.[language].flatMap((template) => slotsOf(template)));
      for (const template of templates) {
        expect(drawPieces(template, new Prng(template)).length, template).toBeGreaterThan(0);
        for (const slot of slotsOf(template))
          expect(own.has(slot) || ASIDE_SLOTS.has(slot), `${id}: {${slot}} of "${template}"`).toBe(true);
      }
    }
  });

  it.each(['en', 'zh'] as const)(
    'of --wide in %s are well formed, of known intents, and use their slots or those of asides',
    (language) => {
      for (const [id, templates] of readWidePhrases(language)) {
        const intent = wideIntents.find((intent) => intent.id === id);
        expect(intent, id).toBeDefined();
        const own = new Set(intent?.[language].flatMap((template) => slotsOf(template)));
        for (const template of templates) {
          expect(drawPieces(template, new Prng(template)).length, template).toBeGreaterThan(0);
          for (const slot of slotsOf(template))
            expect(own.has(slot) || ASIDE_SLOTS.has(slot) || slot in wideSlots, `${id}: {${slot}} of "${template}"`).toBe(true);
        }
      }
    },
  );

  it.each(['en', 'zh'] as const)('of --wide in %s say every near miss', (language) => {
    const said = readWidePhrases(language);
    for (const { id } of nearMisses) expect(said.get(id)?.length, id).toBeGreaterThan(3);
  });

  it('stand under the id of their intent, one a line', () => {
    expect([...parsePhrases('# so\n\n[a/b]\none two\n (x|y) \n[c]\n')]).toEqual([
      ['a/b', ['one two', '(x|y)']],
      ['c', []],
    ]);
  });

  it('are refused without an id, and where an id stands twice', () => {
    expect(() => parsePhrases('one two')).toThrow(/stands under no \[id\]/u);
    expect(() => parsePhrases('[a]\none\n[a]\ntwo')).toThrow(/\[a\] stands twice/u);
  });
});

const slotsOf = (template: string): readonly string[] => [...template.matchAll(/\{([^}]+)\}/gu)].map(([, slot = '']) => slot);

/** Slots that only set the scene: no answer says them back. */
const ASIDE_SLOTS: ReadonlySet<string> = new Set(['topic', 'thing', 'number', 'mischief', 'seat', 'zone']);

describe('slots of asides', () => {
  it('exist', () => {
    for (const slot of ASIDE_SLOTS) expect(slot in slots || slot in refusedSlots, slot).toBe(true);
  });
});
