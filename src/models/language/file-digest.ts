import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CoxswainError, messageOf } from '../../core/errors.ts';

const PART_BYTES = 1024 * 1024;

/** SHA-256 (64 lower-case hexadecimal digits) and length of a file that may be too long to be read whole. Errors: MODEL_MISSING, MODEL_UNLOADABLE. */
export function digestOf(file: string): { readonly sha256: string; readonly byteLength: number } {
  let fd: number | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe that nobody writes to would wait for ever.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(fd).isFile()) throw new Error('it is not a regular file');
    const hash = createHash('sha256');
    const part = new Uint8Array(PART_BYTES);
    let byteLength = 0;
    for (let count = readSync(fd, part); count > 0; count = readSync(fd, part)) {
      hash.update(part.subarray(0, count));
      byteLength += count;
    }
    return { sha256: hash.digest('hex'), byteLength };
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const message = `${file} could not be read: ${messageOf(cause)}. Obtain the model's files again from one place.`;
    throw new CoxswainError(isMissing ? 'MODEL_MISSING' : 'MODEL_UNLOADABLE', message, { cause });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
