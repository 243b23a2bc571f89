import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { Payload } from '../../../src/core/frame.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import type { AssistantEnd, AssistantListener, Utterance } from '../../../src/runtime/assistant/utterance.ts';
import { WordsPipeline } from '../../../src/runtime/assistant/words-pipeline.ts';
import { fakeStream } from '../cli/cli-fixtures.ts';

const stream = fakeStream('assistant', 'cockpit-lm', 'interactive', 1500);

function rig() {
  const clock = new SimClock();
  const heard: { utterance: Utterance; listener: AssistantListener }[] = [];
  const ends: Outcome[] = [];
  const pipeline = new WordsPipeline(
    { stream, staleAfterUs: durationFromMs(100) },
    {
      clock,
      desk: { bookOf: () => ({ arrived: () => undefined }), open: () => 1, end: (_job, outcome) => ends.push(outcome) },
      assistant: {
        hear(utterance, listener) {
          heard.push({ utterance, listener });
          return { cancel: () => undefined };
        },
      },
    },
  );
  const accept = (payload: Payload, capturedAt = clock.now()) => pipeline.accept({ source: 'voice', sequence: 0, capturedAt, payload });
  return { clock, pipeline, accept, heard, ends };
}

const words = (text: string): Payload => ({
  ...{ kind: 'turn', promptTokens: 10, answerTokens: 10, isFollowUp: false },
  words: { text, provenance: 'passenger' },
});

describe('words on their way to an assistant', () => {
  it('reach it as one conversation a source, with whose they are and until when they are worth an answer', () => {
    const { accept, heard, ends } = rig();
    accept(words('hello'));
    expect(heard[0]?.utterance).toEqual({
      ...{ text: 'hello', provenance: 'passenger', conversation: 'voice', saidAt: instantUs(0) },
      deadlineAt: instantUs(stream.deadlineUs),
    });
    heard[0]?.listener.onEnd({ error: undefined } as AssistantEnd);
    expect(ends).toEqual([]);
  });

  it('are accounted for when they never get to a model', () => {
    const { clock, pipeline, accept, heard, ends } = rig();
    accept(words('x'));
    heard[0]?.listener.onEnd({ error: new CoxswainError('PROMPT_REFUSED', 'no') } as AssistantEnd);
    accept({ kind: 'empty' });
    clock.runFor(durationFromMs(500));
    accept(words('old'), instantUs(0));
    pipeline.stop();
    accept(words('late'));
    expect(ends).toEqual([
      { kind: 'failed', reason: 'prepare-error' },
      { kind: 'failed', reason: 'prepare-error' },
      { kind: 'rejected', reason: 'stale' },
      { kind: 'rejected', reason: 'stopping' },
    ]);
    expect(heard).toHaveLength(1);
  });
});
