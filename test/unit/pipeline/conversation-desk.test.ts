import { beforeEach, describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import type { JobId } from '../../../src/core/job.ts';
import type { Outcome } from '../../../src/core/outcome.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import type { Stream } from '../../../src/core/stream.ts';
import type { SpokenToken, TurnSummary } from '../../../src/core/turn-task.ts';
import { durationFromMs, durationUs, instantUs } from '../../../src/core/units.ts';
import { ConversationDesk, type SpeakRequest } from '../../../src/pipeline/conversation-desk.ts';
import type { Work } from '../../../src/pipeline/work.ts';

const stream: Stream = {
  id: 'talk',
  model: 'lm',
  criticality: 'interactive',
  periodUs: durationUs(0),
  deadlineUs: durationFromMs(500),
  freshness: { kind: 'queue', jobsMax: 8 },
  isStateful: false,
};

let works: Work[];
let cancelled: JobId[];
let ended: [JobId, Outcome][];
let lossCount: number;
let served: string | null | undefined;
let room: number;
let claims: number;
let written: number[][];
let heard: number[];
let ends: [Outcome, TurnSummary | undefined][];
let desk: ConversationDesk;

beforeEach(() => {
  works = [];
  cancelled = [];
  ended = [];
  lossCount = 0;
  served = undefined;
  room = 1000;
  claims = 0;
  written = [];
  heard = [];
  ends = [];
  let jobs = 0;
  desk = new ConversationDesk(
    { stream, contextTokens: 50, vocabulary: 100, textsMax: 2 },
    {
      clock: new SimClock(instantUs(1000)),
      desk: {
        bookOf: () => ({ arrived: () => undefined }),
        open: () => {
          jobs += 1;
          return jobs;
        },
        end: (job, outcome) => ended.push([job, outcome]),
        submit: (work) => works.push(work),
        servedWith: () => served,
        cancel: (job) => cancelled.push(job),
        get lossCount() {
          return lossCount;
        },
      },
      memory: {
        allocate(byteLength) {
          if (byteLength > room) return undefined;
          claims += 1;
          return { offsetBytes: 0, byteLength };
        },
        release() {
          claims -= 1;
        },
        write: (_region, ids) => written.push([...ids]),
      },
    },
  );
});

const speak = (conversation: string, tokens: readonly number[], rest: Partial<SpeakRequest> = {}) =>
  desk.speak(
    { conversation, tokens, tokensMax: 5, ...rest },
    { onTokens: (made) => heard.push(...made.map(({ id }) => id)), onEnd: (outcome, summary) => ends.push([outcome, summary]) },
  );

const last = (): Work => {
  const work = works.at(-1);
  if (work === undefined) throw new Error('nothing was submitted');
  return work;
};

const say = (...ids: readonly number[]): void => last().task?.onTokens(ids.map((id): SpokenToken => ({ id })));

/** Ends the turn that was submitted last as a core would. */
function finish(change: Partial<TurnSummary> = {}, outcome: Outcome = { kind: 'done' }): void {
  last().task?.onSummary({ finish: 'length', cachedTokens: 0, promptTokens: 1, droppedTokens: 0, writtenTokens: 1, ...change });
  last().settle(outcome, []);
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

const DONE: Outcome = { kind: 'done' };
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

describe('a turn', () => {
  it('becomes a job with its text in shared memory, and is told token by token', () => {
    const { job } = speak('a', [1, 2, 3]);
    expect(last().job).toMatchObject({ id: job, model: 'lm', deadlineAt: 501_000, turn: { promptTokens: 3, tokensMax: 5 } });
    expect(written).toEqual([[1, 2, 3]]);
    last().task?.onStart();
    say(7);
    say(8, 9);
    finish();
    expect([heard, ends[0]?.[0], claims, desk.count]).toEqual([[7, 8, 9], DONE, 0, 0]);
  });

  it('counts only what has to be read when it goes on', () => {
    speak('a', [1, 2, 3]);
    say(7, 8);
    finish();
    speak('a', [1, 2, 3, 7, 8, 20, 21]);
    expect(last().job.turn).toEqual({ promptTokens: 3, pastTokens: 4, tokensMax: 5 });
    finish();
    speak('a', [1, 2, 99, 3]);
    expect(last().job.turn).toEqual({ promptTokens: 2, pastTokens: 2, tokensMax: 5 });
  });

  it('counts all of it after the loss of a core, after a failure, and when much else was said', () => {
    const text = [1, 2, 3];
    const again = (): number => {
      speak('a', text);
      const { promptTokens = 0 } = last().job.turn ?? {};
      finish();
      return promptTokens;
    };
    expect([again(), again()]).toEqual([3, 1]);
    lossCount = 1;
    expect(again()).toBe(3);
    speak('a', text);
    say(5);
    last().settle({ kind: 'failed', reason: 'non-finite' }, []);
    expect(again()).toBe(3);
    for (const name of ['b', 'c']) {
      speak(name, text);
      finish();
    }
    expect(again()).toBe(3);
  });

  it('is asked for once more with all of it to be read when its cache was gone', () => {
    speak('a', [1, 2, 3]);
    finish();
    speak('a', [1, 2, 3, 4]);
    expect(last().job.turn?.pastTokens).toBe(2);
    last().settle({ kind: 'failed', reason: 'device-error' }, []);
    expect([works.length, last().job.turn, ends.length, claims]).toEqual([3, { promptTokens: 4, tokensMax: 5 }, 1, 1]);
    last().settle({ kind: 'failed', reason: 'device-error' }, []);
    expect([works.length, ends[1]?.[0], claims]).toEqual([3, { kind: 'failed', reason: 'device-error' }, 0]);
  });

  it('tells no token twice when it begins anew', () => {
    speak('a', [1, 2, 3]);
    last().task?.onStart();
    say(7, 8);
    last().task?.onStart();
    say(7);
    say(8, 9);
    finish();
    expect(heard).toEqual([7, 8, 9]);
  });

  it('is over for its listener when it is cancelled, once', () => {
    const speech = speak('a', [1, 2, 3]);
    say(7);
    speech.cancel();
    speech.cancel();
    say(8);
    last().settle({ kind: 'dropped', reason: 'cancelled' }, []);
    speech.cancel();
    expect([cancelled, heard, ends]).toEqual([[1], [7], [[{ kind: 'dropped', reason: 'cancelled' }, undefined]]]);
  });

  it('pins the conversations that are under way', () => {
    speak('a', [1]);
    const { task } = last();
    speak('b', [1]);
    expect(task?.pinned).toEqual(['a', 'b']);
  });

  it('ends at once where the runtime does not serve or has no memory', () => {
    served = null;
    speak('a', [1]);
    served = 'small';
    room = 3;
    speak('a', [1]);
    room = 4;
    speak('a', [1]);
    expect(ended.map(([, outcome]) => outcome)).toEqual([
      { kind: 'dropped', reason: 'shed' },
      { kind: 'rejected', reason: 'no-memory' },
    ]);
    expect([ends.length, last().job.model, claims]).toEqual([2, 'small', 1]);
  });

  it('is refused before anything is counted when it cannot be', () => {
    for (const tokens of [[], [100], [-1], [0.5]]) expect(codeOf(() => speak('a', tokens))).toBe('TOKENS_INVALID');
    expect(codeOf(() => speak('a', [1], { tokensMax: 0 }))).toBe('TOKENS_INVALID');
    expect(codeOf(() => speak('a', range(0, 50)))).toBe('CONTEXT_OVERFLOW');
    expect(codeOf(() => speak('a', range(0, 49)))).toBe('nothing was thrown');
    expect(last().job.turn).toEqual({ promptTokens: 49, tokensMax: 1 });
    expect(codeOf(() => speak('a', [1]))).toBe('CONVERSATION_BUSY');
    expect(works).toHaveLength(1);
  });

  it('may lose its oldest tokens, and then nothing is known of its cache', () => {
    speak('a', range(0, 60), { overflow: 'drop-oldest' });
    expect(last().job.turn).toEqual({ promptTokens: 49, tokensMax: 5 });
    finish({ droppedTokens: 15 });
    speak('a', range(0, 30));
    expect(last().job.turn).toEqual({ promptTokens: 30, tokensMax: 5 });
  });
});
