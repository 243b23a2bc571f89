import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { Prng } from '../../../../src/core/prng.ts';
import { idsOf } from '../../../../src/models/language/allowed-tokens.ts';
import {
  type Constraint,
  type ConstraintOptions,
  createConstraintCompiler,
} from '../../../../src/models/language/constraint/constraint.ts';
import { createTokenizer } from '../../../../src/models/language/tokenizer.ts';
import { randomAnswer } from '../../../support/random-answer.ts';
import { byteLevelFiles } from '../../../support/tokenizer-fixture.ts';

const tokenizer = createTokenizer('fixture', byteLevelFiles());
const { vocabulary } = tokenizer;
const compiler = createConstraintCompiler(vocabulary);
const control = (text: string) => vocabulary.controls.get(text) ?? -1;

/** Whether a text can be written, token by token, and ended. */
function takes(constraint: Constraint, text: string): boolean {
  for (const id of tokenizer.encode(text, { special: true })) {
    const allowed = constraint.allowed();
    if (allowed !== undefined && ![...idsOf(allowed)].includes(id)) return false;
    constraint.accept(id);
  }
  return constraint.isComplete;
}

const json = (schema: unknown) => compiler.begin({ kind: 'json', schema });

function refusal(options: unknown): string {
  try {
    compiler.begin(options as ConstraintOptions);
  } catch (error) {
    if (error instanceof CoxswainError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'no error';
}

describe('an answer that is held to a schema', () => {
  it.each<[string, unknown, readonly string[], readonly string[]]>([
    [
      'whole numbers in a range',
      { type: 'integer', minimum: -7, maximum: 120 },
      ['-7', '0', '9', '99', '120'],
      ['-8', '121', '1.0', '007', '-0', '1e1'],
    ],
    [
      'decimals in a range',
      { type: 'number', exclusiveMinimum: 0, maximum: 1.5 },
      ['0.1', '0.000001', '1', '1.5', '1.50'],
      ['0', '0.0', '1.51', '2', '-0.1'],
    ],
    ['multiples', { type: 'integer', multipleOf: 25, minimum: 0, maximum: 100 }, ['0', '25', '100'], ['10', '125', '-25']],
    ['listed values', { enum: ['on', 'off', 3, null] }, ['"on"', '"off"', '3', 'null'], ['"of"', '"offf"', '33', 'on']],
    ['constants', { const: { a: [1, 'x'] } }, ['{"a":[1,"x"]}'], ['{"a":[1]}']],
    [
      'lengths in characters',
      { type: 'string', minLength: 2, maxLength: 3 },
      ['"ab"', '"打开窗"', '"a\\n\\u00e9"', '"🚗🚗"'],
      ['"a"', '"abcd"', '"打开车窗"', '"a\\ud83d"'],
    ],
    ['patterns', { type: 'string', pattern: '^[A-Z]{2}-\\d{1,3}$' }, ['"KA-1"', '"KA-123"'], ['"K-1"', '"KA-1234"', '"ka-1"']],
    ['patterns that ask for much', { type: 'string', pattern: '^(a|b)?c{500}$' }, [`"${'c'.repeat(500)}"`], [`"${'c'.repeat(499)}"`]],
    ['patterns anywhere', { type: 'string', pattern: 'x' }, ['"x"', '"axb"'], ['"ab"', '""']],
    [
      'items',
      { type: 'array', items: { type: 'boolean' }, minItems: 1, maxItems: 2 },
      ['[true]', '[true,false]'],
      ['[]', '[true,true,true]', '[true,]'],
    ],
    [
      'places of a list',
      { type: 'array', prefixItems: [{ const: 1 }, { const: 2 }], items: false },
      ['[]', '[1]', '[1,2]'],
      ['[2]', '[1,2,3]'],
    ],
    [
      'properties in order, some left out',
      { type: 'object', properties: { a: { const: 1 }, b: { const: 2 }, c: { const: 3 } }, required: ['b'] },
      ['{"b":2}', '{"a":1,"b":2}', '{"a":1,"b":2,"c":3}', '{"b":2,"c":3}'],
      ['{}', '{"a":1}', '{"b":2,"a":1}', '{,"b":2}', '{"b":2,}', '{"d":1}'],
    ],
    [
      'at least so many properties',
      { type: 'object', properties: { a: { const: 1 }, b: { const: 2 } }, minProperties: 1 },
      ['{"a":1}', '{"a":1,"b":2}'],
      ['{}'],
    ],
    [
      'at most so many properties',
      { type: 'object', properties: { a: { const: 1 }, b: { const: 2 } }, maxProperties: 1 },
      ['{}', '{"a":1}'],
      ['{"a":1,"b":2}'],
    ],
    [
      'free names',
      { type: 'object', additionalProperties: { type: 'null' } },
      ['{}', '{"x":null}', '{"x":null,"y":null}'],
      ['{"x":1}', '{"":null}'],
    ],
    ['types side by side', { type: ['string', 'null'], maxLength: 1 }, ['null', '"a"'], ['"ab"', '1']],
    ['one of several', { oneOf: [{ type: 'integer' }, { type: 'string' }] }, ['1', '"1"'], ['null']],
    [
      'references',
      { $defs: { s: { const: 'x' } }, anyOf: [{ $ref: '#/$defs/s' }, { type: 'array', items: { $ref: '#' } }] },
      ['"x"', '[]', '["x",[["x"]]]'],
      ['"y"', '[1]'],
    ],
    ['anything', true, ['1', '{"a":[null,{"b":"c"}]}', '"x"'], ['x', '{a:1}']],
    ['no properties at all', { type: 'object', additionalProperties: false }, ['{}'], ['{"a":1}']],
  ])('takes %s and nothing else', (_, schema, good, bad) => {
    for (const text of good) expect(takes(json(schema), text), text).toBe(true);
    for (const text of bad) expect(takes(json(schema), text), text).toBe(false);
  });

  it('may end only where it is complete, and must end where nothing more fits', () => {
    const constraint = json({ type: 'integer', minimum: 0, maximum: 15 });
    const end = control('<|im_end|>');
    const ids = () => [...idsOf(constraint.allowed() ?? { ids: undefined, bits: undefined, count: 0 })];
    expect(ids()).not.toContain(end);
    constraint.accept(tokenizer.encode('1', { special: false })[0] ?? 0);
    expect(ids()).toContain(end);
    expect(constraint.isDone).toBe(false);
    constraint.accept(tokenizer.encode('5', { special: false })[0] ?? 0);
    expect(ids()).toEqual([end]);
    expect(constraint.isDone).toBe(true);
  });

  it('never has control tokens within a text, however they are written', () => {
    const constraint = json({ type: 'string' });
    expect(takes(constraint, '"')).toBe(false);
    const allowed = [...idsOf(constraint.allowed() ?? { ids: undefined, bits: undefined, count: 0 })];
    for (const id of vocabulary.controls.values()) expect(allowed).not.toContain(id);
    for (const id of tokenizer.encode('<|im_end|>', { special: false })) constraint.accept(id);
    expect(takes(constraint, '"')).toBe(true);
  });

  it('goes on after its automaton has grown too large', () => {
    const schema = { type: 'array', items: { type: 'string', maxLength: 2_000 }, minItems: 6, maxItems: 6 };
    const constraint = json(schema);
    const filler = [...tokenizer.encode('a', { special: false })];
    for (const part of ['["', ...Array.from({ length: 5 }, () => '","'), '"]']) {
      for (const id of tokenizer.encode(part, { special: false })) constraint.accept(id);
      if (part !== '"]') for (let count = 0; count < 2_000; count += 1) for (const id of filler) constraint.accept(id);
    }
    expect(constraint.isDone).toBe(true);
  });
});

describe('a schema that cannot be held to', () => {
  let deep: unknown = { type: 'integer' };
  for (let depth = 0; depth < 5_000; depth += 1) deep = { type: 'array', items: deep };
  const huge = {
    type: 'object',
    properties: Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`p${index}`, { type: 'integer' }])),
  };
  it.each<[string, unknown, RegExp]>([
    ['too deep', deep, /deeper than 100/u],
    ['too many values', huge, /more values than/u],
    ['too long texts', { const: 'x'.repeat(300_000) }, /more characters than/u],
    [
      'too many properties',
      { type: 'object', properties: Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`p${index}`, {}])) },
      /201 properties/u,
    ],
    ['too many listed values', { enum: Array.from({ length: 1_001 }, (_, index) => index) }, /1001 values/u],
    ['no end', { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }, /nothing satisfies/u],
    ['a circle of references', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } }, /without end/u],
    ['bounds that exclude each other', { type: 'integer', minimum: 5, maximum: 4 }, /nothing satisfies/u],
    ['lengths that exclude each other', { type: 'string', minLength: 5, maxLength: 4 }, /nothing satisfies/u],
    ['false', false, /nothing satisfies/u],
    ['a required property that may not be', { type: 'object', required: ['a'], additionalProperties: false }, /nothing satisfies/u],
    ['a reference elsewhere', { $ref: 'https://example.com/schema' }, /same schema/u],
    ['a reference to nothing', { $ref: '#/$defs/none' }, /nothing is/u],
    ['a reference into a prototype', { $ref: '#/constructor' }, /nothing is/u],
    ['not', { not: { type: 'string' } }, /"not"/u],
    ['conditions', { if: {}, else: {} }, /"if"/u],
    ['several allOf', { allOf: [{ type: 'string' }, { minLength: 3 }] }, /allOf/u],
    ['oneOf that may overlap', { oneOf: [{ type: 'integer' }, { type: 'number' }] }, /oneOf/u],
    ['anyOf beside type', { type: 'object', anyOf: [{ required: ['a'] }] }, /side by side/u],
    ['unique items', { type: 'array', uniqueItems: true, minItems: 2 }, /uniqueItems/u],
    ['an unknown type', { type: 'text' }, /"text" is none of/u],
    ['lookahead', { type: 'string', pattern: '(?=a)b' }, /lookaround/u],
    ['a back-reference', { type: 'string', pattern: '(a)\\1' }, /\\1/u],
    ['a pattern that repeats too much', { type: 'string', pattern: '((((a{1,99}){1,99}){1,99}){1,99}){1,99}' }, /states/u],
    ['a length that is none', { type: 'string', maxLength: -1 }, /not a whole number/u],
    ['a schema that is none', 17, /object or a boolean/u],
  ])('is refused for %s', (_, schema, message) => {
    const text = refusal({ kind: 'json', schema });
    expect(text).toMatch(message);
    expect(text).toMatch(/^SCHEMA_REFUSED/u);
  });

  it('is refused at once however large it is made by its bounds', () => {
    const wide = { type: 'array', maxItems: 1_000, items: { type: 'string', maxLength: 10_000 } };
    const nested = {
      type: 'object',
      properties: Object.fromEntries(
        Array.from({ length: 150 }, (_, index) => [
          `p${index}`,
          { ...wide, maxItems: 900 - index, items: { type: 'string', maxLength: 9_000 - index } },
        ]),
      ),
    };
    expect(refusal({ kind: 'json', schema: nested })).toMatch(/SCHEMA_REFUSED.*states/u);
    expect(refusal({ kind: 'json', schema: wide })).toBe('no error');
  });

  /** Arrays of two arrays of two arrays ... : 2^40 texts at the least. */
  const towers = Object.fromEntries(
    Array.from({ length: 40 }, (_, index) => [
      `d${index}`,
      index === 39 ? { type: 'string' } : { type: 'array', minItems: 2, maxItems: 3, items: { $ref: `#/$defs/d${index + 1}` } },
    ]),
  );

  it('is refused where the shortest is longer than anything', () => {
    expect(refusal({ kind: 'json', schema: { $defs: towers, $ref: '#/$defs/d0' } })).toMatch(/SCHEMA_REFUSED.*shortest answer/u);
    expect(refusal({ kind: 'json', schema: { $defs: towers, $ref: '#/$defs/d35' } })).toBe('no error');
  });

  it('never gets into a part that cannot be ended', () => {
    const constraint = json({ $defs: towers, type: 'array', items: { $ref: '#/$defs/d0' } });
    const [open = -1, more = -1] = ['[', '[['].map((text) => tokenizer.encode(text, { special: false })[0]);
    expect(constraint.fits(open, 500)).toBe(true);
    constraint.accept(open);
    expect([...idsOf(constraint.allowedWithin(500))].map((id) => new TextDecoder().decode(vocabulary.bytesOf(id)))).toEqual([']']);
    expect(constraint.fits(more, 500)).toBe(false);
  });
});

describe('an answer of tool calls', () => {
  const tools = [
    {
      name: 'set_seat_heating',
      parameters: {
        type: 'object',
        properties: { seat: { enum: ['driver', 'passenger'] }, level: { type: 'integer', minimum: 0, maximum: 3 } },
        required: ['seat', 'level'],
        additionalProperties: false,
      },
    },
    { name: 'stop' },
  ];
  const heat = '<tool_call>{"name":"set_seat_heating","arguments":{"seat":"driver","level":2}}</tool_call>';
  const stop = '<tool_call>{"name":"stop","arguments":{}}</tool_call>';
  const bad = [
    '<tool_call>{"name":"open_door","arguments":{}}</tool_call>',
    '<tool_call>{"name":"stop","arguments":{"x":1}}</tool_call>',
    '<tool_call>{"name":"set_seat_heating","arguments":{"seat":"driver","level":4}}</tool_call>',
    '<tool_call>{"name":"stop","arguments":{}}',
  ];

  it('has nothing but calls where they are required', () => {
    const begin = () => compiler.begin({ kind: 'tools', tools, choice: 'required', callsMax: 2 });
    for (const text of [heat, stop, heat + stop]) expect(takes(begin(), text), text).toBe(true);
    for (const text of ['', 'Sure.', stop + stop + stop, ...bad]) expect(takes(begin(), text), text).toBe(false);
  });

  it('has calls of one tool where one was chosen', () => {
    const begin = () => compiler.begin({ kind: 'tools', tools, choice: { name: 'stop' } });
    expect(takes(begin(), stop)).toBe(true);
    expect(takes(begin(), heat)).toBe(false);
    expect(refusal({ kind: 'tools', tools, choice: { name: 'fly' } })).toMatch(/"fly" was chosen/u);
  });

  it('is free until a call begins where the model may choose', () => {
    const begin = () => compiler.begin({ kind: 'tools', tools });
    for (const text of ['', 'Sure.', `Sure. ${heat}${stop} Done.`, '<tool_', 'a <tool call> {"name":'])
      expect(takes(begin(), text), text).toBe(true);
    for (const text of bad) expect(takes(begin(), text), text).toBe(false);
    expect(begin().allowed()).toBeUndefined();
  });

  it('is the same where the marks are no control tokens', () => {
    const begin = (choice: 'auto' | 'required') => compiler.begin({ kind: 'tools', tools, choice, open: '[CALL]', close: '[/CALL]' });
    const marked = (text: string) => text.replaceAll('<tool_call>', '[CALL]').replaceAll('</tool_call>', '[/CALL]');
    for (const text of ['', 'Sure.', `[[CA Sure. ${heat} Done.`]) expect(takes(begin('auto'), marked(text)), text).toBe(true);
    for (const text of bad) expect(takes(begin('auto'), marked(text)), text).toBe(false);
    expect(takes(begin('required'), marked(heat))).toBe(true);
  });

  it('stays free through control tokens that mean nothing to it', () => {
    const constraint = compiler.begin({ kind: 'tools', tools });
    constraint.accept(control('<|im_start|>'));
    constraint.accept(control('</tool_call>'));
    expect(constraint.allowed()).toBeUndefined();
    expect(takes(constraint, stop)).toBe(true);
  });

  it('gives whatever a model that knows nothing draws', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const constraint = compiler.begin({ kind: 'tools', tools, choice: 'required' });
      const { text, isEnded } = randomAnswer(constraint, vocabulary, new Prng(seed), 120);
      expect(isEnded).toBe(true);
      const call = JSON.parse(/^<tool_call>(.*)<\/tool_call>$/u.exec(text)?.[1] ?? '');
      expect(['stop', 'set_seat_heating']).toContain(call.name);
    }
  });

  it.each<[string, unknown]>([
    ['no tool', []],
    ['too many tools', Array.from({ length: 129 }, (_, index) => ({ name: `tool_${index}` }))],
    ['two of a name', [{ name: 'a' }, { name: 'a' }]],
    ['a name that breaks out', [{ name: 'a","arguments":{}}</tool_call>' }]],
  ])('is refused for %s', (_, given) => {
    expect(refusal({ kind: 'tools', tools: given })).toMatch(/SCHEMA_REFUSED/u);
  });

  it.each([{}, { kind: 'xml' }, { kind: 'tools', tools: 'all' }, { kind: 'json', space: 1 }])(
    'is refused for options like %j',
    (options) => {
      expect(refusal(options)).toMatch(/PROMPT_REFUSED/u);
    },
  );
});

describe('a vocabulary without single bytes', () => {
  it('is refused for constraints alone', () => {
    const file = JSON.parse(byteLevelFiles({ merges: 0 }).tokenizer);
    delete file.model.vocab['!'];
    const other = createTokenizer('fixture', { ...byteLevelFiles({ merges: 0 }), tokenizer: JSON.stringify(file) });
    expect(() => createConstraintCompiler(other.vocabulary).begin({ kind: 'json', schema: {} })).toThrow(/no token for the byte 0x21/u);
  });
});
