import { type CsvProblem, csvCells, csvInvalid } from '../../core/csv-table.ts';

/** A table as people publish them: cells may stand in quotes, lines that begin with `#` are remarks. */
export interface QuotedTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly cells: Readonly<Record<string, string>> }[];
}

/** A page of measurements has hundreds of rows; a hundred thousand are something else. */
const ROWS_MAX = 100_000;
const COLUMNS_MAX = 128;

/** Errors: CONFIG_INVALID, with file and line, for a table without rows, a row of the wrong length, a name that stands twice, a quote that is not closed. */
export function readQuotedCsv(file: string, text: string): QuotedTable {
  const problems: CsvProblem[] = [];
  const rows: { line: number; cells: Readonly<Record<string, string>> }[] = [];
  let columns: readonly string[] | undefined;
  let line = 0;
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    line += 1;
    if (raw.trim() === '' || raw.startsWith('#')) continue;
    const cells = csvCells(raw.replace(/\r$/, ''));
    if (cells === undefined) {
      problems.push({ line, text: 'a quote is not closed, or a cell is too long' });
      continue;
    }
    if (columns === undefined) {
      columns = cells;
      const twice = cells.find((name, index) => cells.indexOf(name) !== index);
      if (cells.length > COLUMNS_MAX)
        throw csvInvalid(file, [{ line, text: `has ${cells.length} columns; at most ${COLUMNS_MAX} are read` }]);
      if (twice !== undefined) throw csvInvalid(file, [{ line, text: `the column ${JSON.stringify(twice)} stands twice` }]);
      continue;
    }
    if (rows.length >= ROWS_MAX) throw csvInvalid(file, [{ line, text: `a table has at most ${ROWS_MAX} rows` }]);
    const names = columns;
    if (cells.length !== names.length)
      problems.push({ line, text: `has ${cells.length} cells, and needs one for each of the ${names.length} columns` });
    else rows.push({ line, cells: Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ''])) });
  }
  if (columns === undefined) problems.push({ line: 1, text: 'there is no table; its first line must name the columns' });
  else if (rows.length === 0 && problems.length === 0) problems.push({ line, text: 'the table has no rows' });
  if (columns === undefined || problems.length > 0) throw csvInvalid(file, problems);
  return { columns, rows };
}
