import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { decodeWav } from '../../../src/sources/wav-decode.ts';
import { wavBytes } from '../../support/wav-bytes.ts';

const encoding = fc.constantFrom('pcm8', 'pcm16', 'pcm24', 'pcm32', 'float32', 'float64');

/** Decodes, or returns undefined for a file that is refused as it should be; anything else thrown is a fault of ours. */
function decode(bytes: Uint8Array): Float32Array | undefined {
  try {
    return decodeWav(bytes, { secondsMax: 1 });
  } catch (error) {
    if (error instanceof CoxswainError && error.code === 'WAV_INVALID') return undefined;
    throw error;
  }
}

it('refuses a damaged file as WAV_INVALID or gives samples within -1..1 or NaN, never more than allowed', () => {
  const damage = fc.array(fc.record({ at: fc.nat(80), value: fc.integer({ min: 0, max: 255 }) }), { maxLength: 8 });
  const samples = fc.array(fc.float({ min: -1, max: 1, noNaN: true }), { minLength: 1, maxLength: 100 });
  let played = 0;
  fc.assert(
    fc.property(samples, encoding, fc.boolean(), damage, fc.nat(600), (wave, kind, isExtensible, patches, lengthMax) => {
      const whole = wavBytes(wave, { encoding: kind, isExtensible });
      const bytes = Buffer.from(whole.subarray(0, lengthMax));
      for (const { at, value } of patches) if (at < bytes.length) bytes[at] = value;
      const decoded = decode(bytes);
      if (decoded === undefined) return;
      played += 1;
      expect(decoded.length).toBeLessThanOrEqual(16_000);
      for (const sample of decoded) expect(Number.isNaN(sample) || (sample >= -1 && sample <= 1)).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(played).toBeGreaterThan(100);
});

it('survives bytes of any kind after a lawful beginning', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (tail) => {
      decode(Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), tail]));
    }),
    { numRuns: 3000 },
  );
});

it('gives every sample back to the precision of its encoding', () => {
  const samples = fc.array(fc.float({ min: -1, max: Math.fround(0.99), noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(samples, encoding, (wave, kind) => {
      const decoded = decode(wavBytes(wave, { encoding: kind }));
      const step = kind === 'pcm8' ? 2 ** -7 : kind === 'pcm16' ? 2 ** -15 : 2 ** -22;
      expect(decoded).toHaveLength(wave.length);
      for (const [index, value] of wave.entries()) expect(Math.abs((decoded?.[index] ?? 9) - value)).toBeLessThanOrEqual(step);
    }),
  );
});
