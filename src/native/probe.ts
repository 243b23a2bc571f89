import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { messageOf } from '../core/errors.ts';
import { durationUs } from '../core/units.ts';
import { createFutex } from './futex.ts';
import { GRANTED, type Permission, refused } from './permission.ts';
import { createProcessControl, type ProcessControl } from './process-control.ts';
import { createSharedMemory, sharedMemoryRoom } from './shared-memory.ts';

/** One thing that the operating system lets us do or not; `remedy` is empty when it does. */
export interface Capability {
  readonly name: 'shared-memory' | 'futex' | 'affinity' | 'niceness' | 'realtime' | 'memory-lock' | 'parent-death-signal';
  readonly isAvailable: boolean;
  readonly detail: string;
  readonly remedy: string;
}

/** Tries everything that `native` offers and puts it back as it was. It never throws. */
export function probeNative(): readonly Capability[] {
  return [
    capability('shared-memory', roomText(), probeSharedMemory),
    capability('futex', 'wait and wake work', probeFutex),
    capability('affinity', 'core processes can be pinned', () => probeAffinity(createProcessControl())),
    capability('niceness', 'priority can be raised above that of other processes', () => probeNiceness(createProcessControl())),
    capability('realtime', 'SCHED_FIFO is permitted', () => probeRealtime(createProcessControl())),
    capability('memory-lock', 'memory can be locked', probeMemoryLock),
    capability('parent-death-signal', 'core processes end with the runtime', () => probeParentDeath(createProcessControl())),
  ];
}

function capability(name: Capability['name'], detail: string, probe: () => Permission): Capability {
  try {
    const permission = probe();
    if (permission.isGranted) return { name, isAvailable: true, detail, remedy: '' };
    return { name, isAvailable: false, detail: permission.detail, remedy: permission.remedy };
  } catch (thrown) {
    // The messages of NATIVE_UNAVAILABLE and ARENA_FULL say what to do themselves.
    return { name, isAvailable: false, detail: messageOf(thrown), remedy: 'do what the message says' };
  }
}

function roomText(): string {
  const room = sharedMemoryRoom();
  if (room === undefined) return '/dev/shm could not be measured';
  const megabytes = (bytes: number): string => `${Math.floor(bytes / 1e6)} MB`;
  return `${megabytes(room.freeBytes)} of ${megabytes(room.totalBytes)} free in /dev/shm`;
}

function probeSharedMemory(): Permission {
  createSharedMemory(4096).close();
  return GRANTED;
}

function probeFutex(): Permission {
  const memory = createSharedMemory(4096);
  try {
    const futex = createFutex(memory, 0);
    futex.wake();
    const answer = futex.wait(1, durationUs(1000));
    return answer === 'changed' ? GRANTED : refused(`a futex of another value answered ${answer}`, 'report the kernel version as a bug');
  } finally {
    memory.close();
  }
}

function probeAffinity(control: ProcessControl): Permission {
  const cpus = control.allowedCpus();
  if (cpus.length === 0) return refused('sched_getaffinity failed', 'allow it in the seccomp profile');
  return control.setAffinity(cpus);
}

function probeNiceness(control: ProcessControl): Permission {
  const before = getPriority();
  const permission = control.setNiceness(Math.max(-20, before - 1));
  if (permission.isGranted) control.setNiceness(before);
  return permission;
}

function probeRealtime(control: ProcessControl): Permission {
  const permission = control.setRealtimePriority(1);
  if (permission.isGranted) control.setRealtimePriority(0);
  return permission;
}

/** Bit of CAP_IPC_LOCK in the capability masks of /proc. */
const CAP_IPC_LOCK = 14n;

/** Read, not tried: a trial would lock the whole of this process. */
function probeMemoryLock(): Permission {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if ((BigInt(`0x${effective}`) >> CAP_IPC_LOCK) & 1n) return GRANTED;
  const limit = /^Max locked memory\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 'unknown';
  if (limit === 'unlimited') return GRANTED;
  return refused(`RLIMIT_MEMLOCK is ${limit} bytes`, 'grant CAP_IPC_LOCK or raise RLIMIT_MEMLOCK (LimitMEMLOCK=infinity of systemd)');
}

function probeParentDeath(control: ProcessControl): Permission {
  return control.parentDeathSignal() === undefined ? refused('prctl failed', 'allow prctl in the seccomp profile') : GRANTED;
}
