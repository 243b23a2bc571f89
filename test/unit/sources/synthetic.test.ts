import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { instantUs } from '../../../src/core/units.ts';
import { createSyntheticSource, SYNTHETIC_DEFAULTS, type SyntheticSourceOptions } from '../../../src/sources/synthetic.ts';
import { recordSource } from '../../support/source-recorder.ts';

function run(options: Partial<SyntheticSourceOptions>, ms: number, seed = 1) {
  const clock = new SimClock();
  const source = createSyntheticSource(
    { ...SYNTHETIC_DEFAULTS, kind: 'synthetic', id: 'load', fps: 100, ...options },
    { clock, prng: new Prng(seed) },
  );
  const story = recordSource(source);
  clock.runUntil(instantUs(ms * 1000));
  story.stop();
  expect(clock.nextAt()).toBeUndefined();
  return story;
}

const instants = (story: ReturnType<typeof run>): number[] => story.frames.map(({ capturedAt }) => capturedAt);

describe('createSyntheticSource', () => {
  it('gives empty frames at its rate', () => {
    const story = run({}, 30);
    expect(instants(story)).toEqual([0, 10_000, 20_000, 30_000]);
    expect(story.frames[0]?.payload).toEqual({ kind: 'empty' });
  });

  it('strays from each tick by at most its jitter, without drift and in order', () => {
    const story = run({ jitterRatio: 1 }, 10_000);
    expect(story.frames.length).toBeGreaterThanOrEqual(1000);
    for (const [index, at] of instants(story).entries()) {
      expect(at).toBeGreaterThanOrEqual(index * 10_000);
      expect(at).toBeLessThanOrEqual((index + 1) * 10_000);
    }
    expect(new Set(instants(story).map((at) => at % 10_000)).size).toBeGreaterThan(900);
  });

  it('gives bursts as often as it is told', () => {
    const story = run({ burstRatio: 0.25, burstFrames: 5 }, 10_000);
    const sizes = new Map<number, number>();
    for (const at of instants(story)) sizes.set(at, (sizes.get(at) ?? 0) + 1);
    expect(new Set(sizes.values())).toEqual(new Set([1, 5]));
    const bursts = [...sizes.values()].filter((size) => size === 5).length;
    expect(bursts).toBeGreaterThan(200);
    expect(bursts).toBeLessThan(300);
  });

  it('gives the same frames for the same seed and others for another', () => {
    const options = { jitterRatio: 0.5, burstRatio: 0.1, burstFrames: 3 };
    expect(instants(run(options, 1000, 5))).toEqual(instants(run(options, 1000, 5)));
    expect(instants(run(options, 1000, 5))).not.toEqual(instants(run(options, 1000, 6)));
  });

  it('ends after the frames it was asked for, also inside a burst', () => {
    const story = run({ burstRatio: 1, burstFrames: 4, framesMax: 6 }, 1000);
    expect(story.frames).toHaveLength(6);
    expect(story.states).toEqual(['live', 'ended']);
    expect(story.isComplete).toBe(true);
  });
});
