import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { createConstraintCompiler } from '../../../src/models/language/constraint/constraint.ts';
import { SCHEMA_LIMITS } from '../../../src/models/language/constraint/schema-limits.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { randomAnswer } from '../../support/random-answer.ts';
import { byteLevelFiles, sentencePieceFiles } from '../../support/tokenizer-fixture.ts';

const ajv = new Ajv2020({ strict: false, logger: false, ownProperties: true, validateSchema: false });
const LIMITS = { ...SCHEMA_LIMITS, stringCharsDefault: 20, itemsDefault: 4 };
const vocabularies = [
  ['byte-level', createTokenizer('byte-level', byteLevelFiles()).vocabulary],
  ['SentencePiece', createTokenizer('SentencePiece', sentencePieceFiles()).vocabulary],
] as const;

const name = fc.constantFrom('seat', 'level', 'open', 'x y', '打开', '"', 'a\\b', 'constructor');
const number = fc.oneof(fc.integer({ min: -2000, max: 2000 }), fc.constantFrom(0, 0.5, -0.25, 1e-3, 12.75, -99.999, 1e12));
const bounds = (keys: readonly string[], values: fc.Arbitrary<number>) =>
  fc.tuple(values, values, fc.nat(3)).map(([a, b, which]) => ({
    ...(which & 1 ? { [keys[0] ?? '']: Math.min(a, b) } : {}),
    ...(which & 2 ? { [keys[1] ?? '']: Math.max(a, b) + 1 } : {}),
  }));
const json = fc.jsonValue({ maxDepth: 2, noUnicodeString: false });

const leaf: fc.Arbitrary<object> = fc.oneof(
  fc.constant({ type: 'null' }),
  fc.constant({ type: 'boolean' }),
  bounds(['minimum', 'maximum'], number.map(Math.round)).map((range) => ({ type: 'integer', ...range })),
  bounds(['exclusiveMinimum', 'exclusiveMaximum'], number).map((range) => ({ type: 'number', ...range })),
  bounds(['minimum', 'maximum'], number).map((range) => ({ type: ['number', 'null'], ...range })),
  bounds(['minLength', 'maxLength'], fc.nat(12)).map((range) => ({ type: 'string', ...range })),
  fc
    .constantFrom('^[a-z]{2,5}$', '\\d+', '^(?:on|off|打开)$', '^[^"\\\\]{1,4}\\.$', '[äöü]?x*', '^\\w+@\\w+\\.de$', '^\\s*\\u4e2d$')
    .map((pattern) => ({ type: 'string', pattern })),
  fc.array(json, { minLength: 1, maxLength: 5 }).map((values) => ({ enum: values })),
  json.map((value) => ({ const: value })),
  fc.constantFrom({ type: 'integer', minimum: 0, maximum: 100, multipleOf: 5 }, {}, { description: 'anything' }),
);

const { schema } = fc.letrec<{ schema: object }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    fc.tuple(fc.dictionary(name, tie('schema'), { maxKeys: 5 }), fc.uniqueArray(name, { maxLength: 3 })).map(([properties, required]) => ({
      type: 'object',
      properties,
      required: required.filter((key) => Object.hasOwn(properties, key)),
      additionalProperties: false,
    })),
    fc.tuple(tie('schema'), bounds(['minItems', 'maxItems'], fc.nat(4))).map(([items, range]) => ({ type: 'array', items, ...range })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    fc
      .array(tie('schema'), { minLength: 1, maxLength: 3 })
      .map((prefixItems) => ({ type: 'array', prefixItems, items: false, minItems: 1 })),
    tie('schema').map((value) => ({ type: 'object', additionalProperties: value, minProperties: 1 })),
  ),
}));

const RECURSIVE = [
  { type: 'object', properties: { value: { type: 'integer' }, next: { $ref: '#' } }, required: ['value'], additionalProperties: false },
  {
    $defs: {
      tree: {
        type: 'object',
        properties: {
          left: { anyOf: [{ $ref: '#/$defs/tree' }, { type: 'null' }] },
          children: { type: 'array', items: { $ref: '#/$defs/tree' } },
        },
        required: ['left', 'children'],
        additionalProperties: false,
      },
    },
    $ref: '#/$defs/tree',
  },
  {},
];

const RUNS = 20 * Number(process.env.COXSWAIN_SEEDS ?? 1);

describe.each(vocabularies)('an answer of random tokens of a %s vocabulary that a schema allows', (_, vocabulary) => {
  const compiler = createConstraintCompiler(vocabulary, LIMITS);
  const check = (wanted: object, seed: number, tokensMax: number, spaceMax: 0 | 1) => {
    const constraint = compiler.begin({ kind: 'json', schema: wanted, spaceMax });
    const needed = constraint.tokensToEnd;
    const answer = randomAnswer(constraint, vocabulary, new Prng(seed), Math.max(tokensMax, needed));
    expect(answer.isEnded, answer.text).toBe(true);
    const value: unknown = JSON.parse(answer.text);
    const isValid = ajv.validate(wanted, value);
    expect(isValid, `${answer.text} ${JSON.stringify(ajv.errors)}`).toBe(true);
    return answer;
  };

  it('is JSON that a validator accepts, and ends within its tokens', () => {
    fc.assert(
      fc.property(
        schema,
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom<(0 | 1)[]>(0, 1),
        (wanted, seed, tokensMax, spaceMax) => {
          check(wanted, seed, tokensMax, spaceMax);
        },
      ),
      { numRuns: RUNS * 3 },
    );
  });

  it('ends also where the schema speaks of itself', () => {
    for (const wanted of RECURSIVE) for (let seed = 0; seed < RUNS / 3; seed += 1) check(wanted, seed, 400, 0);
  });

  it('has no white space outside of strings unless it may', () => {
    const wanted = {
      type: 'object',
      properties: { a: { type: 'array', items: { type: 'integer' } }, b: { type: 'null' } },
      required: ['a', 'b'],
    };
    for (let seed = 0; seed < 20; seed += 1) {
      expect(check(wanted, seed, 100, 0).text).not.toMatch(/\s/u);
      expect(check(wanted, seed, 100, 1).text).not.toMatch(/\s\s|\n/u);
    }
  });
});
