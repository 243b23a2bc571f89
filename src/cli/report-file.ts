import { open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { CoxswainError, messageOf } from '../core/errors.ts';
import { UsageError } from './exit-code.ts';

/** A file that appears whole or not at all. */
export interface ReportFile {
  /** Errors: FILE_UNWRITABLE. */
  write(text: string): Promise<void>;
}

/**
 * Finds out now, before a long run, that the report can be written later: makes the temporary file beside it and takes it away again. A symbolic link is
 * followed; a device or a pipe such as /dev/stdout is written to as it is, since renaming over it would replace it. Errors: UsageError.
 */
export async function prepareReportFile(path: string, option = '--report'): Promise<ReportFile> {
  const target = await realpath(path).catch(() => resolve(path));
  const found = await stat(target).catch(() => undefined);
  if (found?.isDirectory() === true) throw new UsageError(`${option} ${path}: that is a folder; name a file in it`);
  if (found !== undefined && !found.isFile()) return { write: (text) => wrapped(option, path, () => writeFile(target, text)) };
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    await (await open(temporary, 'w')).close();
    await rm(temporary);
  } catch (error) {
    throw new UsageError(`${option} ${path}: the folder ${dirname(target)} cannot be written to (${messageOf(error)})`);
  }
  return {
    write: (text) =>
      wrapped(option, path, async () => {
        try {
          const handle = await open(temporary, 'w');
          try {
            await handle.writeFile(text);
            await handle.sync();
          } finally {
            await handle.close();
          }
          await rename(temporary, target);
        } catch (error) {
          await rm(temporary, { force: true });
          throw error;
        }
      }),
  };
}

async function wrapped(option: string, path: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    throw new CoxswainError(
      'FILE_UNWRITABLE',
      `${option} ${path} could not be written: ${messageOf(error)}; free space or name another file`,
      {
        cause: error,
      },
    );
  }
}
