import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultOffset } from '../../../src/config/json-fault.ts';

const RUNS = 20_000 * (1 + Number(process.env.COXSWAIN_SEEDS ?? 0));

/** What tends to go wrong in a table, and single characters of the grammar. */
const SCRAPS = [
  'NaN',
  '-Infinity',
  '.',
  '-',
  '+',
  'e',
  '0',
  '7',
  ',',
  ',,',
  ':',
  '"',
  '\\',
  '\\u12',
  '\n',
  '{',
  '}',
  '[',
  ']',
  'tru',
  'nul',
  ' ',
  'x',
  'é',
];

test('agrees with the platform wherever that says where a text stops being JSON', () => {
  const seen = { position: 0, token: 0, end: 0 };
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 3 }),
      fc.constantFrom(...SCRAPS),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 3 }),
      (valid, scrap, where, cut) => {
        const at = Math.floor(where * valid.length);
        const text = valid.slice(0, at) + scrap + valid.slice(at + cut);
        let told = '';
        try {
          JSON.parse(text);
          return;
        } catch (thrown) {
          told = String(thrown);
        }
        const offset = faultOffset(text);
        const position = /at position (\d+)/.exec(told)?.[1];
        const token = /Unexpected token '(.+?)', /su.exec(told)?.[1];
        if (position !== undefined) expect({ text, offset }).toEqual({ text, offset: Number(position) });
        else if (token !== undefined) expect({ text, at: text.slice(offset).startsWith(token) }).toEqual({ text, at: true });
        // A single word, such as NaN, is only quoted.
        else if (told.startsWith(`SyntaxError: "${text}"`)) expect({ text, offset }).toEqual({ text, offset: 0 });
        else expect({ text, told, offset }).toEqual({ text, told: 'SyntaxError: Unexpected end of JSON input', offset: text.length });
        seen[position !== undefined ? 'position' : token !== undefined ? 'token' : 'end'] += 1;
      },
    ),
    { numRuns: RUNS },
  );
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(50);
});
