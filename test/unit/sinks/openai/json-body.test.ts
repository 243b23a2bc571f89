import { describe, expect, it } from 'vitest';
import { readJsonBody } from '../../../../src/sinks/openai/json-body.ts';

const read = (text: string | Uint8Array) => readJsonBody(typeof text === 'string' ? Buffer.from(text) : text);
const nested = (depth: number, [open, close]: readonly [string, string]): string => open.repeat(depth) + close.repeat(depth);

describe('a body', () => {
  it('is a value of JSON', () => {
    expect(read('{"a":[1,"é打"]}')).toEqual({ kind: 'value', value: { a: [1, 'é打'] } });
  });

  it.each([
    ['nothing', '', /no body/],
    ['half of a value', '{"a":', /not JSON/],
    ['two values', '{} {}', /not JSON/],
    ['another language', 'model=lm', /not JSON/],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), /not UTF-8/],
    ['a character cut off', Buffer.from([0x22, 0xe6, 0x89, 0x22]), /not UTF-8/],
    ['a character spelled too long', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), /not UTF-8/],
    ['deep arrays', nested(129, ['[', ']']), /deeper than 128/],
    ['deep arrays that never end', '['.repeat(500_000), /deeper than 128/],
    ['deep objects', nested(200_000, ['{"a":', '}']), /deeper than 128/],
  ])('is refused as %s', (_, body, message) => {
    expect(read(body)).toEqual({ kind: 'refused', message: expect.stringMatching(message) });
  });

  it('may be as deep as is allowed, and have any brackets in its texts', () => {
    expect(read(nested(128, ['[', ']'])).kind).toBe('value');
    expect(read(JSON.stringify(['['.repeat(1_000), '\\"['.repeat(1_000), '"['.repeat(500)])).kind).toBe('value');
  });
});
