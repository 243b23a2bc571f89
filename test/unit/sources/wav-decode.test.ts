import { describe, expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { decodeWav } from '../../../src/sources/wav-decode.ts';
import { wavBytes } from '../../support/wav-bytes.ts';

const limits = { secondsMax: 60 };
const wave = [0, 0.25, -0.5, 0.75, -1];

function refusal(bytes: Uint8Array): string {
  try {
    decodeWav(bytes, limits);
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'WAV_INVALID') return error.message;
    throw error;
  }
  return 'played';
}

/** The file with the 16 or 32 bits at `offset` replaced. */
function patched(bytes: Uint8Array, offset: number, value: number, width: 2 | 4): Uint8Array {
  const copy = Buffer.from(bytes);
  copy.writeUIntLE(value, offset, width);
  return copy;
}

describe('decodeWav', () => {
  it.each(['pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32', 'float64'] as const)('reads %s, plain and extensible', (encoding) => {
    for (const isExtensible of [false, true]) {
      const samples = decodeWav(wavBytes(wave, { encoding, isExtensible }), limits);
      expect(samples).toHaveLength(wave.length);
      for (const [index, value] of wave.entries()) expect(samples[index]).toBeCloseTo(value, encoding === 'pcm8' ? 2 : 4);
    }
  });

  it('mixes stereo down by the mean', () => {
    expect([...decodeWav(wavBytes([0.5, 0, -0.5, -0.5], { channels: 2 }), limits)]).toEqual([0.25, -0.5]);
  });

  it('resamples to 16 kHz', () => {
    expect(decodeWav(wavBytes(new Float32Array(48_000), { rateHz: 48_000 }), limits)).toHaveLength(16_000);
  });

  it('steps over other chunks, also over the padding of an odd one', () => {
    const between = Buffer.concat([Buffer.from('LIST\x03\0\0\0abc\0'), Buffer.from('bext\x02\0\0\0xy')]);
    expect([...decodeWav(wavBytes([0.5], { between }), limits)]).toEqual([0.5]);
  });

  it('clips what a float file has beyond 1', () => {
    expect([...decodeWav(wavBytes([3, -7], { encoding: 'float32' }), limits)]).toEqual([1, -1]);
  });

  it('makes NaN of every sample that is not finite, so that no infinity is clipped into a lawful sample', () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, 0.5, Number.NEGATIVE_INFINITY];
    expect([...decodeWav(wavBytes(bad, { encoding: 'float32' }), limits)]).toEqual([Number.NaN, Number.NaN, 0.5, Number.NaN]);
  });

  it('plays what is there when the data chunk claims more', () => {
    for (const dataBytes of [0xffffffff, 0x80000000, 1_000_000]) {
      expect(decodeWav(wavBytes(wave, { claims: { dataBytes, riffBytes: 7 } }), limits)).toHaveLength(wave.length);
    }
  });

  it('plays a file that was cut off inside a sample up to the last whole frame', () => {
    const bytes = wavBytes([0.1, 0.2, 0.3, 0.4], { channels: 2 });
    expect(decodeWav(bytes.subarray(0, bytes.length - 1), limits)).toHaveLength(1);
  });

  it('plays all of a recording whose recorder was killed before it wrote the lengths', () => {
    expect(decodeWav(wavBytes(wave, { claims: { riffBytes: 0, dataBytes: 0 } }), limits)).toHaveLength(wave.length);
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['an ID only', Buffer.from('RIFF')],
    ['another file', Buffer.from('\x89PNG\r\n\x1a\n'.repeat(10), 'latin1')],
    ['no samples', wavBytes([])],
    ['zero channels', wavBytes(wave, { claims: { channels: 0 } })],
    ['more channels than its frames have bytes for', wavBytes(wave, { claims: { channels: 3 } })],
    ['65535 channels', wavBytes(wave, { claims: { channels: 65_535 } })],
    ['a rate of 0', wavBytes(wave, { claims: { rateHz: 0 } })],
    ['a rate of 4 GHz', wavBytes(wave, { claims: { rateHz: 0xffffffff } })],
    ['a rate just below the least', wavBytes(wave, { claims: { rateHz: 1999 } })],
    ['a rate just above the most', wavBytes(wave, { claims: { rateHz: 384_001 } })],
    ['an encoding we do not know', patched(wavBytes(wave), 20, 2, 2)],
    ['a subformat we do not know', patched(wavBytes(wave, { isExtensible: true }), 44, 6, 2)],
    ['a foreign subformat family', patched(wavBytes(wave, { isExtensible: true }), 52, 0, 2)],
    ['a frame of no bytes', patched(wavBytes(wave), 32, 0, 2)],
    ['bits that do not fit its bytes', patched(wavBytes(wave), 34, 24, 2)],
    ['a short format chunk', patched(wavBytes(wave), 16, 14, 4)],
    ['a format chunk as long as the file', patched(wavBytes(wave), 16, 0xffffffff, 4)],
    ['no data chunk', wavBytes(wave).subarray(0, 36)],
    ['data before its format', Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd'), wavBytes(wave).subarray(12)])],
  ])('refuses a file with %s', (_what, bytes) => {
    expect(refusal(bytes)).toMatch(/^not a WAV file that can be played: /);
  });

  it('takes a file of just the length allowed and refuses one sample more', () => {
    expect(decodeWav(wavBytes(new Float32Array(16_000)), { secondsMax: 1 })).toHaveLength(16_000);
    expect(() => decodeWav(wavBytes(new Float32Array(16_001)), { secondsMax: 1 })).toThrow(/at most 1 s/);
  });
});
