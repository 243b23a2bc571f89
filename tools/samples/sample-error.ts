/**
 * Why the samples could not be obtained. `message` says what failed and what to do about it.
 *
 * | code | meaning | exit status |
 * | --- | --- | --- |
 * | `aborted` | the user interrupted | 130 |
 * | `archive` | an archive lacks a file, or tar cannot read it | 1 |
 * | `disk` | the cache folder cannot be written | 1 |
 * | `integrity` | bytes are not the pinned ones | 1 |
 * | `list` | the list of samples contradicts itself: a defect of ours | 70 |
 * | `npm` | the npm client did not deliver a package | 1 |
 */
export type SampleErrorCode = 'aborted' | 'archive' | 'disk' | 'integrity' | 'list' | 'npm';

export class SampleError extends Error {
  readonly code: SampleErrorCode;

  constructor(code: SampleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SampleError';
    this.code = code;
  }

  get exitStatus(): number {
    if (this.code === 'aborted') return 130;
    return this.code === 'list' ? 70 : 1;
  }
}

/** Errors of the file system that the user can do something about, said in their words; everything else is passed through. */
export function explainFileError(error: unknown, directory: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'it may not be written',
    EDQUOT: 'the disk quota is used up',
    ENOSPC: 'the disk is full',
    ENOTDIR: 'a file is in the way of a folder',
    EROFS: 'the file system is read-only',
  };
  const reason = reasons[code];
  if (reason === undefined) return error;
  return new SampleError(
    'disk',
    `cannot write below ${directory}: ${reason} (${code}). About 300 MB are needed; --dir names another folder.`,
    { cause: error },
  );
}
