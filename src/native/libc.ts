import { createRequire } from 'node:module';
import { CoxswainError, messageOf } from '../core/errors.ts';

/** A pointer as koffi gives it. 0n is NULL; MAP_FAILED is 2^64 - 1. */
export type Address = bigint;

/** The functions of the C library that Coxswain calls, typed. Those that fail return -1 and leave their reason in `errno()`. */
export interface Libc {
  shmOpen(name: string, flags: number, mode: number): number;
  shmUnlink(name: string): number;
  ftruncate(fd: number, byteLength: number): number;
  /** Returns the error number itself, 0 when all went well. */
  posixFallocate(fd: number, offset: number, byteLength: number): number;
  mmap(hint: Address, byteLength: number, protection: number, flags: number, fd: number, offset: number): Address;
  munmap(address: Address, byteLength: number): number;
  schedGetaffinity(pid: number, maskBytes: number, mask: Uint8Array): number;
  schedSetaffinity(pid: number, maskBytes: number, mask: Uint8Array): number;
  mlockall(flags: number): number;
  prctl(option: number, argument: number): number;
  /** As `prctl`, for the options that write their answer, one int32, to where the argument points. */
  prctlGet(option: number, answer: Int32Array): number;
  /** futex(2): `timeout` is a timespec of two int64. The C function is variadic; integers and pointers travel as in a fixed one on every Linux. */
  futex(call: number, address: Address, operation: number, value: number, timeout: BigInt64Array | null): number;
  /** sched_setscheduler(2) as a system call, since musl's function of that name does nothing. `parameter` is one int32, the priority. */
  schedSetscheduler(call: number, pid: number, policy: number, parameter: Int32Array): number;
  errno(): number;
  /** The bytes at `address` as an ArrayBuffer, without a copy. */
  view(address: Address, byteLength: number): ArrayBuffer;
}

type Koffi = typeof import('koffi');

/**
 * Loads koffi and binds the functions; nothing is loaded before this call. The C library is the one that Node itself runs on, found among the
 * symbols of the running process, so glibc and musl need no file name. Error: NATIVE_UNAVAILABLE.
 */
export function openLibc(): Libc {
  if (process.platform !== 'linux') {
    throw new CoxswainError('NATIVE_UNAVAILABLE', `Coxswain runs on Linux only; this is ${process.platform}.`);
  }
  try {
    return bind(createRequire(import.meta.url)('koffi') as Koffi);
  } catch (thrown) {
    const message = `The C library could not be called through koffi: ${messageOf(thrown)}. Reinstall with optional dependencies (npm ci).`;
    throw new CoxswainError('NATIVE_UNAVAILABLE', message, { cause: thrown });
  }
}

function bind(koffi: Koffi): Libc {
  const self = koffi.load(null);
  return {
    shmOpen: self.func('int shm_open(const char *name, int flags, unsigned int mode)'),
    shmUnlink: self.func('int shm_unlink(const char *name)'),
    ftruncate: self.func('int ftruncate(int fd, int64_t length)'),
    posixFallocate: self.func('int posix_fallocate(int fd, int64_t offset, int64_t length)'),
    mmap: self.func('uintptr_t mmap(void *hint, size_t length, int protection, int flags, int fd, int64_t offset)'),
    munmap: self.func('int munmap(uintptr_t address, size_t length)'),
    schedGetaffinity: self.func('int sched_getaffinity(int pid, size_t size, _Out_ uint8_t *mask)'),
    schedSetaffinity: self.func('int sched_setaffinity(int pid, size_t size, const uint8_t *mask)'),
    mlockall: self.func('int mlockall(int flags)'),
    prctl: self.func('int prctl(int option, uintptr_t argument)'),
    prctlGet: self.func('prctl', 'int', ['int', 'void *']),
    futex: self.func('syscall', 'int64_t', ['int64_t', 'uintptr_t', 'int', 'uint32_t', 'const void *']),
    schedSetscheduler: self.func('syscall', 'int64_t', ['int64_t', 'int', 'int', 'const void *']),
    errno: () => koffi.errno(),
    view: (address, byteLength) => koffi.view(address, byteLength),
  };
}

/** An error number as people know it: `ENOSPC`, or `errno 999` when it has no name here. */
export function errnoName(errno: number): string {
  const names: Readonly<Record<number, string>> = {
    1: 'EPERM',
    2: 'ENOENT',
    9: 'EBADF',
    12: 'ENOMEM',
    13: 'EACCES',
    17: 'EEXIST',
    19: 'ENODEV',
    22: 'EINVAL',
    23: 'ENFILE',
    24: 'EMFILE',
    27: 'EFBIG',
    28: 'ENOSPC',
    38: 'ENOSYS',
    95: 'EOPNOTSUPP',
  };
  return names[errno] ?? `errno ${errno}`;
}
