import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { profileOfPart } from '../../../src/bench/fidelity/part-name.ts';
import { shippedSoc } from '../../support/shipped.ts';

const folder = resolve(import.meta.dirname, '../../../configs/soc');
const profiles = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .sort()
  .map((name) => ({ ...shippedSoc(name.replace('.yaml', '')), yaml: parse(readFileSync(resolve(folder, name), 'utf8')) as unknown }));

/** What stands in the file under a dotted key. */
function figureOf(yaml: unknown, key: string): { readonly value?: number; readonly from?: string } {
  const found = key.split('.').reduce((at, part) => (at as Record<string, unknown> | undefined)?.[part], yaml);
  return found as { readonly value?: number; readonly from?: string };
}

const taken = profiles.flatMap(({ id, yaml, origins }) => origins.map((origin) => ({ id, yaml, ...origin })));
const threeDigits = (value: number): number => Number(value.toPrecision(3));

describe('figures that a shipped profile has from another', () => {
  const copies = taken.flatMap(({ as, ...rest }) => (as === undefined ? [] : [{ ...rest, ...as }]));

  it.each(copies.map((copy) => [copy.id, copy.key, copy.profile, copy] as const))('%s: %s is that of %s', (_, key, profile, copy) => {
    const base = profiles.find(({ id }) => id === profile);
    const { value = Number.NaN } = figureOf(base?.yaml, key);
    expect(figureOf(copy.yaml, key).value).toBe(threeDigits(value * copy.times));
  });

  it('are marked wherever a text says "as fitted for", and are fitted there', () => {
    const said = taken.filter(({ source }) => source.includes('as fitted for'));
    expect(said.length).toBeGreaterThan(15);
    for (const { id, key, as } of said) {
      expect([id, key, as?.profile]).toEqual([id, key, expect.any(String)]);
      const base = profiles.find((profile) => profile.id === as?.profile);
      expect([id, key, figureOf(base?.yaml, key).from]).toEqual([id, key, expect.stringMatching(/^fit-/)]);
    }
  });

  it('are quoted in texts as they stand there', () => {
    const quotes = taken.flatMap(({ id, key, source }) =>
      [...source.matchAll(/(\d[\d.]*)(?: us| of the peak)? fitted for ([A-Z][\w-]*(?: [A-Z][\w-]*)*)/g)].map(
        ([, figure = '', chip = '']) => ({
          ...{ id, key, figure, chip },
        }),
      ),
    );
    expect(quotes.length).toBeGreaterThan(20);
    for (const { id, key, figure, chip } of quotes) {
      const base = profileOfPart(chip, profiles);
      const digits = figure.split('.')[1]?.length ?? 0;
      const stands = figureOf(base?.yaml, key);
      expect([id, key, chip, stands.from]).toEqual([id, key, chip, expect.stringMatching(/^fit-/)]);
      expect([id, key, chip, stands.value?.toFixed(digits)]).toEqual([id, key, chip, figure]);
    }
  });
});
