import type { Measurement } from './measurement.ts';
import { platformCores } from './platform-cores.ts';
import type { RowCells } from './row-cells.ts';

/** What one line says; where it stands, and what was assumed of it, is added by its reader. */
export type RowReading = Omit<Measurement, 'file' | 'line' | 'assumed'>;

/** One kind of table, known by its columns. */
export interface RowFormat {
  readonly id: string;
  /** A table is of this format when it has all of them; it may have more. */
  readonly columns: readonly string[];
  readonly read: (cells: RowCells) => readonly RowReading[];
}

export const readingOf = (
  facts: Pick<RowReading, 'part' | 'model' | 'unit' | 'measured'> & Partial<Pick<RowReading, 'variant' | 'mode'>>,
  work: RowReading['work'],
): RowReading => ({ variant: '', mode: '', ...facts, work });

export const BATCH_MAX = 65_536;
export const CORES_MAX = 4_096;

/** Cores that the name of a platform tells; undefined where it tells none, and where it tells a number that none has, which is a problem. */
export function coresIn(cells: RowCells, column: string): number | undefined {
  const cores = platformCores(cells.text(column));
  if (cores === undefined || cores <= CORES_MAX) return cores;
  cells.problems.push(`${cells.saying(column)}, and a platform has a whole number of cores from 1 to ${CORES_MAX}`);
  return undefined;
}
