import { describe, expect, it } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import type { Event } from '../../../src/core/event.ts';
import type { Job } from '../../../src/core/job.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { createTurnMeter } from '../../../src/telemetry/turn-meter.ts';

const stream = (id: string, tokens?: Stream['tokens']): Stream => ({
  ...{ id, model: 'talker', criticality: 'interactive', periodUs: durationUs(1_000_000), deadlineUs: durationUs(500_000) },
  ...{ freshness: { kind: 'queue', jobsMax: 4 }, isStateful: false },
  ...(tokens === undefined ? {} : { tokens }),
});

/** A turn that came at 1 s. */
const arrived = (id: number, promptTokens: number): Event => {
  const job: Job = {
    ...{ id, stream: 'chat', model: 'talker', capturedAt: instantUs(1_000_000), deadlineAt: instantUs(1_500_000) },
    turn: { promptTokens, tokensMax: 100 },
  };
  return { kind: 'arrived', at: instantUs(1_000_000), job };
};
const start = (job: number, from: number, steps: number): Decision =>
  ({ kind: 'start', job, core: 0, segment: { from, steps } }) as Decision;
const done = (job: number, atMs: number, steps?: number): Event =>
  ({
    ...{ kind: 'segment-done', at: instantUs(atMs * 1000), job, core: 0 },
    ...(steps === undefined ? {} : { progress: { steps, isLast: false } }),
  }) as Event;
const end = (job: number): Decision => ({ kind: 'end', job, outcome: { kind: 'done' } }) as Decision;

const meter = (chunkTokens = 100) => createTurnMeter([stream('chat', {}), stream('cameras')], new Map([['talker', chunkTokens]]));

describe('the meter of turns', () => {
  it('tells the time to the first token, which comes with the last chunk of the prompt, and that from one to the next', () => {
    const turns = meter();
    turns.step(arrived(1, 250), [start(1, 0, 2)]);
    turns.step(done(1, 1_100, 2), [start(1, 2, 1)]);
    expect(turns.firstTokenAt(1)).toBeUndefined();
    turns.step(done(1, 1_200, 1), [start(1, 3, 4)]);
    expect(turns.firstTokenAt(1)).toBe(1_200_000);
    turns.step(done(1, 1_600, 4), [end(1)]);
    expect(turns.firstTokenAt(1)).toBeUndefined();
    expect(turns.figures('chat', 10_000)).toMatchObject({
      ...{ turns: 1, tokens: 5, tokensPerSecond: 0.5 },
      firstTokenMs: { samples: 1, mean: 200, max: 200 },
      perTokenMs: { samples: 1, mean: 100, max: 100 },
    });
  });

  it('counts tokens of what was broken off, but no pace of one token alone', () => {
    const turns = meter();
    turns.step(arrived(1, 250), [start(1, 0, 3)]);
    turns.step(done(1, 1_300, 3), [end(1)]);
    expect(turns.figures('chat', 1_000)).toMatchObject({ turns: 1, tokens: 1, perTokenMs: { samples: 0, mean: null, p50: null } });
  });

  it('counts what a segment ran, not what it was granted, and all of it where the core tells nothing', () => {
    const turns = meter();
    turns.step(arrived(1, 50), [start(1, 0, 9)]);
    turns.step(done(1, 1_300, 4), [start(1, 4, 5)]);
    expect(turns.figures('chat', 1_000)?.tokens).toBe(4);
    turns.step(done(1, 1_400), [end(1)]);
    expect(turns.figures('chat', 1_000)?.tokens).toBe(9);
  });

  it('begins anew with a turn that lost what it had read', () => {
    const turns = meter();
    turns.step(arrived(1, 250), [start(1, 0, 2)]);
    turns.step(done(1, 1_100, 2), []);
    turns.step(done(9, 1_100, 2), [start(1, 0, 3)]);
    turns.step(done(1, 1_900, 3), []);
    expect(turns.figures('chat', 1_000)).toMatchObject({ turns: 1, tokens: 1, firstTokenMs: { mean: 900 } });
  });

  it('gives percentiles over turns, and nothing for a stream without', () => {
    const turns = meter();
    for (let id = 1; id <= 100; id += 1) {
      turns.step(arrived(id, 50), [start(id, 0, 1)]);
      turns.step(done(id, 1_000 + id, 1), [end(id)]);
    }
    const { firstTokenMs } = turns.figures('chat', 1_000) ?? {};
    expect(firstTokenMs?.p50).toBeGreaterThan(45);
    expect(firstTokenMs?.p50).toBeLessThan(55);
    expect(firstTokenMs?.p99).toBeGreaterThan(90);
    expect(firstTokenMs?.mean).toBe(50.5);
    expect(turns.figures('cameras', 1_000)).toBeUndefined();
    expect(turns.figures('chat', 0)?.tokensPerSecond).toBe(0);
  });
});
