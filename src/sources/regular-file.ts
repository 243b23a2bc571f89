import { constants, type FileHandle, open } from 'node:fs/promises';
import { CoxswainError, messageOf } from '../core/errors.ts';

/**
 * All bytes of a regular file. It is opened without waiting and looked at through its handle, so a FIFO never hangs us and a file that is swapped meanwhile is
 * read as it was when opened. Rejects with FILE_UNREADABLE, also for a folder, a device or a file of more than `bytesMax`.
 */
export async function readRegularFile(path: string, bytesMax: number): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) throw new CoxswainError('FILE_UNREADABLE', `'${path}' is not a regular file: name a file`);
    if (stats.size > bytesMax) {
      throw new CoxswainError('FILE_UNREADABLE', `'${path}' has ${stats.size} bytes, at most ${bytesMax} are read: choose a smaller file`);
    }
    return await readUpTo(handle, stats.size);
  } catch (error) {
    if (error instanceof CoxswainError) throw error;
    throw new CoxswainError('FILE_UNREADABLE', `'${path}' could not be read: ${messageOf(error)}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** A file that grows while it is read ends at the size it had when opened. */
async function readUpTo(handle: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  let filledBytes = 0;
  while (filledBytes < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, filledBytes, sizeBytes - filledBytes, filledBytes);
    if (bytesRead === 0) break;
    filledBytes += bytesRead;
  }
  return bytes.subarray(0, filledBytes);
}
