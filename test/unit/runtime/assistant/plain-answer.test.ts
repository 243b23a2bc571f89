import { describe, expect, it } from 'vitest';
import { plainAnswer } from '../../../../src/runtime/assistant/plain-answer.ts';

describe('a plain answer', () => {
  it.each(['yes', ' Yes! ', 'YES, please.', 'Go ahead', '好的。', '是', 'ｙｅｓ'])('is a yes: "%s"', (text) => {
    expect(plainAnswer(text)).toBe('yes');
  });

  it.each(['no', "Don't!", 'no, don’t', '不要！', '算了', 'Cancel that.'])('is a no: "%s"', (text) => {
    expect(plainAnswer(text)).toBe('no');
  });

  it.each(['', 'yes and open the trunk', 'not no', 'stop', 'say yes', '好的，打开车窗', 'yes\u0000', 'y'.repeat(1_000_000)])(
    'is none: %j',
    (text) => {
      expect(plainAnswer(text)).toBeUndefined();
    },
  );
});
