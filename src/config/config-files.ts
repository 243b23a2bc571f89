import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { CoxswainError, messageOf } from '../core/errors.ts';

/** The file system as far as configuration needs it. */
export interface ConfigFiles {
  /** The whole of a regular file. Errors: FILE_UNREADABLE when it is missing, not a regular file, not readable or longer than `bytesMax`. */
  read(file: string, bytesMax: number): Uint8Array;
  /** The path without symbolic links; undefined when nothing is there. */
  realPath(path: string): string | undefined;
}

export function createConfigFiles(): ConfigFiles {
  return { read: readRegularFile, realPath };
}

function readRegularFile(file: string, bytesMax: number): Uint8Array {
  let descriptor: number;
  try {
    // Without O_NONBLOCK, opening a named pipe that nobody writes to would wait for ever.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (thrown) {
    throw new CoxswainError('FILE_UNREADABLE', `cannot open ${JSON.stringify(file)}: ${messageOf(thrown)}`, { cause: thrown });
  }
  try {
    return readAll(descriptor, file, bytesMax);
  } finally {
    closeSync(descriptor);
  }
}

function readAll(descriptor: number, file: string, bytesMax: number): Uint8Array {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) throw new CoxswainError('FILE_UNREADABLE', `${JSON.stringify(file)} is not a regular file`);
  const tooLong = () => new CoxswainError('FILE_UNREADABLE', `${JSON.stringify(file)} is longer than the ${bytesMax} bytes allowed`);
  if (stat.size > bytesMax) throw tooLong();
  // One byte more than allowed tells a file that grew, or one of /proc that claims no size, from one that fits.
  const buffer = new Uint8Array(Math.min(bytesMax, Math.max(stat.size, 65_536)) + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
  }
  throw tooLong();
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Nothing there, or not for us to see: either way there is no real path, and opening the file later says why.
    return undefined;
  }
}
