import { describe, expect, it } from 'vitest';
import { findTooDeep } from '../../../src/config/nesting.ts';

/** The least limit that accepts a text. */
const depthOf = (text: string): number => [...Array(100).keys()].find((limit) => findTooDeep(text, limit) === undefined) ?? -1;

describe('findTooDeep', () => {
  it.each([
    ['# a comment\n', 0],
    ['a: 1\nb: 2\n', 1],
    ['a:\n  b:\n    c: 1\n', 3],
    ['a:\n  b: 1\nc: 2\n', 2],
    ['a: [1, [2, {b: 3}]]\n', 4],
    ['a: [[]]\nb: [[]]\n', 3],
    ['- - - x\n', 3],
    ['a:\n  - b:\n      - c\n', 4],
    ['? ? a\n', 2],
  ])('counts the levels of %j', (text, depth) => {
    expect(depthOf(text)).toBe(depth);
  });

  it('takes no bracket in a text, a comment or a block of text for a level', () => {
    expect(depthOf('a: "[[[["\n')).toBe(1);
    expect(depthOf("a: '{{{{'\n")).toBe(1);
    expect(depthOf('a: x[[[[ # [[[\n')).toBe(1);
    expect(depthOf('a: |\n  [[[[\n  - - -\nb: 1\n')).toBe(1);
  });

  it('is not misled by brackets that close in a comment or a text', () => {
    expect(depthOf(`a: ${'[ # ]\n  '.repeat(20)}`)).toBe(21);
    expect(depthOf(`a: ${'[ "]", '.repeat(20)}`)).toBe(21);
  });

  it('says where', () => {
    expect(findTooDeep('a: 1\nb: [[x]]\n', 2)).toEqual({ offset: 9 });
  });
});
