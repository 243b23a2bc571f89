import { writeFileSync } from 'node:fs';
import { CoxswainError, messageOf } from '../core/errors.ts';

/** Creates or replaces the file. Errors: FILE_UNWRITABLE. */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (thrown) {
    throw new CoxswainError('FILE_UNWRITABLE', `cannot write ${JSON.stringify(file)}: ${messageOf(thrown)}`, { cause: thrown });
  }
}
