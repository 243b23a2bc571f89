import { describe, expect, it } from 'vitest';
import { durationUs, instantUs } from '../../../src/core/units.ts';
import { ReleasePattern } from '../../../src/scheduler/release-pattern.ts';

const PERIOD = 100_000;
const patternOf = (captures: readonly number[], lagUs = 10_000): ReleasePattern => {
  const pattern = new ReleasePattern(durationUs(PERIOD));
  for (const at of captures) pattern.observe(instantUs(at), instantUs(at + lagUs));
  return pattern;
};
const every = (intervalUs: number, times: number): number[] => Array.from({ length: times }, (_, n) => n * intervalUs);

describe('a release pattern', () => {
  it('expects nothing before the first capture, nor from a stream without a period', () => {
    expect(new ReleasePattern(durationUs(PERIOD)).predict(instantUs(0))).toBe(false);
    const aperiodic = new ReleasePattern(durationUs(0));
    aperiodic.observe(instantUs(0), instantUs(1));
    expect(aperiodic.predict(instantUs(2))).toBe(false);
  });

  it('expects the next capture a period after the last, and its arrival as late as the others were', () => {
    const pattern = patternOf(every(PERIOD, 1));
    expect(pattern.predict(instantUs(20_000))).toBe(true);
    expect(pattern.captureAt).toBe(100_000);
    expect(pattern.arrivalAt).toBe(110_000);
    expect(pattern.arrivalBy).toBe(114_000);
  });

  it('learns the interval that the source really keeps', () => {
    const pattern = patternOf(every(80_000, 12));
    pattern.predict(instantUs(890_000));
    expect(pattern.captureAt).toBe(960_000);
  });

  it('is not thrown off by a burst or by a frame left out', () => {
    const pattern = patternOf([...every(PERIOD, 10), 900_500, 901_000, 1_000_000, 1_200_000]);
    pattern.predict(instantUs(1_210_000));
    expect(pattern.captureAt).toBeGreaterThan(1_270_000);
    expect(pattern.captureAt).toBeLessThanOrEqual(1_300_000);
  });

  it('keeps the interval between half and four times the configured period', () => {
    const fast = patternOf(every(1_000, 30));
    fast.predict(instantUs(30_000));
    expect(fast.captureAt).toBe(29_000 + PERIOD / 2);
    const slow = patternOf(every(PERIOD * 10, 5));
    slow.predict(instantUs(4_000_000));
    expect(slow.captureAt).toBe(4_000_000 + PERIOD * 4);
  });

  it('allows for jitter of the captures by expecting them earlier', () => {
    const captures = every(PERIOD, 15).map((at, n) => at + (n % 3) * 4_000);
    const pattern = patternOf(captures);
    pattern.predict(instantUs(1_420_000));
    expect(pattern.captureAt).toBeLessThan(1_508_000);
    expect(pattern.captureAt).toBeGreaterThan(1_460_000);
  });

  it('goes on to the next release when one did not come, and gives up after three', () => {
    const pattern = patternOf(every(PERIOD, 5));
    expect(pattern.predict(instantUs(514_000 + 1))).toBe(true);
    expect(pattern.captureAt).toBe(600_000);
    expect(pattern.predict(instantUs(800_000))).toBe(true);
    expect(pattern.captureAt).toBe(800_000);
    expect(pattern.predict(instantUs(814_000 + 1))).toBe(false);
  });

  it('takes several jobs of one capture, or an older one, for no release', () => {
    const pattern = patternOf([0, 0, 0, PERIOD, PERIOD, PERIOD - 5, 2 * PERIOD]);
    pattern.predict(instantUs(210_000));
    expect(pattern.captureAt).toBe(300_000);
  });
});
