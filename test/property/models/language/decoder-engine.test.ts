import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../../src/core/errors.ts';
import { DecoderEngine } from '../../../../src/models/language/decoder-engine.ts';
import { cacheBytesPerToken } from '../../../../src/models/language/decoder-facts.ts';
import type { DecoderTurn } from '../../../../src/models/language/decoder-turn.ts';
import { greedyChooser } from '../../../../src/models/language/token-chooser.ts';
import { FakeDecoderSession, fakeAnswer, fakeFacts } from '../../../support/fake-decoder.ts';

const REFUSALS = ['CACHE_FULL', 'CONVERSATION_BUSY', 'CONTEXT_OVERFLOW'];

/** A few tokens only, so that texts share beginnings often. */
const tokens = fc.array(fc.integer({ min: 3, max: 5 }), { minLength: 1, maxLength: 70 });

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      name: fc.nat(4),
      tokens,
      tokensMax: fc.integer({ min: 1, max: 12 }),
      shared: fc.nat(40),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('run' as const), name: fc.nat(4), steps: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), name: fc.nat(4) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), name: fc.nat(4) }) },
);

interface Talk {
  readonly turn: DecoderTurn;
  readonly text: readonly number[];
  readonly answer: number[];
}

describe('turns in any order, cancelled, forgotten and short of room', () => {
  it('each write what they write alone, within the budget, and leave nothing behind', () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 60 }),
        fc.boolean(),
        fc.integer({ min: 100, max: 400 }),
        (actions, isInPlace, budgetTokens) => {
          const facts = fakeFacts({ cacheKind: isInPlace ? 'in-place' : 'appended' });
          const session = new FakeDecoderSession(facts);
          const cacheBytesMax = budgetTokens * cacheBytesPerToken(facts);
          const engine = new DecoderEngine(session, facts, { chunkTokens: 7, cacheBytesMax, textsMax: 4 });
          const talks = new Map<string, Talk>();
          for (const step of actions) {
            const name = String(step.name);
            const talk = talks.get(name);
            try {
              if (step.kind === 'begin') {
                const { tokens: text, tokensMax, shared: sharedTokens } = step;
                talks.set(name, {
                  turn: engine.begin({ conversation: name, tokens: text, tokensMax, chooser: greedyChooser, sharedTokens }),
                  text,
                  answer: [],
                });
              } else if (step.kind === 'forget') engine.forget(name);
              else if (talk !== undefined && talk.turn.finish === undefined) {
                if (step.kind === 'cancel') talk.turn.cancel();
                else talk.turn.run(step.steps, { isYieldWanted: () => false, onToken: ({ id }) => talk.answer.push(id) });
              }
            } catch (thrown) {
              if (!(thrown instanceof CoxswainError) || !REFUSALS.includes(thrown.code)) throw thrown;
            }
            expect(engine.usage.cacheBytes).toBeLessThanOrEqual(cacheBytesMax);
            expect(engine.usage.texts).toBeLessThanOrEqual(4);
          }
          for (const { turn, text, answer } of talks.values()) {
            const alone = fakeAnswer(text, turn.tokensMax);
            const isWhole = turn.finish === 'stop' || turn.finish === 'length';
            expect(answer).toEqual(isWhole ? alone : alone.slice(0, answer.length));
          }
          engine.release();
          expect(session.handlesOpen).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});
