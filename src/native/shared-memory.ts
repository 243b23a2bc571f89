import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, statfsSync } from 'node:fs';
import { assert } from '../core/assert.ts';
import { CoxswainError } from '../core/errors.ts';
import { type Address, errnoName, type Libc, openLibc } from './libc.ts';

/**
 * A block of memory that several processes see. It has no name: who shall map it inherits `fd` (the `stdio` array of a spawn) or, in the same process, is
 * told its number. The kernel frees it when the last descriptor and the last mapping are gone, however their owners ended.
 */
export interface SharedMemory {
  readonly fd: number;
  readonly buffer: ArrayBuffer;
  /** Where the mapping begins in this process; for futex words. */
  readonly address: Address;
  /**
   * Closes the descriptor, so that nobody new can map it. The mapping itself goes when the last view of `buffer` is collected: unmapping under a
   * living view would turn its next access into a segmentation fault.
   */
  close(): void;
}

const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const PROT_READ_WRITE = 1 | 2;
const MAP_SHARED = 1;
const MAP_FAILED = 2n ** 64n - 1n;
const NULL: Address = 0n;

/** Calls munmap when a mapping's ArrayBuffer can no longer be reached. It holds no state of its own that anybody could read or change. */
const unmapper = new FinalizationRegistry<() => void>((unmap) => unmap());

/**
 * Makes `byteLength` zeroed bytes (1 or more) with all of its pages allocated, so that a full /dev/shm is an error here and not a SIGBUS later.
 * The name that POSIX wants exists only between two calls of this function, readable by this user alone.
 * Errors: NATIVE_UNAVAILABLE, ARENA_FULL (as many bytes are not free in /dev/shm).
 */
export function createSharedMemory(byteLength: number): SharedMemory {
  assert(Number.isSafeInteger(byteLength) && byteLength > 0, `shared memory has a whole number of bytes, got ${byteLength}`);
  const libc = openLibc();
  const name = `/coxswain-${randomBytes(16).toString('hex')}`;
  const fd = libc.shmOpen(name, O_RDWR | O_CREAT | O_EXCL, 0o600);
  if (fd < 0) throw unavailable('shm_open', libc.errno(), 'mount a tmpfs on /dev/shm that this user may write to');
  try {
    if (libc.shmUnlink(name) !== 0) throw unavailable('shm_unlink', libc.errno(), 'check the permissions of /dev/shm');
    if (libc.ftruncate(fd, byteLength) !== 0) throw refusedSize(byteLength, libc.errno());
    const errno = libc.posixFallocate(fd, 0, byteLength);
    if (errno !== 0) throw refusedSize(byteLength, errno);
    return map(libc, fd, byteLength, () => closeSync(fd));
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}

/**
 * Maps memory of `createSharedMemory` again: in a child process that inherited `fd`, or in a worker thread of its process. `close` leaves the
 * descriptor alone, since it belongs to whoever made or inherited it. Errors: NATIVE_UNAVAILABLE, also when `fd` holds fewer bytes.
 */
export function mapSharedMemory(fd: number, byteLength: number): SharedMemory {
  assert(Number.isSafeInteger(byteLength) && byteLength > 0, `shared memory has a whole number of bytes, got ${byteLength}`);
  // Pages past the end of the file would map, and kill the process when touched.
  const size = sizeOf(fd);
  if (size < byteLength) {
    throw new CoxswainError(
      'NATIVE_UNAVAILABLE',
      `Descriptor ${fd} holds ${size} bytes of shared memory; ${byteLength} were to be mapped.`,
    );
  }
  return map(openLibc(), fd, byteLength, () => undefined);
}

/** Bytes of /dev/shm: all, and still free. Undefined where it is not mounted. */
export function sharedMemoryRoom(): { readonly totalBytes: number; readonly freeBytes: number } | undefined {
  try {
    const { bsize, blocks, bavail } = statfsSync('/dev/shm');
    return { totalBytes: bsize * blocks, freeBytes: bsize * bavail };
  } catch {
    return undefined;
  }
}

function map(libc: Libc, fd: number, byteLength: number, closeFd: () => void): SharedMemory {
  const address = BigInt(libc.mmap(NULL, byteLength, PROT_READ_WRITE, MAP_SHARED, fd, 0));
  if (BigInt.asUintN(64, address) === MAP_FAILED) throw unavailable('mmap', libc.errno(), 'raise the limit on address space (ulimit -v)');
  const buffer = libc.view(address, byteLength);
  unmapper.register(buffer, () => libc.munmap(address, byteLength));
  let isOpen = true;
  return {
    fd,
    buffer,
    address,
    close() {
      if (isOpen) closeFd();
      isOpen = false;
    },
  };
}

function sizeOf(fd: number): number {
  try {
    return fstatSync(fd).size;
  } catch (thrown) {
    throw new CoxswainError('NATIVE_UNAVAILABLE', `Descriptor ${fd} is not open, so no shared memory can be mapped from it.`, {
      cause: thrown,
    });
  }
}

function refusedSize(byteLength: number, errno: number): CoxswainError {
  const room = sharedMemoryRoom();
  const free = room === undefined ? 'an unknown number' : `${room.freeBytes} of ${room.totalBytes}`;
  return new CoxswainError(
    'ARENA_FULL',
    `${byteLength} bytes of shared memory were refused (${errnoName(errno)}); /dev/shm has ${free} bytes free. Make it larger (mount -o remount,size=..., docker --shm-size) or the arena smaller.`,
  );
}

function unavailable(call: string, errno: number, remedy: string): CoxswainError {
  return new CoxswainError('NATIVE_UNAVAILABLE', `${call} failed with ${errnoName(errno)}; ${remedy}.`);
}
