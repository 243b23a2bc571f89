import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeWavFile } from '../../../src/sources/wav-file.ts';
import { hasProgram } from '../../support/has-program.ts';
import { wavBytes } from '../../support/wav-bytes.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'coxswain-wav-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string): Promise<Float32Array> => decodeWavFile({ path: join(folder, name), secondsMax: 60 });

describe('decodeWavFile', () => {
  it('reads a file and names it when it cannot be played', async () => {
    writeFileSync(join(folder, 'good.wav'), wavBytes([0.5, -0.5]));
    expect([...(await read('good.wav'))]).toEqual([0.5, -0.5]);
    truncateSync(join(folder, 'good.wav'), 30);
    await expect(read('good.wav')).rejects.toMatchObject({ code: 'WAV_INVALID', message: expect.stringContaining('good.wav') });
  });

  it('refuses a missing file, a folder and a FIFO without waiting', async () => {
    expect(spawnSync('mkfifo', [join(folder, 'fifo')]).status).toBe(0);
    for (const name of ['missing', '.', 'fifo']) await expect(read(name)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
  });
});

describe.skipIf(!hasProgram('ffmpeg'))('decodeWavFile against ffmpeg', () => {
  /** One second of a 1 kHz tone as ffmpeg writes it. */
  const make = (name: string, args: readonly string[]): void => {
    const tone = ['-f', 'lavfi', '-i', 'sine=frequency=1000:sample_rate=48000:duration=1'];
    const made = spawnSync('ffmpeg', ['-v', 'error', '-y', ...tone, ...args, join(folder, name)]);
    expect(String(made.stderr)).toBe('');
  };

  // A tone for one speaker comes to two at -3 dB each, and of four it uses one: the mean of them is quieter by that.
  it.each([
    ['PCM16 stereo at 44.1 kHz', ['-ar', '44100', '-ac', '2'], Math.SQRT1_2],
    ['PCM24 extensible', ['-c:a', 'pcm_s24le'], 1],
    ['PCM32 with four channels', ['-c:a', 'pcm_s32le', '-ac', '4'], 1 / 4],
    ['float at 96 kHz', ['-c:a', 'pcm_f32le', '-ar', '96000'], 1],
    ['double', ['-c:a', 'pcm_f64le'], 1],
    ['8 bit at 8 kHz', ['-c:a', 'pcm_u8', '-ar', '8000'], 1],
  ])('reads %s', async (name, args, gain) => {
    make(`${name}.wav`, args);
    const samples = await read(`${name}.wav`);
    expect(samples).toHaveLength(16_000);
    // ffmpeg's tone peaks at 1/8. Its sine starts at 0, as ours does here.
    const middle = samples.subarray(2000, 14_000);
    const errors = middle.map((sample, index) => sample - (gain / 8) * Math.sin((2 * Math.PI * 1000 * (index + 2000)) / 16_000));
    const power = (signal: Float32Array): number => signal.reduce((sum, sample) => sum + sample * sample, 0) / signal.length;
    expect(10 * Math.log10(power(errors) / power(middle))).toBeLessThan(-25);
  });
});
