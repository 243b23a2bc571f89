import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFilm } from '../../../src/sources/film.ts';
import { VIDEO_DEFAULTS } from '../../../src/sources/video.ts';
import { childPids } from '../../support/child-pids.ts';
import { eventually } from '../../support/eventually.ts';
import { hasProgram } from '../../support/has-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'coxswain-film-'));
afterAll(() => rmSync(folder, { recursive: true }));

const clip = join(folder, 'clip.mp4');
const [width, height] = [64, 48];
const open = (path: string, loop = false, program: string = VIDEO_DEFAULTS.program) =>
  openFilm({ kind: 'video', id: 'film', input: { kind: 'file', path, loop }, width, height, fps: 10, program });

/** All frames up to so many. */
async function frames(path: string, max: number, loop = false): Promise<Buffer[]> {
  const film = open(path, loop);
  const taken: Buffer[] = [];
  const target = new Uint8Array(width * height * 3);
  while (taken.length < max && (await film.next(target))) taken.push(Buffer.from(target));
  film.close();
  return taken;
}

describe.skipIf(!hasProgram('ffmpeg'))('a film through ffmpeg', () => {
  beforeAll(() => {
    const source = ['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=10:duration=1.2'];
    const made = spawnSync('ffmpeg', ['-v', 'error', '-y', ...source, '-pix_fmt', 'yuv420p', '-c:v', 'mpeg4', '-q:v', '2', clip]);
    expect(String(made.stderr)).toBe('');
  });

  it('gives all of its frames in order, the same each time, and is over', async () => {
    const [one, two] = [await frames(clip, 100), await frames(clip, 100)];
    expect(one).toHaveLength(12);
    expect(two.every((frame, index) => frame.equals(one[index] ?? Buffer.of()))).toBe(true);
    expect(new Set(one.map((frame) => frame.toString('base64'))).size).toBe(12);
  });

  it('begins again where it loops', async () => {
    const taken = await frames(clip, 25, true);
    expect(taken).toHaveLength(25);
    expect(taken[12]?.equals(taken[0] ?? Buffer.of())).toBe(true);
  });

  it('says what is wrong with a file or with the program', async () => {
    const broken = join(folder, 'broken.mp4');
    writeFileSync(broken, 'no film at all');
    await expect(open(broken).next(new Uint8Array(9))).rejects.toThrow(
      expect.objectContaining({ code: 'SOURCE_LOST', message: expect.stringMatching(/^ffmpeg ended with \d+: .+/) }),
    );
    await expect(open(clip, false, 'no-such-program').next(new Uint8Array(9))).rejects.toThrow(
      expect.objectContaining({ code: 'PROGRAM_MISSING' }),
    );
  });

  it('leaves no child behind when it is closed in the middle, and writes no more', async () => {
    const before = childPids();
    const film = open(clip, true);
    const target = new Uint8Array(width * height * 3);
    expect(await film.next(target)).toBe(true);
    const rest = film.next(target);
    film.close();
    expect(typeof (await rest.catch(() => false))).toBe('boolean');
    await eventually(() => childPids().length === before.length, 'the child is gone');
  });
});
