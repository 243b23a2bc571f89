import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { intents } from '../../../../tools/train-cockpit-lm/intents.ts';
import { chineseNumber, englishNumber } from '../../../../tools/train-cockpit-lm/numbers.ts';
import { allSentences, drawPieces, sentenceOf, wordsOf } from '../../../../tools/train-cockpit-lm/template.ts';

const all = (template: string): readonly string[] =>
  [
    ...new Set(
      Array.from({ length: 200 }, (_, seed) =>
        drawPieces(template, new Prng(seed))
          .map((piece) => (piece.kind === 'words' ? piece.text : `<${piece.slot}>`))
          .join(''),
      ),
    ),
  ].sort();

describe('templates', () => {
  it('draw every part of a group, nested ones and empty ones too', () => {
    expect(all('(turn|switch) (on |)it')).toEqual(['switch it', 'switch on it', 'turn it', 'turn on it']);
    expect(all('a(b(c|d)|)')).toEqual(['a', 'abc', 'abd']);
  });

  it('leave slots in their place', () => {
    expect(all('to {place}(!|)')).toEqual(['to <place>', 'to <place>!']);
  });

  it('refuse groups that are not closed', () => {
    expect(() => drawPieces('(a|b', new Prng(1))).toThrow(/closes what it opens/u);
    expect(() => drawPieces('a)b', new Prng(1))).toThrow(/closes what it opens/u);
  });

  it('of all intents are well formed', () => {
    for (const { en, zh } of intents)
      for (const template of [...en, ...zh]) expect(drawPieces(template, new Prng(template)).length).toBeGreaterThan(0);
  });

  it('list every sentence that they can say, bare of case, marks and doubled spaces', () => {
    expect(allSentences('(Turn|put) (on |)the  {seat} seat')).toEqual([
      'turn on the {seat} seat',
      'turn the {seat} seat',
      'put on the {seat} seat',
      'put the {seat} seat',
    ]);
    expect(allSentences('say(:|,|) {sentence}')).toEqual(['say {sentence}']);
    expect(allSentences('a(b(c|d)|)')).toEqual(['abc', 'abd', 'a']);
    expect(() => allSentences('(a|b')).toThrow(/closes what it opens/u);
  });

  it('say only what is in the list of what they can say', () => {
    for (const template of ['(turn|switch) (on |)it', 'a(b(c|d)|)', 'to {place}(!|)'])
      for (let seed = 0; seed < 50; seed += 1) expect(allSentences(template)).toContain(sentenceOf(drawPieces(template, new Prng(seed))));
  });

  it('list their words without slots', () => {
    expect([...wordsOf("(Turn|put) the {seat} seat's 座椅")].sort()).toEqual(['put', "seat's", 'the', 'turn', '座', '椅'].sort());
  });
});

describe('numbers in words', () => {
  it.each([
    [0, 'zero', '零'],
    [7, 'seven', '七'],
    [10, 'ten', '十'],
    [15, 'fifteen', '十五'],
    [20, 'twenty', '二十'],
    [22.5, 'twenty two point five', '二十二点五'],
    [0.3, 'zero point three', '零点三'],
    [100, 'a hundred', '一百'],
    [105, 'a hundred and five', '一百零五'],
    [112, 'a hundred and twelve', '一百一十二'],
    [240, 'two hundred and forty', '二百四十'],
    [360, 'three hundred and sixty', '三百六十'],
  ])('%d is "%s" and %s', (value, english, chinese) => {
    expect(englishNumber(value)).toBe(english);
    expect(chineseNumber(value)).toBe(chinese);
  });
});
