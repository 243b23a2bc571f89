import { CoxswainError } from '../core/errors.ts';
import { readRegularFile } from './regular-file.ts';
import { decodeWav } from './wav-decode.ts';

/** Half an hour of 48 kHz stereo PCM16. */
const WAV_BYTES_MAX = 384 * 1024 * 1024;

/** Reads and decodes a WAV file; see `decodeWav`. For media workers: never on the main event loop. Rejects with FILE_UNREADABLE, WAV_INVALID. */
export async function decodeWavFile(request: { readonly path: string; readonly secondsMax: number }): Promise<Float32Array> {
  const bytes = await readRegularFile(request.path, WAV_BYTES_MAX);
  try {
    return decodeWav(bytes, request);
  } catch (error) {
    if (error instanceof CoxswainError) throw new CoxswainError(error.code, `'${request.path}' is ${error.message}`, { cause: error });
    throw error;
  }
}
