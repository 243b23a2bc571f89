import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseBorders } from '../../../../src/models/onnx-graph/choose-borders.ts';

const NEVER = Number.POSITIVE_INFINITY;

const partsOf = (times: readonly number[], borders: readonly number[]): number[] =>
  [...borders, times.length].map((end, index) =>
    times.slice(index === 0 ? 0 : borders[index - 1], end).reduce((sum, time) => sum + time, 0),
  );

describe('where a row of nodes is cut', () => {
  it('makes parts of one length', () => {
    expect(chooseBorders([1, 1, 1, 1, 1, 1], [0, 1, 1, 1, 1, 1], 3)).toEqual([2, 4]);
  });

  it('takes the border that fewer bytes cross where that costs little time', () => {
    expect(chooseBorders([50, 1, 1, 50], [0, 900, 100, 900], 2)).toEqual([2]);
    expect(chooseBorders([50, 1, 1, 50], [0, 900, 100, 10], 2)).toEqual([3]);
    expect(chooseBorders([50, 20, 20, 50], [0, 900, 500, 10], 2)).toEqual([2]);
  });

  it('never takes a border that cannot be crossed, and none where there is none', () => {
    expect(chooseBorders([1, 1, 1, 1], [0, 5, NEVER, 6], 2)).toEqual([1]);
    expect(chooseBorders([1, 1, 1], [0, NEVER, NEVER], 3)).toEqual([]);
    expect(chooseBorders([7], [0], 4)).toEqual([]);
    expect(chooseBorders([], [], 4)).toEqual([]);
  });

  it('makes fewer parts than asked for where a single node is longer than its share', () => {
    expect(chooseBorders([100, 30, 30], [0, 8, 8], 3)).toEqual([1]);
  });

  it('finds the shortest longest part that trying every way finds, and no way of that length that fewer bytes cross', () => {
    const row = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.option(fc.integer({ min: 0, max: 9 }), { nil: NEVER })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(row, fc.integer({ min: 1, max: 4 }), (nodes, blocks) => {
        const times = nodes.map(([time]) => time);
        const crossing = nodes.map(([, bytes]) => bytes);
        const ways = waysToCut(times.length, blocks).filter((borders) => borders.every((border) => Number.isFinite(crossing[border])));
        const longest = Math.min(...ways.map((borders) => Math.max(...partsOf(times, borders))));
        const bytesOf = (borders: readonly number[]): number => borders.reduce((sum, border) => sum + (crossing[border] ?? 0), 0);
        const chosen = chooseBorders(times, crossing, blocks);
        expect(Math.max(...partsOf(times, chosen))).toBeLessThanOrEqual(longest * 1.06);
        const asShort = ways.filter((borders) => Math.max(...partsOf(times, borders)) <= longest);
        expect(bytesOf(chosen)).toBeLessThanOrEqual(Math.min(...asShort.map(bytesOf)));
      }),
    );
  });
});

function waysToCut(nodes: number, blocks: number, from = 1): number[][] {
  if (blocks === 1) return [[]];
  const ways: number[][] = [[]];
  for (let border = from; border < nodes; border += 1)
    for (const rest of waysToCut(nodes, blocks - 1, border + 1)) ways.push([border, ...rest]);
  return ways;
}
