import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createSystemClock } from '../../../src/core/system-clock.ts';
import { durationUs } from '../../../src/core/units.ts';
import { createFutex } from '../../../src/native/futex.ts';
import { createSharedMemory } from '../../../src/native/shared-memory.ts';

it('returns at once when the word no longer holds what was expected', () => {
  const memory = createSharedMemory(4096);
  new Int32Array(memory.buffer)[2] = 5;
  expect(createFutex(memory, 8).wait(4, durationUs(60_000_000))).toBe('changed');
});

it('gives up after its timeout, not before', () => {
  const clock = createSystemClock();
  const futex = createFutex(createSharedMemory(4096), 0);
  const before = clock.now();
  expect(futex.wait(0, durationUs(20_000))).toBe('timed-out');
  expect(clock.now() - before).toBeGreaterThanOrEqual(20_000);
});

it('compares negative words as the 32 bits they are', () => {
  const memory = createSharedMemory(4096);
  new Int32Array(memory.buffer)[0] = -1;
  expect(createFutex(memory, 0).wait(-1, durationUs(1000))).toBe('timed-out');
});

it('wakes nobody when nobody waits', () => {
  expect(createFutex(createSharedMemory(4096), 0).wake()).toBe(0);
});

it('wakes another process that waits on the same memory', async () => {
  const memory = createSharedMemory(4096);
  const waiter = fileURLToPath(new URL('../../support/futex-waiter.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', waiter], { stdio: ['ignore', 'pipe', 'inherit', memory.fd] });
  const answer = new Promise((resolve) => child.stdout?.once('data', (data) => resolve(String(data))));
  const exit = new Promise((resolve) => child.once('exit', resolve));
  const futex = createFutex(memory, 0);
  const words = new Int32Array(memory.buffer);
  while (child.exitCode === null && (Atomics.load(words, 1) === 0 || futex.wake() === 0))
    await new Promise((resolve) => setImmediate(resolve));
  expect(await answer).toBe('woken');
  expect(await exit).toBe(0);
});

it('refuses a word that is not aligned or lies outside', () => {
  const memory = createSharedMemory(4096);
  expect(() => createFutex(memory, 2)).toThrow(/aligned/);
  expect(() => createFutex(memory, 4096)).toThrow(/aligned/);
});
