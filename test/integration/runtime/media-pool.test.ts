import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { createSharedMemory, type SharedMemory } from '../../../src/native/shared-memory.ts';
import { createMediaPool, type MediaPool } from '../../../src/runtime/media/media-pool.ts';
import { URGENCY_STARTUP } from '../../../src/runtime/threads/worker-pool.ts';

const MISSING = { path: join(import.meta.dirname, 'nothing.wav'), secondsMax: 1 };

let memory: SharedMemory;
let pool: MediaPool;
const lost: string[] = [];
beforeEach(async () => {
  lost.length = 0;
  memory = createSharedMemory(1024 * 1024);
  pool = createMediaPool(
    { arenaFd: memory.fd, arenaBytes: 1024 * 1024, models: [], workers: 1, tasksMax: 2, taskTimeoutUs: durationFromMs(20_000) },
    { clock: createSystemClock(), onWorkerLost: (message) => lost.push(message) },
  );
  await pool.ready;
});
afterEach(async () => {
  await pool.close();
  memory.close();
});

const decode = () => pool.run('decode-wav', MISSING, URGENCY_STARTUP);

describe('the pool of media workers', () => {
  it('gives a task that fails its own error, and goes on', async () => {
    for (let round = 0; round < 2; round += 1) await expect(decode()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' });
    expect(lost).toEqual([]);
  });

  it('refuses more than may wait', async () => {
    const tasks = Array.from({ length: 4 }, () => decode().catch((error: unknown) => String(error)));
    expect((await Promise.all(tasks)).filter((answer) => String(answer).includes('media tasks wait already'))).toHaveLength(1);
  });

  it('is closed while answers are on their way, and nobody hears those', async () => {
    const first = decode();
    // Long enough that the worker has answered, and this thread has not read it.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    const closed = pool.close();
    await expect(first).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    await closed;
    await expect(decode()).rejects.toThrow('have been closed');
    expect(lost).toEqual([]);
  });
});
