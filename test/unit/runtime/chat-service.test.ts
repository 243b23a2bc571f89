import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createTokenizer } from '../../../src/models/language/tokenizer.ts';
import type { SpeakListener, SpeakRequest } from '../../../src/pipeline/conversation-desk.ts';
import { type ChatAsk, type ChatEnd, createChatService } from '../../../src/runtime/chat-service.ts';
import type { EncodedPrompt, PromptRequest } from '../../../src/runtime/prompts/prompt-encoder.ts';
import { byteLevelFiles } from '../../support/tokenizer-fixture.ts';

const { vocabulary } = createTokenizer('fixture', byteLevelFiles());
const PROMPT: EncodedPrompt = { ids: [1, 2, 3], sharedTokens: 1, messages: [{ role: 'user', content: 'as it was fitted' }] };

/** A chat whose prompts are made when the test says so, and whose turns nobody speaks. */
function setUp() {
  const clock = new SimClock();
  const encoding: { readonly request: PromptRequest; readonly deadlineAt: unknown; end(answer: EncodedPrompt | CoxswainError): void }[] =
    [];
  const spoken: { readonly request: SpeakRequest; readonly listener: SpeakListener; isCancelled: boolean }[] = [];
  const chat = createChatService(
    { contextTokens: 100 },
    {
      ...{ clock, vocabulary },
      encoder: { encode: (request, deadlineAt, onEnd) => encoding.push({ request, deadlineAt, end: onEnd }) },
      desk: {
        speak(request, listener) {
          if (request.conversation === 'busy') throw new CoxswainError('CONVERSATION_BUSY', 'one at a time');
          const one = { request, listener, isCancelled: false };
          spoken.push(one);
          return {
            job: 1,
            cancel() {
              one.isCancelled = true;
            },
          };
        },
      },
    },
  );
  const ask = (changes: Partial<ChatAsk> = {}) => {
    const heard = { prompts: [] as unknown[], ends: [] as ChatEnd[], refusals: [] as string[] };
    const reply = chat.ask(
      { messages: [{ role: 'user', content: 'hi' }], ...changes },
      {
        onPrompt: (messages) => heard.prompts.push(messages),
        onPieces: () => undefined,
        onEnd: (end) => heard.ends.push(end),
        onRefused: (error) => heard.refusals.push(error.code),
      },
    );
    return { ...heard, cancel: () => reply.cancel() };
  };
  return { clock, encoding, spoken, ask };
}

describe('a chat whose prompts are made elsewhere', () => {
  it('has its prompt made with room for the answer, and spoken when it is there', () => {
    const { clock, encoding, spoken, ask } = setUp();
    const before = { situation: { state: { kind: 'vehicle' as const } }, past: [] };
    const heard = ask({ before, tokensMax: 20, deadlineAt: 7 as never });
    expect(encoding).toMatchObject([{ request: { before, tokensMax: 80 }, deadlineAt: 7 }]);
    expect(spoken).toEqual([]);
    clock.runFor(durationFromMs(30));
    encoding[0]?.end(PROMPT);
    expect(heard.prompts).toEqual([PROMPT.messages]);
    expect(spoken[0]?.request).toMatchObject({ tokens: [1, 2, 3], sharedTokens: 1, tokensMax: 20, deadlineAt: 7 });
    spoken[0]?.listener.onStart?.();
    spoken[0]?.listener.onEnd({ kind: 'done' }, { finish: 'stop', cachedTokens: 0, droppedTokens: 0 } as never);
    // From when it was asked, not from when its prompt was there.
    expect(heard.ends).toMatchObject([{ finish: 'stop', usage: { promptTokens: 3, queuedUs: 30_000 } }]);
  });

  it('tells what cannot be asked, before, while and after its prompt is made, once each', () => {
    const { encoding, spoken, ask } = setUp();
    const early = ask({ sampling: { temperature: -1 } });
    expect(encoding).toHaveLength(0);
    const long = ask();
    encoding[0]?.end(new CoxswainError('CONTEXT_OVERFLOW', 'too long'));
    const busy = ask({ conversation: 'busy' });
    encoding[1]?.end(PROMPT);
    expect([early, long, busy].map(({ refusals }) => refusals)).toEqual([['PROMPT_REFUSED'], ['CONTEXT_OVERFLOW'], ['CONVERSATION_BUSY']]);
    expect([early, long, busy].flatMap(({ ends }) => ends)).toEqual([]);
    expect(spoken).toEqual([]);
  });

  it('ends as cancelled when it is broken off on its way, and nothing is spoken', () => {
    const { encoding, spoken, ask } = setUp();
    for (const answer of [PROMPT, new CoxswainError('WORKER_CRASHED', 'lost')]) {
      const heard = ask();
      heard.cancel();
      expect(heard.ends).toEqual([]);
      encoding.at(-1)?.end(answer);
      expect(heard.ends).toMatchObject([{ outcome: { kind: 'dropped', reason: 'cancelled' }, finish: 'cancelled' }]);
      expect(heard.refusals).toEqual([]);
    }
    expect(spoken).toEqual([]);
    const later = ask();
    encoding.at(-1)?.end(PROMPT);
    later.cancel();
    expect(spoken[0]?.isCancelled).toBe(true);
  });
});
