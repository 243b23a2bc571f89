import { beforeEach, describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { DecoderEngine, type DecoderEngineOptions, type TurnRequest } from '../../../../src/models/language/decoder-engine.ts';
import { cacheBytesPerToken, type DecoderFacts } from '../../../../src/models/language/decoder-facts.ts';
import type { DecoderTurn } from '../../../../src/models/language/decoder-turn.ts';
import { greedyChooser } from '../../../../src/models/language/token-chooser.ts';
import { FAKE_VOCABULARY, FakeDecoderSession, fakeAnswer, fakeFacts } from '../../../support/fake-decoder.ts';

/** Prompts whose answers do not end within the first tokens, so that lengths are those asked for. */
const prompt = (seed: number, length = 20): number[] => {
  for (let shift = 0; ; shift += 1) {
    const tokens = Array.from({ length }, (_, index) => (seed * 31 + (index + shift) * (7 + seed)) % FAKE_VOCABULARY);
    if (fakeAnswer(tokens, 30).length === 30) return tokens;
  }
};

let facts: DecoderFacts;
let session: FakeDecoderSession;
beforeEach(() => {
  facts = fakeFacts();
  session = new FakeDecoderSession(facts);
});

const engineOf = (options: Partial<DecoderEngineOptions> = {}): DecoderEngine =>
  new DecoderEngine(session, facts, { chunkTokens: 8, cacheBytesMax: 2 ** 30, textsMax: 100, ...options });

const request = (conversation: string, tokens: readonly number[], tokensMax: number, rest: Partial<TurnRequest> = {}): TurnRequest => ({
  conversation,
  tokens,
  tokensMax,
  chooser: greedyChooser,
  ...rest,
});

/** Runs a turn to its end, `steps` at a time. */
function finish(turn: DecoderTurn, steps = 1000): number[] {
  const answer: number[] = [];
  while (turn.finish === undefined) turn.run(steps, { isYieldWanted: () => false, onToken: ({ id }) => answer.push(id) });
  return answer;
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return thrown.code;
    throw thrown;
  }
  return 'nothing was thrown';
}

const answerOf = (tokens: readonly number[], count: number): number[] => fakeAnswer(tokens, count);

describe('an answer', () => {
  for (const cacheKind of ['in-place', 'appended'] as const)
    for (const options of [{}, { takesPositions: true, keepsLogits: true }, { cacheType: 'float16', logitsType: 'float16' }] as const)
      it(`is the same however the prompt is cut (${cacheKind} ${JSON.stringify(options)})`, () => {
        facts = fakeFacts({ cacheKind, ...options });
        const tokens = prompt(1, 19);
        for (const chunkTokens of [1, 5, 19, 20, 96]) {
          session = new FakeDecoderSession(facts);
          expect(finish(engineOf({ chunkTokens }).begin(request('a', tokens, 12)))).toEqual(answerOf(tokens, 12));
        }
      });

  it('takes a step for each chunk and for each token but the first', () => {
    const turn = engineOf().begin(request('a', prompt(1, 20), 5));
    let steps = 0;
    while (turn.finish === undefined) steps += turn.run(1, { isYieldWanted: () => false, onToken: () => undefined }).steps;
    expect(steps).toBe(3 + 4);
    expect(session.runs).toEqual([8, 8, 4, 1, 1, 1, 1]);
  });

  it('ends where the model ends it, without telling the token that does', () => {
    const tokens = prompt(1);
    const answer = answerOf(tokens, 9);
    const turn = engineOf().begin(request('a', tokens, 30, { stopIds: [answer[8] ?? 0] }));
    expect(finish(turn)).toEqual(answer.slice(0, answer.indexOf(answer[8] ?? 0)));
    expect(turn.finish).toBe('stop');
  });

  it('ends at its length, and at the end of the context', () => {
    const short = engineOf().begin(request('a', prompt(1), 1));
    expect(finish(short)).toHaveLength(1);
    const turn = engineOf().begin(request('b', prompt(1, 90), 30));
    expect(turn.tokensMax).toBe(6);
    expect(finish(turn)).toEqual(answerOf(prompt(1, 90), 6));
    expect(turn.finish).toBe('length');
  });

  it('ends with the token after which its chooser says that it is over', () => {
    const tokens = prompt(1);
    let count = 0;
    const turn = engineOf().begin(
      request('a', tokens, 30, {
        chooser: (tokensMax) => ({
          choose: (logits) => {
            count += 1;
            return greedyChooser.choose(logits);
          },
          get isOver() {
            return count === tokensMax - 26;
          },
        }),
      }),
    );
    expect(finish(turn)).toEqual(answerOf(tokens, 4));
    expect(turn.finish).toBe('stop');
  });

  it('is refused when there are fewer steps for it than it takes, so that none is cut short unasked', () => {
    const tokens = prompt(1, 20);
    const engine = engineOf();
    expect(codeOf(() => engine.begin(request('a', tokens, 10, { stepsMax: 11 })))).toBe('TURN_FAILED');
    expect(finish(engine.begin(request('a', tokens, 10, { stepsMax: 12 })))).toEqual(answerOf(tokens, 10));
    expect(finish(engine.begin(request('a', tokens, 10, { stepsMax: 10 })))).toEqual(answerOf(tokens, 10));
  });

  it('leaves off after the step in which it was asked to', () => {
    const tokens = prompt(2);
    const turn = engineOf().begin(request('a', tokens, 6));
    const told: number[] = [];
    const watch = { isYieldWanted: () => told.length === 2, onToken: ({ id }: { id: number }) => told.push(id) };
    expect(turn.run(100, watch)).toEqual({ steps: 4, finish: undefined });
    expect(turn.run(100, { ...watch, isYieldWanted: () => true }).steps).toBe(1);
    expect([...told, ...finish(turn)]).toEqual(answerOf(tokens, 6));
  });
});

describe('several conversations', () => {
  it.each(['in-place', 'appended'] as const)('sixteen at once each say what they say alone (%s)', (cacheKind) => {
    facts = fakeFacts({ cacheKind });
    session = new FakeDecoderSession(facts);
    const engine = engineOf();
    const prompts = Array.from({ length: 16 }, (_, index) => prompt(index, 9 + index));
    const turns = prompts.map((tokens, index) => engine.begin(request(`c${index}`, tokens, 10)));
    const answers = turns.map((): number[] => []);
    while (turns.some((turn) => turn.finish === undefined))
      for (const [index, turn] of turns.entries())
        if (turn.finish === undefined)
          turn.run(1 + (index % 3), { isYieldWanted: () => false, onToken: ({ id }) => answers[index]?.push(id) });
    expect(answers).toEqual(prompts.map((tokens) => answerOf(tokens, 10)));
  });

  it('goes on from what is cached: only what is new is read', () => {
    const engine = engineOf();
    const tokens = prompt(1);
    const first = finish(engine.begin(request('a', tokens, 5)));
    const before = session.tokensRun;
    const next = [...tokens, ...first, 11, 12, 13];
    const turn = engine.begin(request('a', next, 5));
    expect([turn.cachedTokens, turn.promptTokens]).toEqual([24, 4]);
    expect(finish(turn)).toEqual(answerOf(next, 5));
    expect(session.tokensRun - before).toBe(4 + 4);
  });

  it.each(['in-place', 'appended'] as const)('forgets what a changed text no longer says (%s)', (cacheKind) => {
    facts = fakeFacts({ cacheKind });
    session = new FakeDecoderSession(facts);
    const engine = engineOf();
    finish(engine.begin(request('a', prompt(1), 5)));
    const changed = [...prompt(1).slice(0, 10), 99, 98, 97];
    const turn = engine.begin(request('a', changed, 8));
    expect(turn.cachedTokens).toBe(10);
    expect(finish(turn)).toEqual(answerOf(changed, 8));
    const shorter = prompt(1).slice(0, 7);
    expect(finish(engine.begin(request('a', shorter, 3)))).toEqual(answerOf(shorter, 3));
  });

  it('reads a text again that is cached whole, its last token at least', () => {
    const engine = engineOf();
    const tokens = prompt(3);
    finish(engine.begin(request('a', tokens, 1)));
    const turn = engine.begin(request('a', tokens, 4));
    expect(turn.promptTokens).toBe(1);
    expect(finish(turn)).toEqual(answerOf(tokens, 4));
  });

  it('shares a beginning with conversations to come, and keeps it when the first one is forgotten', () => {
    const engine = engineOf();
    const system = prompt(4, 24);
    const ask = (seed: number): number[] => [...system, ...prompt(seed, 5)];
    finish(engine.begin(request('a', ask(1), 3, { sharedTokens: 24 })));
    engine.forget('a');
    const before = session.tokensRun;
    const turn = engine.begin(request('b', ask(2), 3, { sharedTokens: 24 }));
    expect(turn.cachedTokens).toBe(24);
    expect(finish(turn)).toEqual(answerOf(ask(2), 3));
    expect(session.tokensRun - before).toBe(5 + 2);
    expect(engine.usage.texts).toBe(2);
  });

  it('copies from a turn under way without disturbing it', () => {
    const engine = engineOf();
    const a = engine.begin(request('a', prompt(5, 30), 6));
    a.run(2, { isYieldWanted: () => false, onToken: () => undefined });
    const b = engine.begin(request('b', [...prompt(5, 30).slice(0, 16), 7, 8, 9], 6));
    expect(b.cachedTokens).toBe(16);
    expect(finish(b)).toEqual(answerOf([...prompt(5, 30).slice(0, 16), 7, 8, 9], 6));
    expect(finish(a)).toEqual(answerOf(prompt(5, 30), 6));
  });

  it('has one turn of a conversation at a time', () => {
    const engine = engineOf();
    const turn = engine.begin(request('a', prompt(1), 5));
    expect(codeOf(() => engine.begin(request('a', prompt(1), 5)))).toBe('CONVERSATION_BUSY');
    expect(codeOf(() => engine.forget('a'))).toBe('CONVERSATION_BUSY');
    turn.cancel();
    expect(finish(engine.begin(request('a', prompt(1), 5)))).toEqual(answerOf(prompt(1), 5));
  });
});

describe('the budget', () => {
  /** Room for so many conversations of 64 tokens. */
  const roomFor = (count: number, more = 0): Partial<DecoderEngineOptions> => ({
    cacheBytesMax: count * 64 * cacheBytesPerToken(facts) + more,
  });

  it('lets the idle conversation go that was used least recently', () => {
    const engine = engineOf(roomFor(2));
    for (const name of ['a', 'b', 'a', 'c']) finish(engine.begin(request(name, prompt(name.charCodeAt(0)), 3)));
    const cached = (name: string): number => engine.cachedTokens(name, prompt(name.charCodeAt(0)));
    expect([cached('a'), cached('b') < 19, cached('c')]).toEqual([19, true, 19]);
    expect(engine.usage).toMatchObject({ texts: 2, evictions: 1 });
  });

  it.each([0, -1])('refuses a turn when nobody is idle and %d bytes are over', (more) => {
    const engine = engineOf(roomFor(2, more));
    const first = engine.begin(request('a', prompt(1), 3));
    const second = codeOf(() => engine.begin(request('b', prompt(2), 3)));
    expect(second).toBe(more === 0 ? 'nothing was thrown' : 'CACHE_FULL');
    expect(codeOf(() => engine.begin(request('c', prompt(3), 3)))).toBe('CACHE_FULL');
    expect(finish(first)).toEqual(answerOf(prompt(1), 3));
    expect(codeOf(() => engine.begin(request('c', prompt(3), 3)))).toBe('nothing was thrown');
  });

  it.each(['in-place', 'appended'] as const)('gives the memory of one that goes to one of the same length (%s)', (cacheKind) => {
    facts = fakeFacts({ cacheKind });
    session = new FakeDecoderSession(facts);
    const memory = new Set<ArrayBufferLike>();
    const wrap = session.wrap.bind(session);
    session.wrap = (data, dims) => {
      if (dims.length === 4) memory.add(data.buffer);
      return wrap(data, dims);
    };
    const engine = engineOf({ textsMax: 1 });
    expect(finish(engine.begin(request('a', prompt(1, 40), 9)))).toEqual(answerOf(prompt(1, 40), 9));
    const before = memory.size;
    expect(finish(engine.begin(request('b', prompt(2), 9)))).toEqual(answerOf(prompt(2), 9));
    expect([memory.size, engine.usage.evictions]).toEqual([before, 1]);
    expect(finish(engine.begin(request('c', prompt(3, 70), 9)))).toEqual(answerOf(prompt(3, 70), 9));
    expect(memory.size).toBeGreaterThan(before);
    engine.release();
    expect(session.handlesOpen).toBe(0);
  });

  it('spares conversations that are about to go on', () => {
    const engine = engineOf(roomFor(1));
    finish(engine.begin(request('a', prompt(1), 3)));
    expect(codeOf(() => engine.begin(request('b', prompt(2), 3, { pinned: new Set(['a', 'b']) })))).toBe('CACHE_FULL');
    expect(engine.cachedTokens('a', prompt(1))).toBe(19);
    expect(codeOf(() => engine.begin(request('b', prompt(2), 3)))).toBe('nothing was thrown');
  });

  it('holds the number of texts as well', () => {
    const engine = engineOf({ textsMax: 2 });
    const turns = ['a', 'b'].map((name) => engine.begin(request(name, prompt(1), 3)));
    expect(codeOf(() => engine.begin(request('c', prompt(1), 3)))).toBe('CACHE_FULL');
    turns[0]?.cancel();
    engine.begin(request('c', prompt(1), 3));
    expect(engine.usage.texts).toBe(2);
  });

  it('lets its own old cache go when a conversation grows and nothing else is left, and reads it again', () => {
    const engine = engineOf(roomFor(1, 32 * cacheBytesPerToken(facts)));
    finish(engine.begin(request('a', prompt(1), 3)));
    const long = [...prompt(1), ...prompt(2, 50)];
    const turn = engine.begin(request('a', long, 3));
    expect(turn.cachedTokens).toBe(0);
    expect(finish(turn)).toEqual(answerOf(long, 3));
  });

  it('frees every tensor in the end', () => {
    const engine = engineOf(roomFor(2));
    for (const name of ['a', 'b', 'c', 'd']) finish(engine.begin(request(name, prompt(name.charCodeAt(0)), 3, { sharedTokens: 18 })));
    engine.release();
    expect(session.handlesOpen).toBe(0);
    expect(engine.usage.cacheBytes).toBe(0);
  });
});

describe('a fault', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY])('of logits with %d ends that turn alone', (spoilt) => {
    const engine = engineOf();
    const a = engine.begin(request('a', prompt(1), 6));
    const b = engine.begin(request('b', prompt(2), 6));
    const told: number[] = [];
    const watch = { isYieldWanted: () => false, onToken: ({ id }: { id: number }) => told.push(id) };
    a.run(5, watch);
    session.onRun = () => spoilt;
    expect(codeOf(() => a.run(5, watch))).toBe('LOGITS_NOT_FINITE');
    session.onRun = () => undefined;
    expect([a.finish, told]).toEqual(['failed', answerOf(prompt(1), 3)]);
    expect(finish(b)).toEqual(answerOf(prompt(2), 6));
    const again = engine.begin(request('a', prompt(1), 6));
    expect([again.cachedTokens, finish(again)]).toEqual([0, answerOf(prompt(1), 6)]);
  });

  it('of the session or the chooser ends that turn alone and frees its cache', () => {
    const engine = engineOf();
    const a = engine.begin(request('a', prompt(1), 6));
    session.onRun = () => {
      throw new Error('out of order');
    };
    expect(codeOf(() => finish(a))).toBe('TURN_FAILED');
    session.onRun = () => undefined;
    const choose = (): never => {
      throw new Error('no token is allowed');
    };
    expect(codeOf(() => finish(engine.begin(request('b', prompt(1), 6, { chooser: { choose } }))))).toBe('TURN_FAILED');
    expect(engine.usage).toMatchObject({ texts: 0, cacheBytes: 0 });
  });

  it('of a text is refused before anything is run', () => {
    const engine = engineOf();
    const begin = (tokens: readonly number[], tokensMax = 1): string => codeOf(() => engine.begin(request('a', tokens, tokensMax)));
    for (const tokens of [[], [-1], [FAKE_VOCABULARY], [1.5], [Number.NaN]]) expect(begin(tokens)).toBe('TOKENS_INVALID');
    expect(begin([1], 0)).toBe('TOKENS_INVALID');
    expect(begin(prompt(1, 96))).toBe('CONTEXT_OVERFLOW');
    expect(begin(new Array<number>(100_000).fill(1))).toBe('CONTEXT_OVERFLOW');
    expect(begin(prompt(1, 95))).toBe('nothing was thrown');
    expect(session.runs).toEqual([]);
  });
});

describe('a text that is too long', () => {
  it('loses its oldest tokens behind the shared ones where that is wanted, and says how many', () => {
    const engine = engineOf();
    const tokens = [...prompt(1, 20), ...prompt(2, 100)];
    const turn = engine.begin(request('a', tokens, 16, { overflow: 'drop-oldest', sharedTokens: 20 }));
    const kept = [...tokens.slice(0, 20), ...tokens.slice(-60)];
    expect([turn.droppedTokens, turn.promptTokens]).toEqual([40, 80]);
    expect(finish(turn)).toEqual(answerOf(kept, 16));
  });

  it('is refused when the shared ones alone leave no room', () => {
    const engine = engineOf();
    const tokens = prompt(1, 120);
    expect(codeOf(() => engine.begin(request('a', tokens, 16, { overflow: 'drop-oldest', sharedTokens: 96 })))).toBe('CONTEXT_OVERFLOW');
  });
});

describe('a cancelled turn', () => {
  it('leaves what was read, and the next turn goes on from it', () => {
    const engine = engineOf();
    const tokens = prompt(6, 40);
    const turn = engine.begin(request('a', tokens, 9));
    turn.run(2, { isYieldWanted: () => false, onToken: () => undefined });
    turn.cancel();
    turn.cancel();
    expect(turn.finish).toBe('cancelled');
    const again = engine.begin(request('a', tokens, 9));
    expect([again.cachedTokens, finish(again)]).toEqual([16, answerOf(tokens, 9)]);
  });
});
