import { type CsvProblem, csvInvalid } from '../../core/csv-table.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { Measurement } from './measurement.ts';
import { readQuotedCsv } from './quoted-csv.ts';
import { RowCells } from './row-cells.ts';
import { ROW_FORMATS } from './row-formats.ts';

/**
 * Measurements of a table, or undefined when its columns are those of no format.
 * Errors: CONFIG_INVALID, with file and line, for cells that cannot be.
 */
export function measurementsOf(file: string, text: string): readonly Measurement[] | undefined {
  const { columns, rows } = readQuotedCsv(file, text);
  const format = ROW_FORMATS.find((candidate) => candidate.columns.every((column) => columns.includes(column)));
  if (format === undefined) return undefined;
  const problems: CsvProblem[] = [];
  const read = rows.flatMap(({ line, cells }) => {
    const row = new RowCells(cells);
    const readings = format.read(row).map((reading): Measurement => ({ file, line, assumed: row.assumed, ...reading }));
    for (const problem of new Set(row.problems)) problems.push({ line, text: problem });
    return readings;
  });
  if (problems.length > 0) throw csvInvalid(file, problems);
  return read;
}

/** As `measurementsOf`. Errors: as there, and CONFIG_INVALID for columns of no format, with those that there are. */
export function requireMeasurements(file: string, text: string): readonly Measurement[] {
  const found = measurementsOf(file, text);
  if (found !== undefined) return found;
  const known = ROW_FORMATS.map(({ id, columns }) => `  ${id}: ${columns.join()}`).join('\n');
  throw new CoxswainError(
    'CONFIG_INVALID',
    `${file}: its columns are those of no table of measurements; known are, with more columns allowed:\n${known}`,
  );
}
