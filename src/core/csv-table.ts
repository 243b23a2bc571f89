import { CoxswainError } from './errors.ts';

/** A row by column name, and the line that it stands on, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** What is wrong with one line of a file. */
export interface CsvProblem {
  readonly line: number;
  readonly text: string;
}

/** Tables of costs have a few hundred rows; a file of a hundred thousand is not one. */
const ROWS_MAX = 100_000;
/** A reader is helped by the first few; a file of garbage has thousands. */
const PROBLEMS_SHOWN_MAX = 20;
const QUOTED_LENGTH_MAX = 60;
/** No column of text is longer; what is, lacks its closing quote. */
const CELL_LENGTH_MAX = 4_096;
const QUOTE_OPEN = 'a quote is not closed, or a cell is too long';

/**
 * Reads comma-separated values: a line of column names, then rows; empty lines and lines that begin with `#` are skipped, cells are trimmed and may stand
 * in quotes. The columns must be exactly those given, in any order; `more` may be there or not.
 * Errors: CONFIG_INVALID, with file and line.
 */
export function readCsv(file: string, text: string, columns: readonly string[], more: readonly string[] = []): CsvRow[] {
  const asked = `${columns.join()}${more.length === 0 ? '' : `, and may be ${more.join()} as well`}`;
  const rows: CsvRow[] = [];
  const problems: CsvProblem[] = [];
  let header: readonly string[] | undefined;
  let line = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    line += 1;
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const cells = csvCells(raw.replace(/\r$/, ''));
    if (cells === undefined) {
      if (header === undefined) throw csvInvalid(file, [{ line, text: QUOTE_OPEN }]);
      problems.push({ line, text: QUOTE_OPEN });
      continue;
    }
    if (header === undefined) {
      header = cells;
      const isRight =
        new Set(cells).size === cells.length &&
        columns.every((column) => cells.includes(column)) &&
        cells.every((cell) => columns.includes(cell) || more.includes(cell));
      if (!isRight) throw csvInvalid(file, [{ line, text: `the columns are ${quoted(cells.join())}, and must be ${asked}` }]);
      continue;
    }
    if (rows.length >= ROWS_MAX) throw csvInvalid(file, [{ line, text: `a table has at most ${ROWS_MAX} rows` }]);
    if (cells.length === header.length)
      rows.push({ line, cells: Object.fromEntries(header.map((name, index) => [name, cells[index] ?? ''])) });
    else problems.push({ line, text: `has ${cells.length} cells, and needs one for each of the ${header.length} columns` });
  }
  if (header === undefined) problems.push({ line: 1, text: `there is no table; its first line must be ${asked}` });
  else if (rows.length === 0 && problems.length === 0) problems.push({ line, text: 'the table has no rows' });
  if (problems.length > 0) throw csvInvalid(file, problems);
  return rows;
}

/** The cells of a line, trimmed; one may stand in quotes, and a quote within quotes is written twice. Undefined when a quote is not closed or a cell too long. */
export function csvCells(line: string): string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  while (at <= line.length) {
    let cell = '';
    while (line[at] === ' ') at += 1;
    if (line[at] === '"') {
      at += 1;
      for (;;) {
        const end = line.indexOf('"', at);
        if (end < 0) return undefined;
        cell += line.slice(at, end);
        at = end + 1;
        if (line[at] !== '"') break;
        cell += '"';
        at += 1;
      }
      const comma = line.indexOf(',', at);
      cell += (comma < 0 ? line.slice(at) : line.slice(at, comma)).trim();
      at = comma < 0 ? line.length + 1 : comma + 1;
    } else {
      const comma = line.indexOf(',', at);
      cell = (comma < 0 ? line.slice(at) : line.slice(at, comma)).trim();
      at = comma < 0 ? line.length + 1 : comma + 1;
    }
    if (cell.length > CELL_LENGTH_MAX) return undefined;
    cells.push(cell);
  }
  return cells;
}

/** All problems of a file in one error. */
export function csvInvalid(file: string, problems: readonly CsvProblem[]): CoxswainError {
  const lines = problems.slice(0, PROBLEMS_SHOWN_MAX).map(({ line, text }) => `${printable(file)}:${line}: ${text}`);
  if (problems.length > PROBLEMS_SHOWN_MAX) lines.push(`... and ${problems.length - PROBLEMS_SHOWN_MAX} more`);
  return new CoxswainError('CONFIG_INVALID', lines.join('\n'));
}

/** A plain decimal number as written in a table, or undefined: neither empty, nor hexadecimal, nor NaN, nor infinite. */
export function decimalOf(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

export const quoted = (text: string): string =>
  `"${printable(text.length > QUOTED_LENGTH_MAX ? `${text.slice(0, QUOTED_LENGTH_MAX)}...` : text)}"`;

/** Without anything that a terminal would act on. */
const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
