import { describe, expect, it } from 'vitest';
import { createRunFinder, type Run } from '../../../../src/models/perception/connected-runs.ts';

/** A map drawn with # for 1 and anything else for 0. */
function drawn(...rows: string[]): { map: Float32Array; width: number; height: number } {
  const width = rows[0]?.length ?? 0;
  return { map: Float32Array.from(rows.join(''), (mark) => (mark === '#' ? 1 : 0)), width, height: rows.length };
}

function find(rows: string[], pixelsMin = 1, groupsMax = 100): Run[][] {
  const { map, width, height } = drawn(...rows);
  return createRunFinder(width, height).find(map, 0.5, pixelsMin, groupsMax);
}

const sizes = (groups: Run[][]): number[] =>
  groups.map((runs) => runs.reduce((sum, { left, right }) => sum + right - left, 0)).sort((a, b) => b - a);

describe('createRunFinder', () => {
  it('gives the runs of one group in reading order', () => {
    expect(find(['.##.', '.#..'])).toEqual([
      [
        { row: 0, left: 1, right: 3 },
        { row: 1, left: 1, right: 2 },
      ],
    ]);
  });

  it('joins at corners and not across a gap', () => {
    expect(sizes(find(['#..#', '.#..', '....', '#...']))).toEqual([2, 1, 1]);
    expect(sizes(find(['.#', '#.']))).toEqual([2]);
  });

  it('joins the arms of a U, of a comb and of a spiral that meet late', () => {
    expect(sizes(find(['#.#', '#.#', '###']))).toEqual([7]);
    expect(sizes(find(['#.#.#.#', '#.#.#.#', '#######']))).toEqual([15]);
    expect(sizes(find(['#####', '....#', '###.#', '#...#', '#####']))).toEqual([17]);
  });

  it('does not wrap around the edges', () => {
    expect(sizes(find(['..#', '#..']))).toEqual([1, 1]);
  });

  it('drops small groups and keeps the largest', () => {
    const rows = ['###.#.##', '........', '#####...'];
    expect(sizes(find(rows, 2))).toEqual([5, 3, 2]);
    expect(sizes(find(rows, 1, 2))).toEqual([5, 3]);
  });

  it('takes the worst maps it can be given: a chessboard, all on, all off', () => {
    const chess = Array.from({ length: 9 }, (_, y) => Array.from({ length: 9 }, (_, x) => ((x + y) % 2 === 0 ? '#' : '.')).join(''));
    expect(sizes(find(chess))).toEqual([41]);
    expect(sizes(find(['####', '####']))).toEqual([8]);
    expect(find(['....', '....'])).toEqual([]);
    const stripes = Array.from({ length: 8 }, (_, y) => (y % 2 === 0 ? '#.#.#.#' : '.......'));
    expect(find(stripes)).toHaveLength(16);
  });

  it('gives the same answer when it is used again', () => {
    const finder = createRunFinder(3, 2);
    const first = finder.find(drawn('#.#', '###').map, 0.5, 1, 10);
    finder.find(drawn('...', '.#.').map, 0.5, 1, 10);
    expect(finder.find(drawn('#.#', '###').map, 0.5, 1, 10)).toEqual(first);
  });
});
