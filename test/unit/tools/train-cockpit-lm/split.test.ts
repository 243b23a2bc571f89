import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { intents, splitTemplates } from '../../../../tools/train-cockpit-lm/intents.ts';
import { fillSlot, slots } from '../../../../tools/train-cockpit-lm/slots.ts';
import { heldOutTemplates, isHeldOutValue } from '../../../../tools/train-cockpit-lm/split.ts';
import { wordsOf } from '../../../../tools/train-cockpit-lm/template.ts';

const templates = splitTemplates();
const languages = ['en', 'zh'] as const;

describe('the held-out split', () => {
  it('shares no template with training, and both together are all', () => {
    for (const intent of intents) {
      for (const language of languages) {
        const [train, heldOut] = [templates(intent, language, 'train'), templates(intent, language, 'heldout')];
        expect(train.filter((template) => heldOut.includes(template))).toEqual([]);
        expect([...train, ...heldOut].sort()).toEqual([...intent[language]].sort());
      }
    }
  });

  it('has a template of every intent in both languages, and leaves most to training', () => {
    for (const intent of intents) {
      for (const language of languages) {
        const heldOut = templates(intent, language, 'heldout').length;
        expect(heldOut, intent.id).toBeGreaterThan(0);
        expect(heldOut, intent.id).toBeLessThan(intent[language].length / 2);
      }
    }
  });

  it('shares no value of an open or numeric slot with training', () => {
    for (const [name, slot] of Object.entries(slots).filter(([, { isSplit }]) => isSplit)) {
      for (const language of languages) {
        const values = (split: 'train' | 'heldout') =>
          new Set(
            Array.from({ length: 60 }, (_, index) =>
              String(fillSlot(name, slot, new Prng(`${name}/${index}`), language, split).value).toLowerCase(),
            ),
          );
        const [train, heldOut] = [values('train'), values('heldout')];
        expect(
          [...train].filter((value) => heldOut.has(value)),
          name,
        ).toEqual([]);
      }
    }
  });

  it('judges a value alike in capitals and without', () => {
    for (const name of ['Anna', 'Marsdown Lane', 'Blue Rain'])
      expect(isHeldOutValue('place', name)).toBe(isHeldOutValue('place', name.toLowerCase()));
  });

  it('prefers templates whose words training still hears', () => {
    const ways = [{ id: 'a', templates: ['one two', 'two three', 'three one', 'one three two', 'two one', 'seldom word'] }];
    const [kept = ''] = [...heldOutTemplates(ways)];
    expect(kept).not.toBe('a|seldom word');
    expect([...wordsOf(kept.slice(2))].every((word) => ['one', 'two', 'three'].includes(word))).toBe(true);
  });

  it('says each template of an intent once', () => {
    for (const intent of intents)
      for (const language of languages) expect(new Set(intent[language]).size, intent.id).toBe(intent[language].length);
  });
});
