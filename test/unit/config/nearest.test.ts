import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../src/config/nearest.ts';

describe('nearest', () => {
  it.each([
    ['deadlinMs', 'deadlineMs'],
    ['deadline', 'deadlineMs'],
    ['deadlineMS', 'deadlineMs'],
    ['deadilneMs', 'deadlineMs'],
    ['fsp', 'fps'],
    ['modle', 'model'],
  ])('takes %s for %s', (typed, meant) => {
    expect(nearest(typed, ['source', 'fps', 'model', 'deadlineMs', 'cores'])).toBe(meant);
  });

  it('finds nothing for a word that is far from all', () => {
    expect(nearest('colour', ['source', 'model', 'deadlineMs'])).toBeUndefined();
  });

  it('prefers the nearer candidate, and the first of equally near ones', () => {
    expect(nearest('cpus', ['cups', 'cpu', 'cpux'])).toBe('cups');
    expect(nearest('signz', ['sign', 'signs'])).toBe('sign');
  });

  it('compares words of 64 letters and no longer ones', () => {
    const longest = 'a'.repeat(64);
    expect(nearest(longest, [longest])).toBe(longest);
    expect(nearest(`${longest}a`, [longest])).toBeUndefined();
    expect(nearest(longest, [`${longest}a`])).toBeUndefined();
    expect(nearest('', ['a'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['abc', '', 3],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });
});
