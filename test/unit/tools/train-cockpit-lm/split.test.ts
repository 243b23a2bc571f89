import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { intents, splitTemplates, wideIntents } from '../../../../tools/train-cockpit-lm/intents.ts';
import { drawSentence } from '../../../../tools/train-cockpit-lm/sentence.ts';
import { fillSlot, slots } from '../../../../tools/train-cockpit-lm/slots.ts';
import { heldOutTemplates, isHeldOutValue } from '../../../../tools/train-cockpit-lm/split.ts';
import { allSentences, drawPieces, sentenceOf, wordsOf } from '../../../../tools/train-cockpit-lm/template.ts';

/** Intents that all get one and the same refusal: what they share is not ambiguous. */
const ANSWERED_ALIKE =
  /^refusal\/(?:writing|ordering|knowledge|weather-news|calculation|language-code|advice|home-things|nonsense|near-.*|wrong-.*)$/u;

const templates = splitTemplates();
const languages = ['en', 'zh'] as const;

describe('the held-out split', () => {
  it('shares no template with training, and both together are all', () => {
    for (const intent of intents) {
      for (const language of languages) {
        const [train, heldOut] = [templates.of(intent, language, 'train'), templates.of(intent, language, 'heldout')];
        expect(train.filter((template) => heldOut.includes(template))).toEqual([]);
        expect(train.filter((template) => intent[language].includes(template)).length + heldOut.length).toBe(intent[language].length);
      }
    }
  });

  it('keeps from training what it kept before, whatever phrases are added', () => {
    const golden = readFileSync(join(import.meta.dirname, '../../../golden/language/cockpit-lm-heldout.txt'), 'utf8');
    const kept = languages.flatMap((language) =>
      intents.flatMap((intent) => templates.of(intent, language, 'heldout').map((template) => `${language} ${intent.id} ${template}`)),
    );
    expect(kept).toEqual(golden.trimEnd().split('\n'));
  });

  it('has a template of every intent in both languages, and leaves most to training', () => {
    for (const intent of intents) {
      for (const language of languages) {
        const heldOut = templates.of(intent, language, 'heldout').length;
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
      for (const language of languages) {
        const all = [...templates.of(intent, language, 'train'), ...templates.of(intent, language, 'heldout')];
        expect(new Set(all).size, intent.id).toBe(all.length);
      }
  });

  it('has no sentence that asks for two things', () => {
    for (const world of ['vehicle', 'robot'] as const) {
      for (const language of languages) {
        const meant = new Map<string, string>();
        for (const intent of intents.filter((intent) => intent.world === world || intent.world === 'both')) {
          const meaning = ANSWERED_ALIKE.test(intent.id) ? 'refused' : intent.id;
          for (const template of [...templates.of(intent, language, 'train'), ...templates.of(intent, language, 'heldout')])
            for (const sentence of allSentences(template)) {
              const other = meant.get(sentence) ?? meaning;
              if (other !== meaning) expect.fail(`"${sentence}" means ${other} and ${meaning}`);
              meant.set(sentence, meaning);
            }
        }
        expect(meant.size).toBeGreaterThan(10_000);
        // The further phrases of --wide say too much to list: some sentences of each.
        for (const intent of wideIntents.filter((intent) => intent.world === world || intent.world === 'both')) {
          const meaning = ANSWERED_ALIKE.test(intent.id) ? 'refused' : intent.id;
          for (const template of templates.wideOf(intent, language))
            for (let seed = 0; seed < 25; seed += 1) {
              const sentence = sentenceOf(drawPieces(template, new Prng(`${template}/${seed}`)));
              const other = meant.get(sentence) ?? meaning;
              if (other !== meaning) expect.fail(`"${sentence}" means ${other} and ${meaning}`);
              meant.set(sentence, meaning);
            }
        }
      }
    }
  });

  it('says nothing held out in the further phrases either, however they are rephrased', () => {
    const situation = { state: { kind: 'vehicle' } } as const;
    const heldOut = new Set(
      languages.flatMap((language) => intents.flatMap((intent) => templates.of(intent, language, 'heldout').flatMap(allSentences))),
    );
    for (const intent of wideIntents.filter(({ world, tone }) => world !== 'robot' && tone === 'talk'))
      for (const language of languages)
        for (let seed = 0; seed < 40; seed += 1) {
          const drawing = { language, split: 'train', situation, templates, style: 'lower', isWide: true } as const;
          const text = drawSentence(intent, drawing, new Prng(`${intent.id}/${seed}`))?.text ?? '';
          expect(heldOut.has(text), text).toBe(false);
        }
  });

  it('has no sentence that training says too, though one of its templates could', () => {
    const [intent] = intents;
    if (intent === undefined) expect.fail('no intents');
    const split = { of: () => ['(warm|hot)', 'cold'], wideOf: () => [], isHeldOut: (sentence: string) => sentence === 'hot' };
    const situation = { state: { kind: 'vehicle' } } as const;
    const said = Array.from(
      { length: 200 },
      (_, seed) =>
        drawSentence(
          { ...intent, tone: 'talk' },
          { language: 'en', split: 'train', situation, templates: split, style: 'bare' },
          new Prng(seed),
        )?.text ?? '',
    );
    expect(said.some((text) => text.endsWith('warm'))).toBe(true);
    expect(said.filter((text) => text.endsWith('hot'))).toEqual([]);
  });
});
