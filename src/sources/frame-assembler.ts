import type { Region } from '../core/region.ts';
import type { InstantUs } from '../core/units.ts';
import type { FrameMemory } from './source.ts';

export interface FrameAssembler {
  /** Takes the next bytes of the pipe; true when they completed at least one frame, kept or skipped. */
  push(chunk: Uint8Array, at: InstantUs): boolean;
  /** Forgets the frame in hand and frees its region; true when some of it had come. */
  abort(): boolean;
}

export interface FrameAssemblerListener {
  /** A whole frame, with the claim on its region. `capturedAt` is when its first byte came: the earliest this side can know of it. */
  frame(region: Region, capturedAt: InstantUs): void;
  /** A frame has begun for which there is no memory; its bytes are read and thrown away, so that the pipe never backs up. */
  noMemory(): void;
}

/** Cuts a pipe of raw frames, `frameBytes` each, into regions, copying each byte once. */
export function createFrameAssembler(frameBytes: number, memory: FrameMemory, listener: FrameAssemblerListener): FrameAssembler {
  let filledBytes = 0;
  let region: Region | undefined;
  let target: Uint8Array | undefined;
  let capturedAt: InstantUs;

  const begin = (at: InstantUs): void => {
    capturedAt = at;
    region = memory.allocate(frameBytes);
    target = region === undefined ? undefined : memory.bytes(region);
    if (region === undefined) listener.noMemory();
  };
  const complete = (): void => {
    const whole = region;
    filledBytes = 0;
    region = undefined;
    target = undefined;
    if (whole !== undefined) listener.frame(whole, capturedAt);
  };

  return {
    push(chunk, at) {
      let offset = 0;
      let hasCompleted = false;
      while (offset < chunk.length) {
        if (filledBytes === 0) begin(at);
        const size = Math.min(chunk.length - offset, frameBytes - filledBytes);
        target?.set(chunk.subarray(offset, offset + size), filledBytes);
        filledBytes += size;
        offset += size;
        if (filledBytes < frameBytes) continue;
        complete();
        hasCompleted = true;
      }
      return hasCompleted;
    },
    abort() {
      const hadBytes = filledBytes > 0;
      if (region !== undefined) memory.release(region);
      filledBytes = 0;
      region = undefined;
      target = undefined;
      return hadBytes;
    },
  };
}
