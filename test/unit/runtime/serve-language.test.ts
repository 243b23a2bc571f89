import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { Criticality } from '../../../src/core/stream.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import { AnswerWait } from '../../../src/runtime/answer-wait.ts';
import { serveLanguage } from '../../../src/runtime/serve-language.ts';
import type { ServedModel } from '../../../src/sinks/openai/served-model.ts';
import { hearAnswer } from '../../support/heard-answer.ts';
import { createScriptedChat } from '../../support/scripted-chat.ts';
import { byteLevelFiles } from '../../support/tokenizer-fixture.ts';

const { vocabulary } = createTokenizer('fixture', byteLevelFiles());

/** A model behind pipelines of these classes, two answers each at once. */
function setUp(...classes: Criticality[]) {
  const clock = new SimClock();
  const lanes = (classes.length === 0 ? (['interactive'] as const) : classes).map((criticality) => {
    const chat = createScriptedChat(clock);
    const service = { stream: criticality, model: 'lm', contextTokens: 1_024, vocabulary, chat };
    return { service, chat, criticality, wait: new AnswerWait({ answersMax: 2, deadlineUs: durationFromMs(1_000) }, clock) };
  });
  const model: ServedModel = serveLanguage('lm', lanes, { clock, createdS: 7 });
  const chatOf = (index: number) => {
    const chat = lanes[index]?.chat;
    if (chat === undefined) throw new Error('there is no such lane');
    return chat;
  };
  return { clock, model, chatOf };
}

describe('a language model that is served', () => {
  it('is asked what the request says, and answers as it did', () => {
    const { clock, model, chatOf } = setUp();
    const heard = hearAnswer(model, {
      ...{ sampling: { temperature: 0 }, stop: ['x'], tokensMax: 5 },
      service: { deadlineMs: 250, conversation: 'mine' },
    });
    const reply = chatOf(0).last();
    expect(reply.ask).toMatchObject({
      ...{ sampling: { temperature: 0 }, stop: ['x'], tokensMax: 5, conversation: 'http/mine' },
      deadlineAt: clock.now() + 250_000,
    });
    reply.say('hello');
    reply.end({ kind: 'late' });
    expect(heard.pieces).toEqual([{ kind: 'text', text: 'hello' }]);
    expect(heard.ends).toMatchObject([{ kind: 'answered', finish: 'stop', usage: { answerTokens: 1, isLate: true, firstTokenMs: 0 } }]);
  });

  it('goes through the pipeline of the class that is asked for, and by itself through the most important', () => {
    const { model, chatOf } = setUp('background', 'interactive');
    hearAnswer(model);
    hearAnswer(model, { service: { criticality: 'background' } });
    hearAnswer(model, { service: { criticality: 'interactive' } });
    expect([chatOf(0).replies.length, chatOf(1).replies.length]).toEqual([1, 2]);
    const alone = setUp('interactive');
    expect(() => hearAnswer(alone.model, { service: { criticality: 'background' } })).toThrow(/there is interactive/);
  });

  it('sends away whom the queue has no place for, and has one again when an answer has ended or was broken off', () => {
    const { clock, model, chatOf } = setUp();
    const first = hearAnswer(model);
    hearAnswer(model);
    expect(hearAnswer(model).ends).toEqual([{ kind: 'overloaded', reason: 'the queue is full', retryAfterS: 0.5 }]);
    expect(chatOf(0).replies).toHaveLength(2);
    first.cancel();
    clock.runFor(durationFromMs(10));
    expect(hearAnswer(model).ends).toEqual([]);
  });

  it('gives a place back that a request was refused for', () => {
    const { model } = setUp();
    for (let index = 0; index < 5; index += 1) {
      const { ends } = hearAnswer(model, { messages: [{ role: 'user', content: 'x'.repeat(8_000) }] });
      expect(ends).toMatchObject([{ kind: 'refused', error: { code: 'CONTEXT_OVERFLOW' } }]);
    }
    expect(hearAnswer(model).ends).toEqual([]);
  });

  it('says when to come again where the scheduler gave it up, and what was wrong where it failed', () => {
    const { model, chatOf } = setUp();
    const lost = hearAnswer(model);
    chatOf(0).last().end({ kind: 'dropped', reason: 'infeasible' }, undefined);
    expect(lost.ends).toMatchObject([{ kind: 'overloaded', retryAfterS: 0.5 }]);
    const failed = hearAnswer(model);
    chatOf(0).last().end({ kind: 'failed', reason: 'core-crashed' }, undefined);
    expect(failed.ends).toMatchObject([{ kind: 'lost', outcome: { kind: 'failed', reason: 'core-crashed' } }]);
  });
});
