import { Arena } from '../core/arena.ts';
import type { Region } from '../core/region.ts';
import { createSharedMemory, type SharedMemory } from '../native/shared-memory.ts';
import type { FrameMemory } from '../sources/source.ts';

/** The one block of shared memory that frames and tensors live in, and the account of who has which part. */
export interface TensorArena extends FrameMemory {
  readonly arena: Arena;
  readonly shared: SharedMemory;
  /** Puts token ids into a region, an int32 each. */
  write(region: Region, ids: Int32Array): void;
  close(): void;
}

/** Errors: ARENA_FULL, NATIVE_UNAVAILABLE. */
export function createTensorArena(byteLength: number): TensorArena {
  const shared = createSharedMemory(byteLength);
  const arena = new Arena(byteLength);
  return {
    arena,
    shared,
    allocate: (bytes) => arena.allocate(bytes),
    retain: (region) => arena.retain(region),
    release: (region) => arena.release(region),
    bytes: (region) => new Uint8Array(shared.buffer, region.offsetBytes, region.byteLength),
    write: ({ offsetBytes }, ids) => new Int32Array(shared.buffer, offsetBytes, ids.length).set(ids),
    close: () => shared.close(),
  };
}
