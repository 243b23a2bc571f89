import { describe, expect, it } from 'vitest';
import { configInvalid, formatProblem, keyText, printable, quoted } from '../../../src/config/problem.ts';

describe('a problem', () => {
  it('begins with file, line and column', () => {
    const problem = { file: 'a.yaml', position: { line: 3, column: 7 }, key: 'mqtt.port', text: 'got 70000' };
    expect(formatProblem(problem)).toBe('a.yaml:3:7: mqtt.port: got 70000');
    expect(formatProblem({ ...problem, key: '' })).toBe('a.yaml:3:7: got 70000');
  });

  it('is told in the order of files and lines, at most fifty of them', () => {
    const at = (file: string, line: number) => ({ file, position: { line, column: 1 }, key: 'k', text: 't' });
    expect(configInvalid([at('b', 9), at('a', 5), at('b', 2)]).message).toBe('b:2:1: k: t\nb:9:1: k: t\na:5:1: k: t');
    const fifty = Array.from({ length: 50 }, (_, index) => at('a', index + 1));
    expect(configInvalid(fifty).message.split('\n')).toHaveLength(50);
    expect(
      configInvalid([...fifty, at('a', 51)])
        .message.split('\n')
        .slice(-1),
    ).toEqual(['... and 1 more']);
  });
});

describe('text of the user in a message', () => {
  it('cannot forge a line or drive a terminal', () => {
    expect(printable('a\nb\u001b[2J\u009b\u202e\u2028c')).toBe('a\\u000ab\\u001b[2J\\u009b\\u202e\\u2028c');
    expect(quoted('x\ny')).toBe('"x\\u000ay"');
    expect(keyText(['a\nb', 0, 'c'])).toBe('a\\u000ab[0].c');
  });

  it('is cut at sixty characters', () => {
    expect(quoted('a'.repeat(60))).toBe(`"${'a'.repeat(60)}"`);
    expect(quoted('a'.repeat(61))).toBe(`"${'a'.repeat(60)}..."`);
  });

  it('names what is not a text', () => {
    expect([undefined, null, [], [1], {}, 1.5, Number.NaN, true].map(quoted)).toEqual([
      'nothing',
      'an empty value',
      'an empty list',
      'a list',
      'a mapping',
      '1.5',
      'NaN',
      'true',
    ]);
  });
});
