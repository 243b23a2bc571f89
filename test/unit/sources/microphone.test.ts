import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createMicrophoneSource } from '../../../src/sources/microphone.ts';
import { createScriptedSpawn } from '../../support/scripted-spawn.ts';
import { recordSource } from '../../support/source-recorder.ts';

function setUp(device = 'plughw:CARD=Webcam') {
  const clock = new SimClock();
  const scripted = createScriptedSpawn();
  const source = createMicrophoneSource(
    { kind: 'microphone', id: 'mic', device, windowSamples: 4, program: 'arecord' },
    { clock, spawn: scripted.spawn, prng: new Prng(1) },
  );
  return { clock, scripted, source };
}

const pcm = (...values: readonly number[]): Buffer => Buffer.from(Int16Array.from(values).buffer);

describe('createMicrophoneSource', () => {
  it('asks arecord for raw 16-bit mono at 16 kHz, the device being one argument', () => {
    const { scripted, source } = setUp('-x; rm');
    recordSource(source).stop();
    expect(scripted.child.args).toEqual(
      expect.arrayContaining(['--device=-x; rm', '--file-type=raw', '--format=S16_LE', '--rate=16000', '--channels=1']),
    );
  });

  it('makes windows of the bytes as they come, also split inside a sample', () => {
    const { clock, scripted, source } = setUp();
    const story = recordSource(source);
    const bytes = pcm(0, 16_384, -32_768, 32_767, 8192, 0, 0, 0, 1);
    clock.runUntil(instantUs(10_000));
    scripted.child.write(bytes.subarray(0, 5));
    expect(story.frames).toHaveLength(0);
    clock.runUntil(instantUs(20_000));
    scripted.child.write(bytes.subarray(5));
    expect(story.frames.map(({ payload }) => (payload.kind === 'audio' ? [...payload.samples] : []))).toEqual([
      [0, 0.5, -1, 32_767 / 32_768],
      [0.25, 0, 0, 0],
    ]);
    // Five and one samples of 62.5 us follow the windows' ends.
    expect(story.frames.map(({ capturedAt }) => capturedAt)).toEqual([20_000 - 313, 20_000 - 63]);
  });

  it('never lets the instants of windows go back when a burst follows a late one', () => {
    const { clock, scripted, source } = setUp();
    const story = recordSource(source);
    clock.runUntil(instantUs(1000));
    scripted.child.write(pcm(0, 0, 0, 0));
    clock.runUntil(instantUs(1010));
    scripted.child.write(pcm(...new Array(16).fill(0)));
    const instants = story.frames.map(({ capturedAt }) => capturedAt);
    expect(instants).toHaveLength(5);
    expect(instants).toEqual([...instants].sort((a, b) => a - b));
  });

  it('comes back after it was unplugged, and counts the window that was cut short', () => {
    const { clock, scripted, source } = setUp();
    const story = recordSource(source);
    scripted.child.write(pcm(0, 0, 0, 0, 1));
    scripted.child.complain('arecord: pcm_read: read error: No such device\n');
    scripted.child.end({ exitCode: 1 });
    expect(story.rejections).toEqual(['corrupt']);
    expect(story.message).toContain('No such device');
    clock.runFor(durationFromMs(250));
    scripted.child.write(pcm(1, 1, 1, 1));
    expect(story.frames.map(({ payload }) => (payload.kind === 'audio' ? payload.samples[0] : undefined))).toEqual([0, 1 / 32_768]);
    expect(story.states).toEqual(['starting', 'live', 'restarting', 'live']);
    story.stop();
  });
});
