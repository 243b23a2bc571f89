import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { type Computed, type ComputePool, createComputePool } from '../../../src/runtime/compute-pool.ts';
import { childPids } from '../../support/child-pids.ts';
import { writeTinyModels } from '../../support/tiny-onnx.ts';

const floats = (...values: readonly number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const bytesOf = ({ outputs: [output] }: Extract<Computed, { readonly kind: 'done' }>): ArrayBuffer => Uint8Array.from(output ?? []).buffer;
/** Rounds that `count` goes through: for longer than any test. */
const FOREVER = new Uint8Array(BigInt64Array.of(10n ** 15n).buffer);

describe('processes that compute for a simulation', () => {
  let dir: string;
  let pool: ComputePool;
  let warnings: string[];
  let before: readonly number[];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'coxswain-pool-'));
    warnings = [];
    before = childPids();
    const { count, divide } = writeTinyModels(dir);
    pool = await createComputePool(
      { cores: [{ id: 0 }], models: [divide, count] },
      { clock: createSystemClock(), onWarning: (message) => warnings.push(message) },
    );
  });

  afterEach(async () => {
    await pool.close();
    rmSync(dir, { recursive: true });
    expect(childPids()).toEqual(before);
  });

  const halves = (): Promise<Computed> => pool.run('divide', [floats(6, 6, 6, 6), floats(2, 2, 2, 2)]);

  /** Kills the process while it counts. */
  async function killed(): Promise<Computed> {
    await halves();
    const counting = pool.run('count', [FOREVER]);
    const pid = childPids().find((child) => !before.includes(child));
    if (pid === undefined) throw new Error('the pool has a process');
    process.kill(pid, 'SIGKILL');
    return counting;
  }

  it('give the outputs of each run, as many as are asked for at once, and say what was wrong with one', async () => {
    const answers = await Promise.all([2, 4, 0, 8].map((by) => pool.run('divide', [floats(8, 8, 8, 8), floats(by, by, by, by)])));
    const quotients = answers.map((answer) =>
      answer.kind === 'failed' ? answer.reason : new DataView(bytesOf(answer)).getFloat32(0, true),
    );
    expect(quotients).toEqual([4, 2, 'non-finite', 1]);
  });

  it('fail the run that one is lost with, and go on with the next', async () => {
    expect(await killed()).toMatchObject({ kind: 'failed', reason: 'device-error', message: expect.stringContaining('SIGKILL') });
    expect(await halves()).toMatchObject({ kind: 'done' });
    expect(warnings).toEqual([expect.stringMatching(/SIGKILL.*is started again/)]);
  });

  it('give up after the fifth loss', async () => {
    for (let loss = 1; loss <= 4; loss += 1) expect(await killed()).toMatchObject({ kind: 'failed' });
    expect(await halves()).toMatchObject({ kind: 'done' });
    await killed();
    await expect(halves()).rejects.toThrow(
      expect.objectContaining({ code: 'CORE_CRASHED', message: expect.stringContaining('5 processes that compute were lost') }),
    );
  });
});
