import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** SHA-256 of a file in lower-case hexadecimal, read in pieces. `onBytes` is told how many bytes came, piece by piece. Rejects with the error of the file system. */
export async function hashFile(
  path: string,
  onBytes: (bytes: number) => void,
): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const chunk: Uint8Array = piece;
    hash.update(chunk);
    bytes += chunk.byteLength;
    onBytes(chunk.byteLength);
  }
  return { sha256: hash.digest('hex'), bytes };
}
