import type { Paint, Tone } from './paint.ts';
import { displayWidth, fitText } from './terminal-text.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** When the terminal is too narrow, columns of the highest rank go first; rank 0 never goes. */
  readonly rank: number;
  /** The column is shortened down to this many cells, and takes no more than it needs; absent: always as wide as its widest cell. */
  readonly shrinksTo?: number;
}

export interface Cell {
  readonly text: string;
  readonly tone?: Tone | undefined;
}

const GAP = '  ';

/** A table of exactly fitting lines, the titles first; no line is wider than `width`. Texts must be escaped already. */
export function renderGrid(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number, paint: Paint): string[] {
  const widths = widthsOf(columns, rows, width);
  const line = (cells: readonly Cell[]): string =>
    columns
      .map((column, index) => ({ column, cell: cells[index] ?? { text: '' }, cellWidth: widths[index] }))
      .flatMap(({ column, cell, cellWidth }) =>
        cellWidth === undefined ? [] : [paint(fitText(cell.text, cellWidth, column.align), cell.tone)],
      )
      .join(GAP)
      .trimEnd();
  return [line(columns.map(({ title }) => ({ text: title, tone: 'dim' as const }))), ...rows.map(line)];
}

/** The titles of the columns that the width has no room for. */
export function leftOut(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): string[] {
  const widths = widthsOf(columns, rows, width);
  return columns.flatMap(({ title }, index) => (widths[index] === undefined ? [title] : []));
}

function widthsOf(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): (number | undefined)[] {
  const natural = columns.map((column, index) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(row[index]?.text ?? '')), displayWidth(column.title)),
  );
  return chooseWidths(columns, natural, width);
}

/** A width per column, undefined for one that is left out. Drops by rank until the smallest widths fit, then hands the rest out from the left. */
function chooseWidths(columns: readonly Column[], natural: readonly number[], width: number): (number | undefined)[] {
  const smallest = columns.map((column, index) => Math.min(natural[index] ?? 0, column.shrinksTo ?? Number.POSITIVE_INFINITY));
  const isKept = columns.map(() => true);
  const used = (): number => smallest.reduce((sum, cells, index) => (isKept[index] ? sum + cells + GAP.length : sum), -GAP.length);
  while (used() > width) {
    const victim = columns.reduce<number | undefined>((worst, column, index) => {
      const isCandidate = isKept[index] && column.rank > 0;
      return isCandidate && (worst === undefined || column.rank >= (columns[worst]?.rank ?? 0)) ? index : worst;
    }, undefined);
    if (victim === undefined) break;
    isKept[victim] = false;
  }
  let spare = Math.max(0, width - used());
  let room = width;
  return columns.map((_, index) => {
    if (!isKept[index]) return undefined;
    const least = smallest[index] ?? 0;
    const extra = Math.min(spare, (natural[index] ?? 0) - least);
    spare -= extra;
    // On a terminal too narrow even for the columns that never go, the last of them are cut.
    const cells = Math.min(least + extra, room);
    room -= cells + GAP.length;
    return cells > 0 ? cells : undefined;
  });
}
