import { describe, expect, it } from 'vitest';
import { printConfig } from '../../../src/config/print-config.ts';
import type { RuntimeConfig } from '../../../src/config/runtime-config.ts';
import * as fixture from '../../support/config-files.ts';

const talker = (id: string): string =>
  `  ${id}: { kind: language, layers: 32, hidden: 4096, heads: 32, kvHeads: 8, intermediate: 14336, vocabulary: 128256, bits: 4.5, context: 2048, source: a page, costMs: 20, memoryMb: 4600 }\n`;
const MANIFEST = `${fixture.MANIFEST}shapes:\n${talker('talker')}${talker('whisperer')}`;
const TALK = '{ kind: turns, perMinute: 6, promptTokens: [60, 600], answerTokens: [20, 300] }';
const CHAT = '{ source: talk, model: talker, criticality: interactive, deadlineMs: 1500 }';
const CONFIG = `${fixture.CONFIG.replace('sources:\n', `sources:\n  talk: ${TALK}\n`)}  chat: ${CHAT}\n`;

const edited = (from: string, to: string): string => fixture.edited(from, to, CONFIG);
const load = (config = CONFIG): RuntimeConfig => fixture.load({ config, manifest: MANIFEST });
const refusal = (config: string): string => fixture.refusals({ config, manifest: MANIFEST }).join('\n');
const chatOf = (config = CONFIG) => load(config).pipelines.find(({ id }) => id === 'chat');
const withScheduler = (text: string, config = CONFIG): string => `${config}scheduler: ${text}\n`;

describe('a source of turns', () => {
  it('has a rate, and lengths from one to another', () => {
    expect(load().sources[0]).toEqual({
      ...{ id: 'talk', kind: 'turns', medium: 'turn', perMinute: 6, periodUs: 10_000_000, arrivals: 'poisson' },
      ...{ promptTokens: { from: 60, to: 600 }, answerTokens: { from: 20, to: 300 }, followUpRatio: 0, turnsMax: undefined },
    });
    expect(load(edited('perMinute: 6', 'perMinute: 0.7, arrivals: periodic, turnsMax: 3')).sources[0]).toMatchObject({
      ...{ periodUs: 85_714_286, arrivals: 'periodic', turnsMax: 3 },
    });
  });

  it.each([
    ['perMinute: 0', /talk\.perMinute: got 0; allowed is a number from 0.01 to 6000/],
    ['perMinute: 6, arrivals: sometimes', /talk\.arrivals: got "sometimes"; allowed is one of poisson, periodic/],
    ['perMinute: 6, followUpRatio: 1.1', /talk\.followUpRatio: got 1.1/],
    ['perMinute: 6, turnsMax: 0', /talk\.turnsMax: got 0/],
    ['perMinute: 6, fps: 3', /talk\.fps: unknown key/],
  ])('is refused with %s', (text, expected) => {
    expect(refusal(edited('perMinute: 6', text))).toMatch(expected);
  });

  it.each(['[600, 60]', '[0, 60]', '[60]', '[60, 600, 700]', '[1.5, 60]', '60', '[a, b]', '[1, 1e12]'])(
    'is refused with prompts of %s tokens',
    (range) => {
      expect(refusal(edited('[60, 600]', range))).toMatch(
        /talk\.promptTokens.*allowed is (a list of )?two whole numbers from 1 to 10000000, the first not above the second/,
      );
    },
  );
});

describe('a pipeline that answers', () => {
  it('has a queue, a contract with its listener, and an end to its answers', () => {
    expect(chatOf()).toMatchObject({
      stream: { periodUs: 10_000_000, deadlineUs: 1_500_000, freshness: { kind: 'queue', jobsMax: 4 }, isStateful: false, tokens: {} },
      answer: { tokensMax: 256, breaksIn: false },
    });
    const slow = edited(
      'deadlineMs: 1500',
      'deadlineMs: 1500, answer: { tokensMax: 99, tokensPerSecondMax: 15, tokenMs: 70, breakIn: true }',
    );
    expect(chatOf(slow)).toMatchObject({
      stream: { tokens: { perSecondMax: 15, everyUs: 70_000 } },
      answer: { tokensMax: 99, breaksIn: true },
    });
    const others = load().pipelines.filter(({ id }) => id !== 'chat');
    expect(others.filter(({ answer, stream }) => answer !== undefined || stream.tokens !== undefined)).toEqual([]);
  });

  it('stays on one core when its conversations go on, and then has no variants', () => {
    const going = edited('perMinute: 6', 'perMinute: 6, followUpRatio: 0.5');
    expect(chatOf(going)?.stream.isStateful).toBe(true);
    expect(chatOf(edited('model: talker', 'model: talker, variants: [whisperer]'))?.variants).toEqual(['whisperer']);
    expect(refusal(fixture.edited('model: talker', 'model: talker, variants: [whisperer]', going))).toMatch(
      /chat\.variants\[0\]: got "whisperer"; a conversation that goes on is in the cache of one model; leave variants or followUpRatio out/,
    );
  });

  it.each([
    ['model: talker', 'model: finder', /chat\.model: .*finder/],
    ['source: talk', 'source: front', /chat.*talker/],
    ['model: finder', 'model: finder, answer: {}', /boxes\.answer: only turns are answered, and this source gives none; leave it out/],
    ['deadlineMs: 1500', 'deadlineMs: 1500, answer: { tokensMax: 0 }', /chat\.answer\.tokensMax: got 0/],
    ['deadlineMs: 1500', 'deadlineMs: 1500, answer: { tokens: 9 }', /chat\.answer\.tokens: unknown key/],
    [
      'deadlineMs: 1500',
      'deadlineMs: 1500, answer: { tokensMax: 1449 }',
      /chat\.answer\.tokensMax: a prompt of 600 tokens and an answer of 1449 do not fit into the 2048 tokens of talker; allowed are 1448 at most/,
    ],
    ['source: { pipeline: boxes, itemsMax: 4 }', 'source: { pipeline: chat }', /texts\.source.*got "chat", which takes turns/],
  ])('is refused with %s instead of %s', (from, to, expected) => {
    expect(refusal(edited(from, to))).toMatch(expected);
  });

  it.each([
    ['[60, 20000]', /chat\.model: prompts of up to 20000 tokens are longer than the 2048 tokens that talker knows, .*give shorter prompts/],
    ['[60, 2048]', /chat\.model: prompts of up to 2048 tokens fill the 2048 tokens that talker knows/],
  ])('is refused with prompts of %s tokens, which leave none for an answer', (range, expected) => {
    const refused = refusal(edited('[60, 600]', range));
    expect(refused).toMatch(expected);
    expect(refused).not.toContain('allowed are -');
  });

  it('may fill the context to the last token', () => {
    expect(chatOf(edited('deadlineMs: 1500', 'deadlineMs: 1500, answer: { tokensMax: 1448 }'))?.answer?.tokensMax).toBe(1448);
  });
});

describe('servers', () => {
  it('reserve time for pipelines by name', () => {
    const { scheduler } = load(withScheduler('{ servers: { voice: { pipelines: [chat, speech], budgetMs: 4.5, periodMs: 20 } } }'));
    expect(scheduler.servers).toEqual([{ id: 'voice', streams: ['chat', 'speech'], budgetUs: 4_500, periodUs: 20_000 }]);
    expect(load(withScheduler('{ tuning: { resume: unless-late } }')).scheduler).toEqual({
      ...{ policy: 'coxswain', tuning: { resume: 'unless-late' }, cuts: 'auto' },
    });
  });

  it.each([
    [
      '{ servers: { v: { pipelines: [chat], budgetMs: 21, periodMs: 20 } } }',
      /servers\.v\.budgetMs: got 21; allowed is periodMs \(20\) or less/,
    ],
    ['{ servers: { v: { pipelines: [], budgetMs: 1, periodMs: 20 } } }', /servers\.v\.pipelines: .*allowed is a list of 1 to 64/],
    ['{ servers: { v: { pipelines: [cat], budgetMs: 1, periodMs: 20 } } }', /servers\.v\.pipelines\[0\]: got "cat", which is no pipeline/],
    ['{ servers: { v: { pipelines: [boxes], budgetMs: 1, periodMs: 20 } } }', /got "boxes", which is safety and goes before all servers/],
    [
      '{ servers: { v: { pipelines: [chat, texts], budgetMs: 1, periodMs: 20 } } }',
      /got "texts", which is background; the first is interactive/,
    ],
    [
      '{ servers: { v: { pipelines: [chat], budgetMs: 1, periodMs: 20 }, w: { pipelines: [chat], budgetMs: 1, periodMs: 20 } } }',
      /servers\.w\.pipelines\[0\]: got "chat", which server v has already/,
    ],
    [
      '{ servers: { v: { pipelines: [chat, chat], budgetMs: 1, periodMs: 20 } } }',
      /pipelines\[1\]: got "chat", which server v has already/,
    ],
    [
      '{ policy: edf, servers: { v: { pipelines: [chat], budgetMs: 1, periodMs: 20 } } }',
      /scheduler\.servers: only policy coxswain with victim: turns keeps servers, and the policy is edf; leave them out/,
    ],
    [
      '{ tuning: { victim: value }, servers: { v: { pipelines: [chat], budgetMs: 1, periodMs: 20 } } }',
      /scheduler\.servers: only policy coxswain with victim: turns keeps servers, and the policy is coxswain with victim: value/,
    ],
    ['{ tuning: { resume: never } }', /scheduler\.tuning\.resume: got "never"; allowed is one of always, fair, unless-late/],
  ])('are refused as %s', (text, expected) => {
    expect(refusal(withScheduler(text))).toMatch(expected);
  });

  it('say nothing of a pipeline that has a problem of its own', () => {
    const broken = withScheduler(
      '{ servers: { v: { pipelines: [chat], budgetMs: 1, periodMs: 20 } } }',
      edited('model: talker', 'model: talkre'),
    );
    expect(refusal(broken)).toMatch(/^[^\n]*chat\.model: [^\n]*talkre[^\n]*$/);
  });
});

it('is printed as what loads to the same configuration again', () => {
  const config = withScheduler(
    '{ tuning: { resume: unless-late }, servers: { voice: { pipelines: [chat], budgetMs: 4.5, periodMs: 20 } } }',
    edited('deadlineMs: 1500', 'deadlineMs: 1500, answer: { tokensPerSecondMax: 15, tokenMs: 70, breakIn: true }').replace(
      'perMinute: 6',
      'perMinute: 7, followUpRatio: 0.5, turnsMax: 9',
    ),
  );
  const { origin: _before, ...first } = load(config);
  const { origin: _after, ...second } = load(printConfig(load(config)));
  expect(second).toEqual(first);
  expect(printConfig(load(config))).not.toMatch(/Us:|undefined|null/);
});
