import { describe, expect, it } from 'vitest';
import { Prng } from '../../../../src/core/prng.ts';
import { mannersOf, rephrase } from '../../../../tools/train-cockpit-lm/rephrase.ts';
import type { Piece } from '../../../../tools/train-cockpit-lm/template.ts';

const pieces: readonly Piece[] = [
  { kind: 'words', text: 'I am cold, do not turn off the ' },
  { kind: 'slot', slot: 'seat' },
  { kind: 'words', text: ' seat' },
];
const draws = (count: number) => Array.from({ length: count }, (_, seed) => rephrase(pieces, 'en', new Prng(seed)));
const text = (said: readonly Piece[]): string => said.map((piece) => (piece.kind === 'words' ? piece.text : `{${piece.slot}}`)).join('');

describe('rephrasing', () => {
  it('says the same in other words, and at times as it was', () => {
    const said = new Set(draws(200).map(text));
    expect(said).toContain(text(pieces));
    expect(said).toContain("I'm cold, don't switch off the {seat} seat");
    for (const sentence of said)
      expect(sentence).toMatch(/^(?:I am|I'm) cold, (?:do not|don't) (?:turn|switch) off (?:the )?\{seat\} seat$/u);
  });

  it('leaves the slots where they are', () => {
    for (const said of draws(50)) expect(said[1]).toEqual(pieces[1]);
  });

  it('is the same from the same seed', () => {
    expect(rephrase(pieces, 'en', new Prng('one'))).toEqual(rephrase(pieces, 'en', new Prng('one')));
  });
});

describe('manners', () => {
  const closings = (core: string, endsOpen: boolean) =>
    new Set(Array.from({ length: 100 }, (_, seed) => mannersOf(core, true, endsOpen, 'en', new Prng(seed)).closing));

  it('put nothing after what is to be copied', () => {
    expect([...closings('navigate to {place}', true)]).toEqual(['']);
    expect(closings('open the door', false).size).toBeGreaterThan(5);
  });

  it('ask "could you" only before a verb', () => {
    const openings = (core: string) => Array.from({ length: 300 }, (_, seed) => mannersOf(core, true, false, 'en', new Prng(seed)).opening);
    expect(openings('open the door').filter((opening) => /you $/u.test(opening)).length).toBeGreaterThan(5);
    expect(openings('fan off').some((opening) => /you $/u.test(opening))).toBe(false);
  });
});
