import { Arena } from '../core/arena.ts';
import { createSharedMemory, type SharedMemory } from '../native/shared-memory.ts';
import type { FrameMemory } from '../sources/source.ts';

/** The one block of shared memory that frames and tensors live in, and the account of who has which part. */
export interface TensorArena extends FrameMemory {
  readonly arena: Arena;
  readonly shared: SharedMemory;
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
    close: () => shared.close(),
  };
}
