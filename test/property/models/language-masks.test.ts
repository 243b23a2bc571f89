import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { idsOf } from '../../../src/models/language/allowed-tokens.ts';
import { Automaton, DEAD } from '../../../src/models/language/constraint/automaton.ts';
import { createGrammarBuilder } from '../../../src/models/language/constraint/grammar.ts';
import { schemaRule } from '../../../src/models/language/constraint/schema-grammar.ts';
import { SCHEMA_LIMITS } from '../../../src/models/language/constraint/schema-limits.ts';
import { anyCharacterRule } from '../../../src/models/language/constraint/string-grammar.ts';
import { createTokenMasks } from '../../../src/models/language/constraint/token-masks.ts';
import { utf8Ranges } from '../../../src/models/language/constraint/utf8-ranges.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { byteLevelFiles } from '../../support/tokenizer-fixture.ts';

const { vocabulary } = createTokenizer('fixture', byteLevelFiles());

describe('the mask of a state', () => {
  it('allows exactly the tokens whose bytes the automaton takes one by one, at every place of strings, numbers and names', () => {
    const masks = createTokenMasks(vocabulary);
    const schemas = [
      { type: 'array', items: { type: 'string', minLength: 2, maxLength: 7 } },
      {
        anyOf: [
          { type: 'string', maxLength: 5 },
          { type: 'string', maxLength: 9 },
          { type: 'integer', minimum: 3, maximum: 4711 },
        ],
      },
      { type: 'object', properties: { name: { type: 'string', maxLength: 300 }, on: { type: 'boolean' } }, required: ['name'] },
      { type: 'string', pattern: '^[a-f ]{0,20}"?$' },
    ];
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.nat(), (schema, seed) => {
        const builder = createGrammarBuilder();
        const root = schemaRule(builder, schema, { limits: SCHEMA_LIMITS, spaceMax: 1 });
        const automaton = new Automaton(builder.finish(root, anyCharacterRule(builder)), { heightMax: 32 });
        const states = masks.masksOf(automaton, []);
        const prng = new Prng(seed);
        const follow = (from: number, id: number) =>
          vocabulary.bytesOf(id).reduce((state, byte) => (state === DEAD ? DEAD : automaton.step(state, byte)), from);
        let state = automaton.start;
        for (let count = 0; count < 12; count += 1) {
          const wanted: number[] = [];
          for (let id = 0; id < vocabulary.size; id += 1) {
            const isEnd = vocabulary.eosIds.includes(id) && automaton.isComplete(state);
            if (isEnd || (vocabulary.kindOf(id) === 'text' && follow(state, id) !== DEAD)) wanted.push(id);
          }
          const allowed = [...idsOf(states.allowed(state))];
          expect(allowed).toEqual(wanted);
          const texts = allowed.filter((id) => vocabulary.kindOf(id) === 'text');
          if (texts.length === 0) break;
          state = follow(state, texts[prng.integer(0, texts.length - 1)] ?? 0);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('byte ranges of characters', () => {
  it('hold exactly the UTF-8 of their code points', () => {
    const codePoint = fc.oneof(fc.nat(0x10ffff), fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff));
    fc.assert(
      fc.property(codePoint, codePoint, codePoint, (a, b, probe) => {
        fc.pre(probe < 0xd800 || probe > 0xdfff);
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const bytes = [...new TextEncoder().encode(String.fromCodePoint(probe))];
        const matches = utf8Ranges(low, high).filter(
          (row) =>
            row.length === bytes.length && row.every(([from, to], index) => from <= (bytes[index] ?? -1) && (bytes[index] ?? -1) <= to),
        );
        expect(matches.length).toBe(low <= probe && probe <= high ? 1 : 0);
      }),
      { numRuns: 1000 },
    );
  });
});
