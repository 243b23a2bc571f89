import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationFromMs } from '../../../src/core/units.ts';
import { URGENCY_STARTUP, WorkerPool } from '../../../src/runtime/threads/worker-pool.ts';
import type { FrailTasks } from '../../support/frail-worker.ts';

const lost: string[] = [];
let pool: WorkerPool<FrailTasks>;

const open = (workers: number, taskTimeoutMs = 20_000): WorkerPool<FrailTasks> =>
  new WorkerPool<FrailTasks>(
    {
      ...{ name: 'frail', entry: new URL('../../support/frail-worker', import.meta.url), init: null, workers },
      ...{ tasksMax: 16, taskTimeoutUs: durationFromMs(taskTimeoutMs) },
    },
    { clock: createSystemClock(), onWorkerLost: (message) => lost.push(message) },
  );

beforeEach(async () => {
  lost.length = 0;
  pool = open(1);
  await pool.ready;
});
afterEach(() => pool.close());

const echo = (text: string) => pool.run('echo', text, URGENCY_STARTUP);

describe('a pool of workers', () => {
  it('tells whoever waits for a worker that crashes, says why, and has another one do what waits behind', async () => {
    const crashed = pool.run('throw', 'spilt', URGENCY_STARTUP);
    const behind = echo('next');
    await expect(crashed).rejects.toMatchObject({ code: 'WORKER_CRASHED', message: expect.stringContaining('spilt') });
    expect(await behind).toBe('next');
    expect(lost).toEqual([expect.stringContaining('a frail worker was lost')]);
    await expect(pool.run('die', 3, URGENCY_STARTUP)).rejects.toThrow('exit code 3');
    expect(await echo('again')).toBe('again');
  });

  it('ends a worker whose task takes too long', async () => {
    await pool.close();
    pool = open(1, 1_000);
    await pool.ready;
    await expect(pool.run('loop', null, URGENCY_STARTUP)).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    expect(await echo('on')).toBe('on');
  });

  it('is given up after too many losses in a row: what waits is refused, and so is whatever comes', async () => {
    const deaths = Array.from({ length: 6 }, () => pool.run('die', 1, URGENCY_STARTUP).catch((error: unknown) => String(error)));
    const behind = echo('never');
    await expect(behind).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
    expect(await Promise.all(deaths)).toHaveLength(6);
    expect(lost).toHaveLength(6);
    await expect(echo('late')).rejects.toMatchObject({ code: 'WORKER_CRASHED' });
  });
});
