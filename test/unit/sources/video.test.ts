import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { SimClock } from '../../../src/core/sim-clock.ts';
import { durationFromMs, elapsedUs, instantUs, msFromDuration } from '../../../src/core/units.ts';
import { createVideoSource, type VideoSourceOptions } from '../../../src/sources/video.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { createLateClock } from '../../support/late-clock.ts';
import { createScriptedSpawn } from '../../support/scripted-spawn.ts';
import { recordSource } from '../../support/source-recorder.ts';

const FRAME_BYTES = 4 * 2 * 3;
const camera: VideoSourceOptions = {
  kind: 'video',
  id: 'front',
  input: { kind: 'v4l2', device: '/dev/video0' },
  width: 4,
  height: 2,
  fps: 10,
  program: 'ffmpeg',
};
const clip = (loop: boolean): VideoSourceOptions => ({ ...camera, input: { kind: 'file', path: '/clip.mp4', loop } });
const frame = (value: number, byteLength = FRAME_BYTES): Uint8Array => new Uint8Array(byteLength).fill(value);

function setUp(options: VideoSourceOptions = camera, obeys?: readonly string[], memory = new CountedFrameMemory()) {
  const clock = new SimClock();
  const scripted = createScriptedSpawn(obeys);
  const source = createVideoSource(options, { clock, memory, spawn: scripted.spawn, prng: new Prng(1) });
  return { clock, memory, scripted, source };
}

/** Runs `ms`, writing a frame each 100 ms. */
function stream({ clock, scripted }: ReturnType<typeof setUp>, ms: number): void {
  for (let at = 0; at < ms; at += 100) {
    clock.runFor(durationFromMs(100));
    scripted.child.write(frame(7));
  }
}

describe('createVideoSource', () => {
  it('starts nothing before somebody listens', () => {
    const { scripted, source } = setUp();
    expect(scripted.children).toHaveLength(0);
    recordSource(source).stop();
    expect(scripted.children).toHaveLength(1);
  });

  it('cuts the pipe into frames with the instant of their first byte', () => {
    const { clock, memory, scripted, source } = setUp();
    const pixels: Uint8Array[] = [];
    const story = recordSource(source, memory, (event) => {
      if (event.kind === 'frame' && event.frame.payload.kind === 'image') pixels.push(memory.bytes(event.frame.payload.region).slice());
    });
    clock.runUntil(instantUs(1000));
    scripted.child.write(frame(1, 10));
    clock.runUntil(instantUs(3000));
    scripted.child.write(Buffer.concat([frame(1, FRAME_BYTES - 10), frame(2), frame(3, 5)]));
    clock.runUntil(instantUs(4000));
    scripted.child.write(frame(3, FRAME_BYTES - 5));
    expect(story.frames.map(({ capturedAt, sequence }) => [capturedAt, sequence])).toEqual([
      [1000, 0],
      [3000, 1],
      [3000, 2],
    ]);
    expect(pixels).toEqual([frame(1), frame(2), frame(3)]);
    story.stop();
    expect(memory.liveRegions).toBe(0);
  });

  it('skips a frame for which there is no memory, goes on reading, and counts it', () => {
    const { memory, scripted, source } = setUp(camera, undefined, new CountedFrameMemory(FRAME_BYTES - 1));
    const story = recordSource(source, memory);
    scripted.child.write(frame(1));
    memory.bytesMax = FRAME_BYTES;
    scripted.child.write(frame(2));
    expect(story.rejections).toEqual(['no-memory']);
    expect(story.frames).toHaveLength(1);
    expect(story.states).toEqual(['starting', 'live']);
  });

  it('counts a last frame cut short as corrupt and frees it', () => {
    const { memory, scripted, source } = setUp(clip(false));
    const story = recordSource(source, memory);
    scripted.child.write(frame(1));
    scripted.child.write(frame(2, FRAME_BYTES - 1));
    scripted.child.end();
    expect(story.rejections).toEqual(['corrupt']);
    expect(story.frames).toHaveLength(1);
    expect(memory.liveRegions).toBe(0);
  });

  it('ends with a file and not with a camera or a loop', () => {
    for (const [options, state] of [
      [clip(false), 'ended'],
      [clip(true), 'restarting'],
      [camera, 'restarting'],
    ] as const) {
      const { memory, scripted, source } = setUp(options);
      const story = recordSource(source, memory);
      scripted.child.write(frame(1));
      scripted.child.end();
      expect(story.states.at(-1)).toBe(state);
      expect(story.isComplete).toBe(state === 'ended');
      story.stop();
    }
  });

  it('says `stalled` after three periods or 250 ms, and `live` again with the next frame', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    stream(rig, 500);
    rig.clock.runFor(durationFromMs(299));
    expect(story.states).toEqual(['starting', 'live']);
    rig.clock.runFor(durationFromMs(1));
    expect(story.states.at(-1)).toBe('stalled');
    stream(rig, 100);
    expect(story.states).toEqual(['starting', 'live', 'stalled', 'live']);
    expect(rig.scripted.child.signals).toEqual([]);
    story.stop();
  });

  it('kills a silent child by SIGTERM and after 2 s by SIGKILL, and starts another only when it is gone', () => {
    const rig = setUp(camera, ['SIGKILL']);
    const story = recordSource(rig.source, rig.memory);
    stream(rig, 500);
    rig.clock.runFor(durationFromMs(2000));
    const [first] = rig.scripted.children;
    expect(first?.signals).toEqual(['SIGTERM']);
    rig.clock.runFor(durationFromMs(1999));
    expect(first?.signals).toEqual(['SIGTERM']);
    expect(rig.scripted.children).toHaveLength(1);
    rig.clock.runFor(durationFromMs(1));
    expect(first?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    rig.clock.runFor(durationFromMs(250));
    expect(rig.scripted.children).toHaveLength(2);
    stream(rig, 100);
    expect(story.states).toEqual(['starting', 'live', 'stalled', 'restarting', 'live']);
    story.stop();
  });

  it('does not blame a child for the time that this process slept', () => {
    const sim = new SimClock();
    let lateUs = 0;
    const memory = new CountedFrameMemory();
    const scripted = createScriptedSpawn();
    const clock = createLateClock(sim, () => lateUs);
    const story = recordSource(createVideoSource(camera, { clock, memory, spawn: scripted.spawn, prng: new Prng(1) }), memory);
    lateUs = 60_000_000;
    scripted.child.write(frame(1));
    lateUs = 0;
    sim.runFor(durationFromMs(60_400));
    scripted.child.write(frame(2));
    expect(scripted.child.signals).toEqual([]);
    expect(story.states).toEqual(['starting', 'live']);
    sim.runFor(durationFromMs(3000));
    expect(scripted.children[0]?.signals).toEqual(['SIGTERM']);
    story.stop();
  });

  it('ignores what a condemned child still writes', () => {
    const rig = setUp(camera, []);
    const story = recordSource(rig.source, rig.memory);
    stream(rig, 200);
    rig.clock.runFor(durationFromMs(2000));
    const before = story.frames.length;
    rig.scripted.child.write(frame(9));
    expect(story.frames).toHaveLength(before);
    rig.scripted.child.end({ exitCode: null, signal: 'SIGKILL' });
    story.stop();
    expect(rig.memory.liveRegions).toBe(0);
  });

  it('gives a child 15 s for its first frame', () => {
    const rig = setUp();
    recordSource(rig.source, rig.memory);
    rig.clock.runFor(durationFromMs(14_999));
    expect(rig.scripted.child.signals).toEqual([]);
    rig.clock.runFor(durationFromMs(1));
    expect(rig.scripted.child.signals).toEqual(['SIGTERM']);
  });

  it('waits longer after each failure, up to 15 s, and never gives a camera up', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    const waits: number[] = [];
    for (let round = 0; round < 40; round += 1) {
      const endedAt = rig.clock.now();
      rig.scripted.child.end({ exitCode: 1 });
      const before = rig.scripted.children.length;
      while (rig.scripted.children.length === before) rig.clock.step();
      waits.push(msFromDuration(elapsedUs(endedAt, rig.clock.now())));
    }
    for (const [index, wait] of waits.entries()) {
      const full = Math.min(15_000, 250 * 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }
    expect(new Set(waits.slice(10)).size).toBeGreaterThan(20);
    expect(story.isComplete).toBe(false);
    story.stop();
  });

  it('gives a file up after five restarts in a row', () => {
    const rig = setUp(clip(true));
    const story = recordSource(rig.source, rig.memory);
    for (let round = 0; round < 6; round += 1) {
      rig.scripted.child.complain('/clip.mp4: No such file or directory\n');
      rig.scripted.child.end({ exitCode: 1 });
      rig.clock.runFor(durationFromMs(15_000 - 1));
    }
    expect(rig.scripted.children).toHaveLength(6);
    expect(story.isComplete).toBe(true);
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'SOURCE_LOST' } });
    expect(story.message).toContain('No such file or directory');
  });

  it('forgets failures once a child has worked for 10 s', () => {
    const rig = setUp(clip(true));
    const story = recordSource(rig.source, rig.memory);
    for (let round = 0; round < 12; round += 1) {
      stream(rig, 10_100);
      rig.scripted.child.end({ exitCode: 1 });
      rig.clock.runFor(durationFromMs(250));
    }
    expect(story.isComplete).toBe(false);
    expect(rig.scripted.children).toHaveLength(13);
    story.stop();
  });

  it('ends with PROGRAM_MISSING when there is no ffmpeg', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    rig.scripted.child.end({ startError: { code: 'ENOENT', message: 'spawn ffmpeg ENOENT' } });
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'PROGRAM_MISSING' } });
    expect(story.isComplete).toBe(true);
  });

  it('tries again when the machine is merely short of processes', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    rig.scripted.child.end({ startError: { code: 'EAGAIN', message: 'spawn ffmpeg EAGAIN' } });
    expect(story.states.at(-1)).toBe('restarting');
    story.stop();
  });

  it('kills its child when nobody listens any more, and the stubborn one too', () => {
    const rig = setUp(camera, ['SIGKILL']);
    const story = recordSource(rig.source, rig.memory);
    rig.scripted.child.write(frame(1, 3));
    story.stop();
    expect(rig.scripted.child.signals).toEqual(['SIGTERM']);
    rig.clock.runFor(durationFromMs(2000));
    expect(rig.scripted.child.isAlive).toBe(false);
    expect(rig.memory.liveRegions).toBe(0);
    rig.clock.runFor(durationFromMs(60_000));
    expect(rig.scripted.children).toHaveLength(1);
    expect(rig.clock.nextAt()).toBeUndefined();
  });

  it('starts no child from a backoff that nobody waits for', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    rig.scripted.child.end({ exitCode: 1 });
    story.stop();
    rig.clock.runFor(durationFromMs(60_000));
    expect(rig.scripted.children).toHaveLength(1);
  });

  it('counts on from the last sequence number after a restart and after a new subscription', () => {
    const rig = setUp();
    const story = recordSource(rig.source, rig.memory);
    rig.scripted.child.write(frame(1));
    rig.scripted.child.end({ exitCode: 1 });
    rig.clock.runFor(durationFromMs(250));
    rig.scripted.child.write(frame(1));
    story.stop();
    const next = recordSource(rig.source, rig.memory);
    rig.scripted.child.write(frame(1));
    expect([...story.frames, ...next.frames].map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    next.stop();
  });
});
