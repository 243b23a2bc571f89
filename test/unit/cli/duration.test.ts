import { describe, expect, test } from 'vitest';
import { formatElapsed, parseDuration } from '../../../src/cli/duration.ts';
import { UsageError } from '../../../src/cli/exit-code.ts';

describe('duration', () => {
  test.each([
    ['500ms', 500_000],
    ['20s', 20_000_000],
    ['1.5m', 90_000_000],
    ['1h', 3_600_000_000],
    ['720h', 2_592_000_000_000],
  ])('reads %s', (text, microseconds) => {
    expect(parseDuration(text)).toBe(microseconds);
  });

  test.each(['', '20', 's', '-5s', '0s', '1e3s', '20 s', '721h', 'Infinitys', '5d'])('refuses %j', (text) => {
    expect(() => parseDuration(text)).toThrow(UsageError);
  });

  test.each([
    [0, '0:00'],
    [59_999, '0:59'],
    [61_000, '1:01'],
    [3_723_000, '1:02:03'],
  ])('shows %d ms as %s', (milliseconds, text) => {
    expect(formatElapsed(milliseconds)).toBe(text);
  });
});
