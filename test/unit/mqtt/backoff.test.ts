import { describe, expect, it } from 'vitest';
import { Prng } from '../../../src/core/prng.ts';
import { type DurationUs, durationUs } from '../../../src/core/units.ts';
import { RetryPlan, retryDelayUs } from '../../../src/mqtt/backoff.ts';

const s = (seconds: number): DurationUs => durationUs(seconds * 1_000_000);
const policies = {
  stableUs: s(10),
  retry: { baseUs: s(0.5), maxUs: s(30) },
  retryAuth: { baseUs: s(30), maxUs: s(300) },
  retryTakenOver: { baseUs: s(5), maxUs: s(300) },
};
const plan = (): RetryPlan => new RetryPlan(policies, new Prng(7));

describe('retry delays', () => {
  it('double with each failure, within half of the wanted delay, up to the maximum', () => {
    const prng = new Prng(1);
    for (let failures = 0; failures < 2000; failures += 1) {
      const wantedUs = Math.min(s(30), s(0.5) * 2 ** failures);
      const delayUs = retryDelayUs(policies.retry, failures, prng);
      expect(delayUs).toBeGreaterThanOrEqual(wantedUs / 2);
      expect(delayUs).toBeLessThanOrEqual(wantedUs);
    }
  });

  it('differ between two nodes', () => {
    expect(retryDelayUs(policies.retry, 9, new Prng('a'))).not.toBe(retryDelayUs(policies.retry, 9, new Prng('b')));
  });

  it('are long after a refused login', () => {
    expect(plan().nextDelayUs('auth-refused', durationUs(0))).toBeGreaterThanOrEqual(s(15));
  });

  it('start again small after a stable connection', () => {
    const retries = plan();
    for (let attempt = 0; attempt < 8; attempt += 1) retries.nextDelayUs('unreachable', durationUs(0));
    expect(retries.failures).toBe(8);
    expect(retries.nextDelayUs('closed-by-broker', s(200))).toBeLessThanOrEqual(s(0.5));
    expect(retries.failures).toBe(1);
  });

  it('go on growing while two nodes take one client id from each other', () => {
    const retries = plan();
    let delayUs = retries.nextDelayUs('taken-over', durationUs(0));
    // The other node waits about as long as we did, so we live for about our own last delay.
    for (let round = 0; round < 10; round += 1) delayUs = retries.nextDelayUs('taken-over', durationUs(delayUs * 1.5));
    expect(delayUs).toBeGreaterThanOrEqual(s(150));
  });
});
