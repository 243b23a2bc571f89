import { readdirSync, readSync, writeFileSync } from 'node:fs';
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

const PART_BYTES = 65_536;

/** What comes on standard input until its end. Errors: FILE_UNREADABLE, also when there is more than `bytesMax`. */
export function readStandardInput(bytesMax: number): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const part = new Uint8Array(PART_BYTES);
      const count = readSync(STANDARD_INPUT, part);
      if (count === 0) return Buffer.concat(parts);
      length += count;
      if (length > bytesMax) break;
      parts.push(part.subarray(0, count));
    }
  } catch (thrown) {
    throw new CoxswainError('FILE_UNREADABLE', `cannot read standard input: ${messageOf(thrown)}`, { cause: thrown });
  }
  throw new CoxswainError('FILE_UNREADABLE', `standard input is longer than the ${bytesMax} bytes allowed`);
}

const STANDARD_INPUT = 0;
