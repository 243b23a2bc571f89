import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';

/** Creates or replaces the file. Errors: FILE_UNWRITABLE. */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (thrown) {
    throw new CoxswainError('FILE_UNWRITABLE', `cannot write ${JSON.stringify(file)}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/** A folder of tables has a dozen; one of thousands is another folder. */
const TABLES_MAX = 256;

/** Paths of the CSV files of a folder, sorted. Errors: FILE_UNREADABLE, CONFIG_INVALID when there are too many. */
export function tablesIn(folder: string): readonly string[] {
  let names: string[];
  try {
    names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() || !entry.name.endsWith('.csv') ? [] : [entry.name],
    );
  } catch (thrown) {
    throw new CoxswainError('FILE_UNREADABLE', `cannot read the folder ${JSON.stringify(folder)}: ${messageOf(thrown)}`, { cause: thrown });
  }
  if (names.length > TABLES_MAX)
    throw new CoxswainError('CONFIG_INVALID', `${folder} has ${names.length} CSV files; at most ${TABLES_MAX} are read`);
  return names.sort().map((name) => join(folder, name));
}
