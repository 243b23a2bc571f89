import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, durationUs, instantUs } from '../../../src/core/units.ts';
import type { Source } from '../../../src/sources/source.ts';
import { createWavSource, WAV_DEFAULTS, type WavSourceOptions } from '../../../src/sources/wav-source.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { createScriptedDecoder } from '../../support/scripted-decoder.ts';
import { recordSource } from '../../support/source-recorder.ts';

const ramp = (length: number): Float32Array => Float32Array.from({ length }, (_, index) => (index + 1) / 2048);

function setUp(samples: Float32Array | CoxswainError, options: Partial<WavSourceOptions> = {}) {
  const clock = new SimClock(instantUs(7000));
  const decoder = createScriptedDecoder(clock, new CountedFrameMemory());
  decoder.samples = samples;
  const source: Source = createWavSource({ ...WAV_DEFAULTS, kind: 'wav', id: 'mic', path: '/a.wav', ...options }, { clock, decoder });
  return { clock, decoder, source };
}

const windowsOf = (story: ReturnType<typeof recordSource>): Float32Array[] =>
  story.frames.map(({ payload }) => (payload.kind === 'audio' ? payload.samples : new Float32Array(0)));

describe('createWavSource', () => {
  it('gives windows at real-time pace, each when its last sample comes', async () => {
    const { clock, source } = setUp(ramp(1536));
    const story = recordSource(source);
    await clock.settleUntil(instantUs(38_999));
    expect(story.frames).toHaveLength(0);
    await clock.settleUntil(instantUs(10_000_000));
    expect(story.frames.map(({ capturedAt }) => capturedAt)).toEqual([39_000, 71_000, 103_000]);
    expect(windowsOf(story)[1]).toEqual(ramp(1536).subarray(512, 1024));
    expect(story.states).toEqual(['starting', 'live', 'ended']);
    expect(story.isComplete).toBe(true);
  });

  it('fills the last window up with silence', async () => {
    const { clock, source } = setUp(ramp(513));
    const story = recordSource(source);
    await clock.settleUntil(instantUs(1_000_000));
    expect(windowsOf(story)).toHaveLength(2);
    expect([...(windowsOf(story)[1] ?? [])]).toEqual([513 / 2048, ...new Array(511).fill(0)]);
  });

  it('repeats a loop for ever, with silence of whole windows between', async () => {
    const { clock, decoder, source } = setUp(ramp(512), { loop: true, gapUs: durationUs(32_001) });
    const story = recordSource(source);
    await clock.settleUntil(instantUs(7000 + 7 * 32_000));
    expect(windowsOf(story).map((window) => window[0] !== 0)).toEqual([true, false, false, true, false, false, true]);
    expect(decoder.decodes).toHaveLength(1);
    story.stop();
    expect(clock.nextAt()).toBeUndefined();
  });

  it('gives every window its own samples, so that one reader cannot spoil the next round', async () => {
    const { clock, source } = setUp(ramp(512), { loop: true, gapUs: durationFromMs(0) });
    const story = recordSource(source);
    await clock.settleUntil(instantUs(7000 + 32_000));
    windowsOf(story)[0]?.fill(9);
    await clock.settleUntil(instantUs(7000 + 64_000));
    expect(windowsOf(story)[1]).toEqual(ramp(512));
    story.stop();
  });

  it('turns a file that cannot be played away and ends', async () => {
    const { clock, source } = setUp(new CoxswainError('WAV_INVALID', 'zero channels'));
    const story = recordSource(source);
    await clock.settleUntil(instantUs(10_000));
    expect(story.rejections).toEqual(['corrupt']);
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'WAV_INVALID' } });
    expect(story.isComplete).toBe(true);
  });

  it('stays silent when it is stopped while the file is read', async () => {
    const { clock, source } = setUp(ramp(512));
    const story = recordSource(source);
    story.stop();
    await clock.settleUntil(instantUs(1_000_000));
    expect(story.states).toEqual(['starting']);
  });
});
