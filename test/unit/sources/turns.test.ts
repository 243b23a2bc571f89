import { describe, expect, it } from 'vitest';
import type { TurnPayload } from '../../../src/core/frame.ts';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { instantUs } from '../../../src/core/units.ts';
import { createTurnsSource, type TurnsSourceOptions } from '../../../src/sources/turns.ts';
import { recordSource } from '../../support/source-recorder.ts';

const TALK: TurnsSourceOptions = {
  ...{ kind: 'turns', id: 'talk', periodUs: 10_000_000, arrivals: 'poisson', followUpRatio: 0.3 },
  ...{ promptTokens: { from: 60, to: 600 }, answerTokens: { from: 20, to: 200 } },
};
const HOURS = 3_600_000_000;

function run(options: Partial<TurnsSourceOptions> = {}, { hours = 10, seed = 1 } = {}) {
  const clock = new SimClock();
  const story = recordSource(createTurnsSource({ ...TALK, ...options }, { clock, prng: new Prng(seed) }));
  clock.runUntil(instantUs(hours * HOURS));
  story.stop();
  expect(clock.nextAt()).toBeUndefined();
  const instants = story.frames.map(({ capturedAt }) => capturedAt as number);
  const turns = story.frames.map(({ payload }) => payload as TurnPayload);
  return { story, instants, turns, gaps: instants.map((at, index) => at - (instants[index - 1] ?? 0)) };
}

describe('a source of turns', () => {
  it('speaks at even times when it is periodic', () => {
    expect(run({ arrivals: 'periodic' }, { hours: 0.01 }).instants).toEqual([10_000_000, 20_000_000, 30_000_000]);
  });

  it('otherwise as often on average, after exponentially distributed times', () => {
    const { gaps } = run();
    expect(gaps.length).toBeGreaterThan(3_300);
    expect(gaps.length).toBeLessThan(3_900);
    const ratioBeyond = (us: number): number => gaps.filter((gap) => gap > us).length / gaps.length;
    // Of an exponential distribution a part of 1/e is longer than the mean, whatever has passed before.
    expect(ratioBeyond(10_000_000)).toBeCloseTo(Math.exp(-1), 1);
    expect(ratioBeyond(20_000_000)).toBeCloseTo(Math.exp(-2), 1);
    expect(gaps.slice(1).reduce((sum, gap, index) => sum + (gap - 10e6) * ((gaps[index] ?? 0) - 10e6), 0) / gaps.length / 1e14).toBeCloseTo(
      0,
      0,
    );
  });

  it('draws lengths evenly, both ends included, and goes on with a conversation as often as it is told, but not before there is one', () => {
    const { turns } = run({ promptTokens: { from: 3, to: 7 }, answerTokens: { from: 5, to: 5 } });
    expect(new Set(turns.map(({ promptTokens }) => promptTokens))).toEqual(new Set([3, 4, 5, 6, 7]));
    expect(new Set(turns.map(({ answerTokens }) => answerTokens))).toEqual(new Set([5]));
    expect(turns.filter(({ isFollowUp }) => isFollowUp).length / turns.length).toBeCloseTo(0.3, 1);
    expect(run({ followUpRatio: 1 }, { hours: 0.1 }).turns.map(({ isFollowUp }) => isFollowUp)).toEqual(
      expect.arrayContaining([false, true]),
    );
    expect(run({ followUpRatio: 1 }, { hours: 0.1 }).turns.filter(({ isFollowUp }) => !isFollowUp)).toHaveLength(1);
    expect(run({ followUpRatio: 0 }).turns.some(({ isFollowUp }) => isFollowUp)).toBe(false);
  });

  it('gives the same turns for the same seed, others for another, and what one range draws leaves the others alone', () => {
    expect(run({}, { seed: 5 }).story.frames).toEqual(run({}, { seed: 5 }).story.frames);
    expect(run({}, { seed: 5 }).instants).not.toEqual(run({}, { seed: 6 }).instants);
    const other = run({ promptTokens: { from: 1, to: 2 } }, { seed: 5 });
    const same = run({}, { seed: 5 });
    expect(other.instants).toEqual(same.instants);
    expect(other.turns.map(({ answerTokens }) => answerTokens)).toEqual(same.turns.map(({ answerTokens }) => answerTokens));
  });

  it('ends after as many as it was asked for, and stops with its listener', () => {
    const { story } = run({ turnsMax: 3 });
    expect(story.frames).toHaveLength(3);
    expect(story.states).toEqual(['live', 'ended']);
    expect(story.isComplete).toBe(true);
    const clock = new SimClock();
    const short = recordSource(
      createTurnsSource(TALK, { clock, prng: new Prng(1) }),
      undefined,
      ({ kind }) => kind === 'frame' && short.stop(),
    );
    clock.runUntil(instantUs(HOURS));
    expect(short.frames).toHaveLength(1);
  });
});
