import { describe, expect, it } from 'vitest';
import { type AnswerChooser, type ChooserOptions, createAnswerChoosers } from '../../../../src/models/language/answer-chooser.ts';
import { createTokenizer } from '../../../../src/models/language/tokenizer.ts';
import { byteLevelFiles } from '../../../support/tokenizer-fixture.ts';

const tokenizer = createTokenizer('fixture', byteLevelFiles());
const { vocabulary } = tokenizer;
const choosers = createAnswerChoosers(vocabulary);
const end = vocabulary.eosIds[0] ?? -1;
const greedy = { temperature: 0 };

/** A model that would like to write a text, and its end. */
function wishes(text: string, at: number): Float32Array {
  const logits = Float32Array.from({ length: vocabulary.size }, (_, id) => -10 - (id % 7));
  const ids = [...tokenizer.encode(text, { special: true }), end];
  logits[ids[Math.min(at, ids.length - 1)] ?? end] = 5;
  return logits;
}

/** Chooses until it is over, as the decoder does; what does not end is cut at `tokensMax`. */
function write(
  options: ChooserOptions,
  text: string,
): { readonly text: string; readonly isEnded: boolean; readonly chooser: AnswerChooser } {
  const chooser = choosers.begin(options, []);
  const ids: number[] = [];
  let isEnded = false;
  while (ids.length < options.tokensMax && !isEnded) {
    const { id } = chooser.choose(wishes(text, ids.length));
    isEnded = vocabulary.eosIds.includes(id) || chooser.isOver;
    if (!vocabulary.eosIds.includes(id)) ids.push(id);
  }
  const bytes = Buffer.concat(ids.map((id) => vocabulary.bytesOf(id)));
  return { text: bytes.toString('utf8'), isEnded, chooser };
}

describe('a chooser of an answer', () => {
  it('writes what the model likes best where nothing holds it', () => {
    expect(write({ sampling: greedy, tokensMax: 50 }, 'Turn it up.')).toMatchObject({ text: 'Turn it up.', isEnded: true });
  });

  it('is over with a stop string, without another token', () => {
    const { text, chooser } = write({ sampling: greedy, tokensMax: 50, stop: ['up'] }, 'Turn it up. And more');
    expect(text.startsWith('Turn it up')).toBe(true);
    expect(text).not.toContain('more');
    expect(chooser.isOver).toBe(true);
  });

  it('is over with the last byte that a schema has room for', () => {
    const { text, chooser } = write({ sampling: greedy, tokensMax: 50, constraint: { kind: 'json', schema: { const: [1] } } }, 'whatever');
    expect(text).toBe('[1]');
    expect(chooser.isOver).toBe(true);
  });

  it('ends a valid answer within its tokens, however much the model would like to say', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'array', items: { type: 'string' }, minItems: 1 } },
      required: ['a', 'b'],
    };
    for (let tokensMax = 18; tokensMax < 60; tokensMax += 1) {
      const { text, isEnded } = write(
        { sampling: { seed: tokensMax }, tokensMax, constraint: { kind: 'json', schema } },
        `{"a":"${'x'.repeat(300)}`,
      );
      expect(isEnded, text).toBe(true);
      expect(JSON.parse(text)).toMatchObject({ a: expect.any(String), b: expect.any(Array) });
    }
  });

  it('does not end free text early for want of tokens, and begins no call that it could not finish', () => {
    const constraint = { kind: 'tools', tools: [{ name: 'heat' }] } as const;
    const told = tokenizer.encode('Turn it up', { special: false }).length;
    expect(write({ sampling: greedy, tokensMax: told, constraint }, 'Turn it up and down')).toMatchObject({
      text: 'Turn it up',
      isEnded: false,
    });
    const call = 'Turn it up<tool_call>{"name":"heat","arguments":{}}</tool_call>';
    expect(write({ sampling: greedy, tokensMax: told + 5, constraint }, call).text).not.toContain('<tool_call>');
    expect(write({ sampling: greedy, tokensMax: told + 100, constraint }, call).text).toContain(call);
  });

  it('refuses fewer tokens than the shortest valid answer has', () => {
    expect(() => choosers.begin({ tokensMax: 3, constraint: { kind: 'json', schema: { const: 'long enough' } } }, [])).toThrow(
      /Allow more tokens/u,
    );
  });

  it('holds a tool call to the tool once the model begins one', () => {
    const tools = [
      {
        name: 'heat',
        parameters: { type: 'object', properties: { level: { type: 'integer', minimum: 0, maximum: 3 } }, required: ['level'] },
      },
    ];
    const { text } = write(
      { sampling: greedy, tokensMax: 200, constraint: { kind: 'tools', tools } },
      'Sure. <tool_call>{"name":"heat","arguments":{"level":9}}</tool_call>',
    );
    expect(text).toMatch(/^Sure\. <tool_call>\{"name":"heat","arguments":\{"level":[0-3]\}\}<\/tool_call>/u);
  });

  it('chooses the same after it was warmed up', () => {
    const warm = createAnswerChoosers(vocabulary);
    warm.warmUp();
    const constraint = { kind: 'json', schema: { type: 'string', maxLength: 9 } } as const;
    const ids = (from: typeof warm) => {
      const chooser = from.begin({ sampling: { seed: 3 }, tokensMax: 20, constraint }, []);
      return Array.from({ length: 3 }, () => chooser.choose(wishes('"seat"', 0)).id);
    };
    expect(ids(warm)).toEqual(ids(createAnswerChoosers(vocabulary)));
  });

  it('counts the prompt for the repetition penalty', () => {
    const [a = 0, b = 0] = tokenizer.encode('ab', { special: false });
    const logits = new Float32Array(vocabulary.size).fill(-9);
    logits[a] = 2;
    logits[b] = 1.9;
    const sampling = { temperature: 0, repetitionPenalty: 1.5 };
    expect(choosers.begin({ sampling, tokensMax: 5 }, []).choose(logits).id).toBe(a);
    expect(choosers.begin({ sampling, tokensMax: 5 }, [a]).choose(logits).id).toBe(b);
  });

  it('gives log-probabilities where they are asked for', () => {
    const chooser = choosers.begin({ sampling: { temperature: 0, logprobs: 2 }, tokensMax: 5 }, []);
    const token = chooser.choose(wishes('x', 0));
    expect(token.top).toHaveLength(2);
    expect(token.logprob).toBe(token.top?.[0]?.logprob);
    expect(Object.keys(choosers.begin({ sampling: greedy, tokensMax: 5 }, []).choose(wishes('x', 0)))).toEqual(['id']);
  });

  it('throws when the logits are not finite', () => {
    const logits = wishes('x', 0);
    logits[3] = Number.NaN;
    expect(() => choosers.begin({ tokensMax: 5 }, []).choose(logits)).toThrow(/token 3 is NaN/u);
  });
});
