import { durationUs, type InstantUs, instantUs } from '../core/units.ts';
import { AUDIO_RATE_HZ } from './wav-decode.ts';

export interface WindowAssembler {
  /** Takes the next bytes of the pipe, whose last sample was captured at `at`; true when they completed at least one window. */
  push(chunk: Uint8Array, at: InstantUs): boolean;
  /** Forgets the window in hand; true when some of it had come. */
  abort(): boolean;
}

/** Cuts a pipe of 16-bit little-endian samples at 16 kHz into windows, each with the instant of its last sample, which never goes back. */
export function createWindowAssembler(
  windowSamples: number,
  onWindow: (samples: Float32Array, capturedAt: InstantUs) => void,
): WindowAssembler {
  const bytes = new Uint8Array(windowSamples * 2);
  const view = new DataView(bytes.buffer);
  let filledBytes = 0;
  let lastAt = instantUs(Number.NEGATIVE_INFINITY);
  const complete = (at: InstantUs): void => {
    const samples = new Float32Array(windowSamples);
    for (let index = 0; index < windowSamples; index += 1) samples[index] = view.getInt16(2 * index, true) / 2 ** 15;
    lastAt = instantUs(Math.max(lastAt, at));
    onWindow(samples, lastAt);
  };
  return {
    push(chunk, at) {
      let offset = 0;
      let hasCompleted = false;
      while (offset < chunk.length) {
        const size = Math.min(chunk.length - offset, bytes.length - filledBytes);
        bytes.set(chunk.subarray(offset, offset + size), filledBytes);
        filledBytes += size;
        offset += size;
        if (filledBytes < bytes.length) continue;
        filledBytes = 0;
        // What follows in the chunk was captured later.
        const laterUs = durationUs(Math.round(((chunk.length - offset) / 2 / AUDIO_RATE_HZ) * 1e6));
        complete(instantUs(at - laterUs));
        hasCompleted = true;
      }
      return hasCompleted;
    },
    abort() {
      const hadBytes = filledBytes > 0;
      filledBytes = 0;
      return hadBytes;
    },
  };
}
