import { describe, expect, it } from 'vitest';
import { leastTrusted } from '../../../src/core/proposal.ts';

describe('words of several', () => {
  it('count as those of whom is trusted least', () => {
    expect(leastTrusted(['driver'])).toBe('driver');
    expect(leastTrusted(['driver', 'camera-text', 'passenger'])).toBe('camera-text');
    expect(leastTrusted(['mqtt', 'driver'])).toBe('mqtt');
  });
});
