import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { CoxswainError } from '../../../src/core/errors.ts';
import { createSharedMemory, mapSharedMemory, sharedMemoryRoom } from '../../../src/native/shared-memory.ts';

const codeOf = (task: () => unknown): string | undefined => {
  try {
    task();
    return undefined;
  } catch (thrown) {
    return thrown instanceof CoxswainError ? thrown.code : String(thrown);
  }
};

it('shows the same bytes through two mappings of one descriptor', () => {
  const memory = createSharedMemory(8192);
  const again = mapSharedMemory(memory.fd, 8192);
  new Int32Array(memory.buffer)[1000] = 42;
  expect(new Int32Array(again.buffer)[1000]).toBe(42);
  memory.close();
});

it('begins as zeros, as long as asked for', () => {
  const memory = createSharedMemory(100_001);
  expect(memory.buffer.byteLength).toBe(100_001);
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  memory.close();
});

it('leaves no name in /dev/shm', () => {
  const memory = createSharedMemory(4096);
  expect(readdirSync('/dev/shm').filter((name) => name.startsWith('coxswain-'))).toEqual([]);
  memory.close();
});

it('reaches a child process through an inherited descriptor', () => {
  const memory = createSharedMemory(4096);
  const script = "const fs = require('node:fs'); fs.writeSync(4, 'from the child', 100)";
  const child = spawnSync(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ignore', memory.fd] });
  expect(child.status).toBe(0);
  expect(Buffer.from(memory.buffer, 100, 14).toString()).toBe('from the child');
  memory.close();
});

it('can be written from a worker thread that knows the descriptor', async () => {
  const memory = createSharedMemory(4096);
  const script = "require('node:fs').writeSync(require('node:worker_threads').workerData, Buffer.from([7]), 0, 1, 9)";
  const worker = new Worker(script, { eval: true, workerData: memory.fd });
  await new Promise((resolve) => worker.once('exit', resolve));
  expect(new Uint8Array(memory.buffer)[9]).toBe(7);
  memory.close();
});

it('closes its descriptor once, and its bytes stay readable', () => {
  const memory = createSharedMemory(4096);
  new Uint8Array(memory.buffer)[5] = 9;
  memory.close();
  const reused = openSync('/dev/null', 'r');
  memory.close();
  expect(() => fstatSync(reused)).not.toThrow();
  expect(new Uint8Array(memory.buffer)[5]).toBe(9);
  closeSync(reused);
});

it('refuses more than /dev/shm has, naming how much is free, and leaks no descriptor', () => {
  const before = readdirSync('/proc/self/fd').length;
  const tooMuch = (sharedMemoryRoom()?.totalBytes ?? 0) + 2 ** 30;
  expect(codeOf(() => createSharedMemory(tooMuch))).toBe('ARENA_FULL');
  expect(() => createSharedMemory(tooMuch)).toThrow(/bytes free.*shm-size/);
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

it('refuses to map more than the descriptor holds', () => {
  const memory = createSharedMemory(4096);
  expect(codeOf(() => mapSharedMemory(memory.fd, 8192))).toBe('NATIVE_UNAVAILABLE');
  memory.close();
});

it('refuses to map a descriptor that is not open', () => {
  expect(codeOf(() => mapSharedMemory(98_765, 4096))).toBe('NATIVE_UNAVAILABLE');
});

it('refuses to map a descriptor that is not memory', () => {
  const fd = openSync('/dev/null', 'r');
  expect(codeOf(() => mapSharedMemory(fd, 4096))).toBe('NATIVE_UNAVAILABLE');
  closeSync(fd);
});
