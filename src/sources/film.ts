import { spawn } from 'node:child_process';
import { CoxswainError } from '../core/errors.ts';
import { createLineTail } from './line-tail.ts';
import type { VideoSourceOptions } from './video.ts';
import { videoArguments } from './video-arguments.ts';

/** A video file frame by frame, whenever the next one is asked for. */
export interface Film {
  /** Fills `target`, width x height x 3 bytes of RGB, with the next frame; false when the film is over. One call at a time. Errors: PROGRAM_MISSING, SOURCE_LOST. */
  next(target: Uint8Array): Promise<boolean>;
  close(): void;
}

/**
 * The frames that the video source would show, at no pace: ffmpeg decodes until the pipe is full and waits. Of a group of its own, as all children of sources, so that
 * a Ctrl-C on the terminal does not reach it; without its reader it ends by the broken pipe. Errors: CONFIG_INVALID for an input that is not allowed.
 */
export function openFilm({ input, width, height, fps, program }: VideoSourceOptions): Film {
  const args = videoArguments(input, { width, height, fps }, 'as-read');
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true });
  const words = createLineTail();
  child.stderr.on('data', (chunk: Buffer) => words.push(chunk));
  const ended = new Promise<CoxswainError | undefined>((resolve) => {
    child.on('error', ({ message }) => resolve(new CoxswainError('PROGRAM_MISSING', `${program} could not be started: ${message}`)));
    child.on('close', (code) => {
      const text = `${program} ended with ${code ?? 'a signal'}${words.last() === '' ? '' : `: ${words.last()}`}`;
      resolve(code === 0 ? undefined : new CoxswainError('SOURCE_LOST', text));
    });
  });
  const chunks: AsyncIterator<Buffer> = child.stdout[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  let isClosed = false;
  return {
    async next(target) {
      for (let filled = 0; filled < target.length; ) {
        if (rest.length === 0) {
          const { done, value } = await chunks.next();
          // Whoever closed the film may have taken the target away.
          if (isClosed) return false;
          if (done !== true) rest = value;
          else return over(await ended);
        }
        const size = Math.min(rest.length, target.length - filled);
        target.set(rest.subarray(0, size), filled);
        rest = rest.subarray(size);
        filled += size;
      }
      return true;
    },
    close() {
      isClosed = true;
      child.kill('SIGKILL');
      child.stdout.destroy();
    },
  };
}

function over(error: CoxswainError | undefined): false {
  if (error !== undefined) throw error;
  return false;
}
