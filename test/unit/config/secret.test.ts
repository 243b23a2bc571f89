import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../../../src/config/deep-freeze.ts';
import { Secret, withoutUserInfo } from '../../../src/config/secret.ts';

describe('Secret', () => {
  const secret = new Secret('hunter2');

  it('gives its value only to reveal', () => {
    expect(secret.reveal()).toBe('hunter2');
  });

  it('is masked by every way to text', () => {
    const error = new Error(`got ${secret}`);
    const texts = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ deep: { secret } }, { depth: 9, showHidden: true }),
      error.message,
    ];
    for (const text of texts) {
      expect(text).toContain('***');
      expect(text).not.toContain('hunter2');
    }
    expect(Object.values(secret).join()).not.toContain('hunter2');
    expect(JSON.stringify(structuredClone(secret))).not.toContain('hunter2');
  });

  it('still reveals when it is frozen', () => {
    expect(deepFreeze({ secret: new Secret('x') }).secret.reveal()).toBe('x');
  });
});

describe('withoutUserInfo', () => {
  it.each([
    ['rtsp://bob:pw@camera/1', 'rtsp://***@camera/1'],
    ['rtsp://bob:p@w@camera/1', 'rtsp://***@camera/1'],
    ['mqtt://bob@host:1883', 'mqtt://***@host:1883'],
    ['rtsp://camera/a@b', 'rtsp://camera/a@b'],
    ['plain text @ home', 'plain text @ home'],
  ])('turns %s into %s', (url, shown) => {
    expect(withoutUserInfo(url)).toBe(shown);
  });
});
