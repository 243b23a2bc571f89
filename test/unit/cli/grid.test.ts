import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, renderGrid } from '../../../src/cli/grid.ts';
import { plainPaint } from '../../../src/cli/paint.ts';
import { displayWidth } from '../../../src/cli/terminal-text.ts';

const columns: readonly Column[] = [
  { title: 'name', align: 'left', rank: 0, shrinksTo: 4 },
  { title: 'n', align: 'right', rank: 1 },
  { title: 'note', align: 'left', rank: 2 },
];
const rows = [[{ text: 'objects' }, { text: '7' }, { text: 'fine' }]];

describe('grid', () => {
  test.each([
    [40, ['name     n  note', 'objects  7  fine']],
    [14, ['name   n  note', 'obje…  7  fine']],
    [12, ['name     n', 'objects  7']],
    [7, ['name  n', 'obj…  7']],
    [4, ['name', 'obj…']],
    [2, ['n…', 'o…']],
  ])('at %d cells shrinks first, then leaves columns out by rank', (width, lines) => {
    expect(renderGrid(columns, rows, width, plainPaint)).toEqual(lines);
  });

  test('never makes a line wider than asked', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => ({ text: value.replace(/\p{C}/gu, '') }));
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text, text), { maxLength: 5 }), fc.integer({ min: 1, max: 60 }), (cells, width) => {
        for (const line of renderGrid(columns, cells, width, plainPaint)) expect(displayWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
