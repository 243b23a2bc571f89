import { describe, expect, it } from 'vitest';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, durationUs } from '../../../src/core/units.ts';
import { AnswerWait } from '../../../src/runtime/answer-wait.ts';

function setUp(answersMax = 4, deadlineMs = 2_000) {
  const clock = new SimClock();
  const wait = new AnswerWait({ answersMax, deadlineUs: durationFromMs(deadlineMs) }, clock);
  /** Answers one after the other that take so long each. */
  const answer = (count: number, ms: number): void => {
    for (let index = 0; index < count; index += 1) {
      const place = wait.admit();
      place.started();
      clock.runFor(durationFromMs(ms));
      place.ended(true);
    }
  };
  return { clock, wait, answer };
}

describe('the test before the queue', () => {
  it('lets in as many as the queue holds, and one more when one has ended', () => {
    const { wait } = setUp(3);
    const places = [1, 2, 3].map(() => wait.admit());
    expect(wait.refusal()?.reason).toBe('the queue is full');
    places[1]?.ended(false);
    places[1]?.ended(false);
    expect(wait.refusal()).toBeUndefined();
    wait.admit();
    expect(wait.refusal()).toBeDefined();
  });

  it('says when a place is free from how long answers took, with whatever else there was to do', () => {
    const { wait, answer } = setUp(1);
    answer(1, 800);
    wait.admit();
    expect(wait.refusal()?.retryAfterUs).toBe(800_000);
    const slower = setUp(1);
    slower.answer(40, 5_000);
    slower.wait.admit();
    expect(slower.wait.refusal()?.retryAfterUs).toBeGreaterThan(4_900_000);
  });

  it('counts a pause in which nothing was asked as no part of an answer', () => {
    const { clock, wait, answer } = setUp(1);
    answer(1, 800);
    clock.runFor(durationFromMs(60_000));
    answer(1, 800);
    expect(wait.answerUs).toBe(800_000);
  });

  it('refuses who would wait longer than it asks for, as far as can be told', () => {
    const { wait, answer } = setUp(8);
    answer(1, 1_000);
    wait.admit().started();
    // Nobody waits: whether it is in time the scheduler sees.
    expect(wait.refusal(durationUs(1))).toBeUndefined();
    wait.admit();
    expect(wait.refusal(durationFromMs(2_000))).toBeUndefined();
    expect(wait.refusal(durationFromMs(500))).toEqual({ reason: 'too many wait before it', retryAfterUs: 1_500_000 });
  });

  it('sends those who come at once away for different times, but none for longer than a minute', () => {
    const { wait, answer } = setUp(1);
    answer(1, 500);
    wait.admit();
    const times = Array.from({ length: 10 }, () => wait.refusal()?.retryAfterUs);
    expect(times).toEqual(Array.from({ length: 10 }, (_, index) => 500_000 * (index + 1)));
    for (let index = 0; index < 1_000; index += 1) wait.refusal();
    expect(wait.refusal()?.retryAfterUs).toBe(60_000_000);
  });

  it('knows before the first answer only what the queue promises', () => {
    const { wait } = setUp(4, 2_000);
    for (let index = 0; index < 4; index += 1) wait.admit();
    expect(wait.refusal()?.retryAfterUs).toBe(500_000);
    expect(wait.afterLoss('it cannot be in time any more').retryAfterUs).toBe(2_000_000);
  });
});
