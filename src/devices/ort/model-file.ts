import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CoxswainError, messageOf } from '../../core/errors.ts';

/** Longest model file that is read into memory, what one Node buffer surely holds. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

/**
 * Reads a model once and gives its bytes only if their SHA-256 is `sha256`: what was hashed is what will be parsed, whatever happens to the file meanwhile.
 * The memory goes on for `roomBytes` behind them.
 * Errors: MODEL_MISSING, MODEL_UNLOADABLE (not a regular file, not readable, too long), MODEL_HASH_MISMATCH.
 */
export function readVerifiedModel(file: string, sha256: string, roomBytes = 0): Uint8Array {
  const bytes = readRegularFile(file, roomBytes);
  const got = sha256Of(bytes);
  if (got !== sha256) {
    const message = `${file} has SHA-256 ${got}; its manifest allows ${sha256} only. Obtain the file again, or correct the manifest if the change was meant.`;
    throw new CoxswainError('MODEL_HASH_MISMATCH', message);
  }
  return bytes;
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Opened without blocking, so that a named pipe is refused instead of waited for. A symbolic link is followed: its target's bytes are what counts. */
export function readRegularFile(file: string, roomBytes = 0): Uint8Array {
  const fd = open(file);
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) throw new CoxswainError('MODEL_UNLOADABLE', `${file} is not a regular file; a model must be one.`);
    if (status.size > FILE_BYTES_MAX) {
      throw new CoxswainError('MODEL_UNLOADABLE', `${file} has ${status.size} bytes; a model may have up to ${FILE_BYTES_MAX}.`);
    }
    return readAll(fd, status.size, roomBytes);
  } catch (thrown) {
    if (thrown instanceof CoxswainError) throw thrown;
    throw new CoxswainError('MODEL_UNLOADABLE', `${file} could not be read: ${messageOf(thrown)}.`, { cause: thrown });
  } finally {
    closeSync(fd);
  }
}

function readAll(fd: number, size: number, roomBytes: number): Uint8Array {
  // Memory of its own rather than a slice of a pool: the ONNX Runtime is given the buffer as it is.
  const bytes = new Uint8Array(size + roomBytes);
  let length = 0;
  while (length < size) {
    const count = readSync(fd, bytes, length, size - length, length);
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

function open(file: string): number {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new CoxswainError('MODEL_MISSING', `${file} does not exist. Obtain the model, or correct the path in the manifest.`, {
        cause: thrown,
      });
    }
    throw new CoxswainError('MODEL_UNLOADABLE', `${file} could not be opened: ${messageOf(thrown)}.`, { cause: thrown });
  }
}
