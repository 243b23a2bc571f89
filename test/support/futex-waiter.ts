import { writeSync } from 'node:fs';
import { durationUs } from '../../src/core/units.ts';
import { createFutex } from '../../src/native/futex.ts';
import { mapSharedMemory } from '../../src/native/shared-memory.ts';

/** A process that waits on word 0 of the shared memory at its descriptor 3, after saying in word 1 that it is about to, and prints the answer. */
const memory = mapSharedMemory(3, 4096);
const futex = createFutex(memory, 0);
Atomics.store(new Int32Array(memory.buffer), 1, 1);
writeSync(1, futex.wait(0, durationUs(8_000_000)));
