import { describe, expect, it } from 'vitest';
import { createTurnLog, TurnWatch } from '../../../../src/bench/suite/turn-log.ts';
import { instantUs } from '../../../../src/core/units.ts';

const at = (ms: number) => instantUs(ms * 1000);

describe('a turn that is watched', () => {
  it('gives its first token with the last chunk of its prompt, and the others by the step', () => {
    const log = createTurnLog(100);
    const watch = new TurnWatch(log, 250, at(0));
    watch.steps(2, at(80));
    expect(log.firstTokens).toEqual([]);
    watch.steps(3, at(120));
    watch.steps(4, at(150));
    watch.steps(5, at(190));
    expect([log.firstTokens, log.gaps, log.tokenCount]).toEqual([[120_000], [30_000, 40_000], 3]);
  });

  it('spreads the time of a burst over its tokens', () => {
    const log = createTurnLog(100);
    const watch = new TurnWatch(log, 100, at(0));
    watch.steps(1, at(50));
    watch.steps(5, at(130));
    expect([log.gaps, log.tokenCount]).toEqual([[20_000, 20_000, 20_000, 20_000], 5]);
  });

  it('has a rate once it spoke for long enough, counted from its first token', () => {
    const log = createTurnLog(100);
    const long = new TurnWatch(log, 100, at(0));
    long.steps(1, at(1_000));
    long.steps(21, at(2_000));
    long.close(at(2_000));
    const short = new TurnWatch(log, 100, at(0));
    short.steps(1, at(10));
    short.steps(4, at(40));
    short.close(at(50));
    expect(log.rates).toEqual([20]);
  });

  it('has one too when it starves, and none when it never said a word', () => {
    const log = createTurnLog(100);
    const starved = new TurnWatch(log, 100, at(0));
    starved.steps(1, at(100));
    starved.steps(3, at(200));
    const mute = new TurnWatch(log, 100, at(0));
    expect(log.open.size).toBe(2);
    starved.close(at(10_100));
    mute.close(at(10_100));
    expect([log.rates, log.firstTokens.length, log.open.size]).toEqual([[0.2], 1, 0]);
  });

  it('counts nothing twice when its core was lost and it began anew', () => {
    const log = createTurnLog(100);
    const watch = new TurnWatch(log, 100, at(0));
    watch.steps(1, at(100));
    watch.steps(3, at(160));
    watch.steps(1, at(300));
    watch.steps(4, at(400));
    expect([log.tokenCount, log.firstTokens]).toEqual([4, [100_000]]);
    expect(log.gaps).toEqual([30_000, 30_000, 240_000]);
  });
});
