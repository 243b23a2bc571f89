import { describe, expect, it } from 'vitest';
import { resample } from '../../../src/sources/resample.ts';

const sine = (hz: number, rateHz: number, seconds: number): Float32Array =>
  Float32Array.from({ length: Math.round(rateHz * seconds) }, (_, index) => 0.5 * Math.sin((2 * Math.PI * hz * index) / rateHz));

/** Root mean square without the ends, where the kernel reaches into silence. */
function levelDb(samples: Float32Array): number {
  const middle = samples.subarray(samples.length >> 2, samples.length - (samples.length >> 2));
  const square = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10(square / 0.125);
}

/** What is left after the sine of `hz` with the expected amplitude and phase is taken away. */
function errorDb(samples: Float32Array, hz: number): number {
  const wanted = sine(hz, 16_000, samples.length / 16_000);
  return levelDb(samples.map((sample, index) => sample - (wanted[index] ?? 0)));
}

describe('resample', () => {
  it.each([8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 44_101])('keeps tones of the passband from %i Hz', (rateHz) => {
    const halfRate = Math.min(rateHz, 16_000) / 2;
    for (const hz of [50, 440, halfRate / 2, halfRate * 0.84]) {
      const out = resample(sine(hz, rateHz, 0.5), rateHz, 16_000);
      expect(Math.abs(levelDb(out))).toBeLessThan(0.1);
      expect(errorDb(out, hz)).toBeLessThan(-40);
    }
    expect(errorDb(resample(sine(440, rateHz, 0.5), rateHz, 16_000), 440)).toBeLessThan(-75);
  });

  it.each([
    [44_100, 8100],
    [44_100, 15_000],
    [48_000, 12_000],
    [48_000, 20_000],
    [96_000, 40_000],
    [22_050, 9000],
  ])('suppresses what would alias: from %i Hz a tone of %i Hz', (rateHz, hz) => {
    expect(levelDb(resample(sine(hz, rateHz, 0.5), rateHz, 16_000))).toBeLessThan(-75);
  });

  it('suppresses the images of a slower input', () => {
    const out = resample(sine(3000, 8000, 0.5), 8000, 16_000);
    expect(errorDb(out, 3000)).toBeLessThan(-70);
  });

  it.each([
    [48_000, 3000, 1000],
    [44_100, 441, 160],
    [44_100, 440, 159],
    [8000, 1, 2],
    [48_000, 2, 0],
  ])('from %i Hz makes of %i samples %i', (rateHz, length, expected) => {
    expect(resample(new Float32Array(length), rateHz, 16_000)).toHaveLength(expected);
  });

  it('gives input of the same rate back as it is', () => {
    const samples = sine(440, 16_000, 0.01);
    expect(resample(samples, 16_000, 16_000)).toEqual(samples);
  });

  it('keeps a NaN as NaN and spreads it no further than its kernel', () => {
    const samples = sine(440, 48_000, 0.5);
    samples[12_000] = Number.NaN;
    const out = resample(samples, 48_000, 16_000);
    expect(out[4000]).toBeNaN();
    expect(Number.isFinite(out[3960])).toBe(true);
    expect(Number.isFinite(out[4040])).toBe(true);
  });
});
