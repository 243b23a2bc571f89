import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isProcessAlive } from './process-identity.ts';

/** Hash of a file in hexadecimal or base64. */
export async function hashFile(
  path: string,
  algorithm: 'sha256' | 'sha512',
  encoding: 'hex' | 'base64',
  signal?: AbortSignal,
): Promise<string> {
  const hash: Hash = createHash(algorithm);
  for await (const chunk of createReadStream(path, { ...(signal && { signal }), highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest(encoding);
}

/**
 * A folder for unfinished files on the same file system as the finished ones, so that each appears under its final name by one rename,
 * whole or not at all. Its name holds the process id: {@link sweepScratch} removes what killed runs left.
 */
export async function createScratch(directory: string): Promise<string> {
  const scratch = join(directory, 'tmp', `${process.pid}-${randomUUID()}`);
  await mkdir(scratch, { recursive: true });
  return scratch;
}

/** Removes scratch folders whose process is gone. */
export async function sweepScratch(directory: string): Promise<void> {
  const root = join(directory, 'tmp');
  const names = await readdir(root).catch(() => []);
  for (const name of names) {
    if (!isProcessAlive(Number.parseInt(name, 10))) await rm(join(root, name), { recursive: true, force: true });
  }
}

/** Puts a finished scratch file under its final name, on disk before it is visible. */
export async function publishFile(scratchFile: string, target: string): Promise<void> {
  const handle = await open(scratchFile, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  await mkdir(dirname(target), { recursive: true });
  await rename(scratchFile, target);
}
