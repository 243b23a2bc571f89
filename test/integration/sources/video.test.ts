import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import type { SpawnChild } from '../../../src/sources/child.ts';
import type { ChildPolicy } from '../../../src/sources/child-supervisor.ts';
import { createNodeSpawn } from '../../../src/sources/node-spawn.ts';
import type { SourceEvent } from '../../../src/sources/source.ts';
import { createVideoSource, type VideoSourceOptions } from '../../../src/sources/video.ts';
import { CountedFrameMemory } from '../../support/counted-frame-memory.ts';
import { eventually } from '../../support/eventually.ts';
import { hasProgram } from '../../support/has-program.ts';
import { recordSource, type SourceRecorder } from '../../support/source-recorder.ts';

let folder: string;
const stories: SourceRecorder[] = [];
const pids: number[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-video-'));
});
afterEach(async () => {
  for (const story of stories.splice(0)) story.stop();
  await eventually(() => pids.every((pid) => !isAlive(pid)), 'every child is gone');
  pids.splice(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A zombie counts as gone: its parent is about to collect it. */
function isAlive(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false;
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function play(options: Partial<VideoSourceOptions>, policy: Partial<ChildPolicy> = {}, onEvent?: (event: SourceEvent) => void) {
  const memory = new CountedFrameMemory();
  const spawnReal = createNodeSpawn();
  const spawn: SpawnChild = (...call) => {
    const child = spawnReal(...call);
    if (child.pid !== undefined) pids.push(child.pid);
    return child;
  };
  const plain: VideoSourceOptions = {
    kind: 'video',
    id: 'cam',
    input: { kind: 'file', path: join(folder, 'clip.mp4'), loop: true },
    width: 32,
    height: 24,
    fps: 25,
    program: 'ffmpeg',
    policy: { backoffFirstUs: durationFromMs(50), ...policy },
  };
  const source = createVideoSource({ ...plain, ...options }, { clock: createSystemClock(), memory, spawn, prng: new Prng(1) });
  const story = recordSource(source, memory, onEvent);
  stories.push(story);
  return { story, memory };
}

const newestPid = (): number => pids.at(-1) ?? -1;

/** A program of the test's own that stands in for ffmpeg and gets its arguments. */
function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe.skipIf(!hasProgram('ffmpeg'))('video through ffmpeg', () => {
  beforeAll(() => {
    const bars = ['-f', 'lavfi', '-i', 'color=c=0xC86432:size=160x90:rate=25:duration=1'];
    const made = spawnSync('ffmpeg', [
      '-v',
      'error',
      '-y',
      ...bars,
      '-pix_fmt',
      'yuv420p',
      '-c:v',
      'mpeg4',
      '-q:v',
      '2',
      join(folder, 'clip.mp4'),
    ]);
    expect(String(made.stderr)).toBe('');
  });

  it('plays a file once, every frame at its own pace and in its colours, and ends', async () => {
    const pixels: number[][] = [];
    const { story, memory } = play({ input: { kind: 'file', path: join(folder, 'clip.mp4'), loop: false } }, {}, (event) => {
      if (event.kind === 'frame' && event.frame.payload.kind === 'image')
        pixels.push([...memory.bytes(event.frame.payload.region).subarray(0, 3)]);
    });
    await eventually(() => story.isComplete, 'the end of the file');
    expect(story.frames).toHaveLength(25);
    const [first, last] = [story.frames[0], story.frames.at(-1)];
    expect((last?.capturedAt ?? 0) - (first?.capturedAt ?? 0)).toBeGreaterThan(700_000);
    for (const [red, green, blue] of pixels) {
      expect(Math.abs((red ?? 0) - 200)).toBeLessThan(8);
      expect(Math.abs((green ?? 0) - 100)).toBeLessThan(8);
      expect(Math.abs((blue ?? 0) - 50)).toBeLessThan(8);
    }
    expect(story.states).toEqual(['starting', 'live', 'ended']);
    expect(memory.liveRegions).toBe(0);
  });

  it('loops for ever', async () => {
    const { story } = play({});
    await eventually(() => story.frames.length > 40, 'more frames than the file has');
    expect(story.states).toEqual(['starting', 'live']);
  });

  it('recovers when ffmpeg is killed in mid-stream', async () => {
    const { story, memory } = play({});
    await eventually(() => story.frames.length > 5, 'frames');
    process.kill(newestPid(), 'SIGKILL');
    await eventually(() => story.states.includes('restarting'), 'the loss is noticed');
    const before = story.frames.length;
    await eventually(() => story.frames.length > before + 5, 'frames again');
    expect(story.states.at(-1)).toBe('live');
    expect(pids).toHaveLength(2);
    const numbers = story.frames.map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    story.stop();
    expect(memory.liveRegions).toBe(0);
  });

  it('kills an ffmpeg that hangs and starts another', async () => {
    const { story } = play({}, { staleAfterUs: durationFromMs(300), killAfterUs: durationFromMs(600) });
    await eventually(() => story.frames.length > 5, 'frames');
    const hung = newestPid();
    process.kill(hung, 'SIGSTOP');
    await eventually(() => story.states.includes('stalled'), 'the hang is noticed');
    const before = story.frames.length;
    await eventually(() => story.frames.length > before + 5, 'frames again');
    expect(isAlive(hung)).toBe(false);
    expect(story.states).toEqual(['starting', 'live', 'stalled', 'restarting', 'live']);
  });

  it('leaves no ffmpeg behind when nobody listens', async () => {
    const { story, memory } = play({});
    await eventually(() => story.frames.length > 2, 'frames');
    story.stop();
    await eventually(() => !isAlive(newestPid()), 'ffmpeg is gone');
    expect(memory.liveRegions).toBe(0);
  });

  it('gives a file up that is not a video, with the words of ffmpeg', async () => {
    writeFileSync(join(folder, 'notes.mp4'), 'these are notes\n'.repeat(1000));
    const { story } = play({ input: { kind: 'file', path: join(folder, 'notes.mp4'), loop: true } }, { restartsMax: 1 });
    await eventually(() => story.isComplete, 'giving up');
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'SOURCE_LOST' } });
    expect(story.message).toMatch(/notes\.mp4|Invalid data/);
    expect(pids).toHaveLength(2);
  });

  it('opens nothing that a playlist names', async () => {
    const path = join(folder, 'list.m3u8');
    writeFileSync(path, `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${join(folder, 'clip.mp4')}\n#EXT-X-ENDLIST\n`);
    const { story } = play({ input: { kind: 'file', path, loop: false } }, { restartsMax: 0 });
    await eventually(() => story.isComplete, 'giving up');
    expect(story.frames).toHaveLength(0);
    expect(story.message).toMatch(/whitelist|Invalid/i);
  });

  it('asks an RTSP camera over TCP, tries a dead one again, and never shows its password', async () => {
    const requests: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        requests.push(String(data));
        socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const { story } = play({ input: { kind: 'rtsp', url: `rtsp://driver:geheim@127.0.0.1:${port}/front` } });
    await eventually(() => requests.length >= 2, 'two attempts');
    expect(requests[0]).toMatch(new RegExp(`^OPTIONS rtsp://127.0.0.1:${port}/front RTSP/1.0`));
    expect(story.states).toContain('restarting');
    expect(JSON.stringify(story.events)).not.toContain('geheim');
    story.stop();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('video through a program that misbehaves', () => {
  it('ends with PROGRAM_MISSING when there is none', async () => {
    const { story } = play({ program: join(folder, 'no such program') });
    await eventually(() => story.isComplete, 'the end');
    expect(story.events.at(-1)).toMatchObject({ state: 'ended', error: { code: 'PROGRAM_MISSING' } });
  });

  it('drains megabytes of complaints and keeps the last line', async () => {
    const body = 'head -c 8000000 /dev/zero | tr "\\0" "x" >&2; echo >&2; echo "the lens is dirty" >&2; head -c 2304 /dev/zero; exit 3';
    const { story } = play({ program: script('noisy', body) }, { restartsMax: 0 });
    await eventually(() => story.isComplete, 'the end');
    expect(story.frames).toHaveLength(1);
    expect(story.message).toContain('exited with code 3 (the lens is dirty)');
  });

  it('takes garbage of the wrong length for frames as far as it goes and counts the rest as corrupt', async () => {
    const program = script('garbage', 'head -c 5000 /dev/urandom');
    const { story, memory } = play({ program, input: { kind: 'file', path: '/x', loop: false } });
    await eventually(() => story.isComplete, 'the end');
    expect(story.frames).toHaveLength(2);
    expect(story.rejections).toEqual(['corrupt']);
    expect(memory.liveRegions).toBe(0);
  });

  it('kills a program that ignores SIGTERM, with what it started', async () => {
    const pidFile = join(folder, 'grandchild');
    const body = `trap '' TERM; sleep 1000 & echo $! > ${pidFile}; head -c 2304 /dev/zero; wait; wait`;
    const { story } = play({ program: script('stubborn', body) });
    await eventually(() => story.frames.length === 1, 'a frame');
    const grandchild = Number(readFileSync(pidFile, 'utf8'));
    const child = newestPid();
    story.stop();
    await eventually(() => !isAlive(child) && !isAlive(grandchild), 'both are gone');
  });
});
