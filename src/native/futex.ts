import { assert } from '../core/assert.ts';
import { CoxswainError } from '../core/errors.ts';
import type { DurationUs } from '../core/units.ts';
import { errnoName, openLibc } from './libc.ts';
import type { SharedMemory } from './shared-memory.ts';

/** `woken` may be spurious, as with every futex: look at the word again. */
export type FutexWait = 'woken' | 'changed' | 'timed-out';

/** A 32-bit word of shared memory on which processes wait for each other; a wake measured 7 us (p99 15 us) from process to process. */
export interface Futex {
  /** Blocks the whole thread while the word holds `expected`: for core processes only, never where an event loop must turn. */
  wait(expected: number, timeout: DurationUs): FutexWait;
  /** Wakes everybody who waits; returns how many did. */
  wake(): number;
}

const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const EINTR = 4;
const EAGAIN = 11;
const ETIMEDOUT = 110;
const EVERYBODY = 0x7fffffff;

/** Number of the futex system call, from the kernel's tables of each architecture. */
const FUTEX_CALL: Readonly<Record<string, number>> = { x64: 202, arm64: 98, riscv64: 98, loong64: 98 };

/** The word begins at `offsetBytes` of `memory`, a multiple of 4. Error: NATIVE_UNAVAILABLE. */
export function createFutex(memory: SharedMemory, offsetBytes: number): Futex {
  assert(
    offsetBytes % 4 === 0 && offsetBytes >= 0 && offsetBytes + 4 <= memory.buffer.byteLength,
    'a futex word lies aligned in its memory',
  );
  const libc = openLibc();
  const call = FUTEX_CALL[process.arch];
  if (call === undefined) throw new CoxswainError('NATIVE_UNAVAILABLE', `No futex call is known for ${process.arch}.`);
  const address = memory.address + BigInt(offsetBytes);
  const timespec = new BigInt64Array(2);
  // The bytes stay mapped as long as this closure can use their address.
  const { buffer } = memory;
  return {
    wait(expected, timeout) {
      assert(buffer.byteLength > 0, 'the memory of a futex is mapped');
      timespec[0] = BigInt(Math.floor(timeout / 1_000_000));
      timespec[1] = BigInt(Math.round(timeout % 1_000_000) * 1000);
      if (libc.futex(call, address, FUTEX_WAIT, expected >>> 0, timespec) === 0) return 'woken';
      const errno = libc.errno();
      if (errno === EAGAIN) return 'changed';
      if (errno === EINTR) return 'woken';
      if (errno === ETIMEDOUT) return 'timed-out';
      throw new CoxswainError('NATIVE_UNAVAILABLE', `futex wait failed with ${errnoName(errno)}.`);
    },
    wake() {
      assert(buffer.byteLength > 0, 'the memory of a futex is mapped');
      return libc.futex(call, address, FUTEX_WAKE, EVERYBODY, null);
    },
  };
}
