import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { hashFile } from './atomic-file.ts';
import { SampleError } from './sample-error.ts';
import type { PackagedFile, SamplePackage } from './sample-list.ts';

/** Throws `integrity` unless the archive is, bit for bit, the one pinned. */
export async function verifyArchive(path: string, entry: SamplePackage, signal: AbortSignal): Promise<void> {
  const got = `sha512-${await hashFile(path, 'sha512', 'base64', signal)}`;
  if (got === entry.integrity) return;
  throw new SampleError(
    'integrity',
    `the archive of ${entry.name}@${entry.version} is not the pinned one: got ${got}, expected ${entry.integrity}. It was not used. The registry or a proxy serves something else, or the transfer broke; run again, and report it if it stays.`,
  );
}

/**
 * Copies one member of a verified archive into `scratchFile`. The system's tar only writes to a pipe (`-O`), so nothing in an archive can
 * choose where bytes go, whatever names or links it holds. Throws `archive` if tar fails, `integrity` if size or SHA-256 differ.
 */
export async function extractMember(archive: string, file: PackagedFile, scratchFile: string, signal: AbortSignal): Promise<void> {
  // TAR_OPTIONS could make GNU tar do something else than what is written here.
  const { TAR_OPTIONS: _, ...environment } = process.env;
  const child = spawn('tar', ['-x', '-z', '-O', '-f', archive, '--', file.member], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<{ status: number | null; failure: string }>((resolve) => {
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(-2_000);
    });
    child.on('error', (error) => resolve({ status: null, failure: `tar could not be started: ${error.message}` }));
    child.on('close', (status) => resolve({ status, failure: complaint.trim() }));
  });
  const hash = createHash('sha256');
  let bytes = 0;
  const measured = async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > file.bytes)
        throw new SampleError('integrity', `${file.member} is larger than the pinned ${file.bytes} bytes. It was not used.`);
      hash.update(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(child.stdout, measured, createWriteStream(scratchFile, { flags: 'wx' }), { signal });
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    if (signal.aborted) throw new SampleError('aborted', `interrupted while unpacking ${file.member}`, { cause: error });
    throw error;
  }
  const { status, failure } = await exited;
  if (status !== 0) throw new SampleError('archive', `tar cannot read ${file.member} from ${archive}: ${failure || `status ${status}`}`);
  const got = hash.digest('hex');
  if (bytes !== file.bytes || got !== file.sha256) {
    throw new SampleError(
      'integrity',
      `${file.member} is not the pinned file: got ${bytes} bytes with SHA-256 ${got}, expected ${file.bytes} with ${file.sha256}. It was not used.`,
    );
  }
}
