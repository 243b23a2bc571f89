import { readdirSync } from 'node:fs';
import { availableParallelism, setPriority } from 'node:os';
import { assert } from '../core/assert.ts';
import { errnoName, openLibc } from './libc.ts';
import { GRANTED, type Permission, refused } from './permission.ts';

/** What a process may ask for itself, so that the kernel runs it where and when it should. */
export interface ProcessControl {
  /** Keeps every thread of this process, and those it starts later, on these CPUs (each 0 .. 1023). */
  setAffinity(cpus: readonly number[]): Permission;
  /** CPUs on which the calling thread may run, ascending. */
  allowedCpus(): readonly number[];
  /** -20 (first) .. 19 (last), for the calling thread alone: on Linux niceness belongs to threads. Raising it never needs a permission. */
  setNiceness(niceness: number): Permission;
  /** SCHED_FIFO at 1 .. 99 for the calling thread; 0 gives it back to the ordinary scheduler. */
  setRealtimePriority(priority: number): Permission;
  /** SCHED_IDLE for the calling thread: it runs only where nobody else wants to, and leaves at once to whoever wakes up. Never needs a permission. */
  setIdle(): Permission;
  /** Keeps every page in memory once it has been touched. Pages not touched stay unallocated: V8 reserves far more than it uses. */
  lockMemory(): Permission;
  /** This process is killed when the thread that started it ends, however it ends. A parent that is gone already is not noticed: compare `process.ppid` afterwards. */
  dieWithParent(): Permission;
  /** The signal that this process gets when its parent ends, 0 for none; undefined where the kernel does not say. */
  parentDeathSignal(): number | undefined;
}

const MASK_BYTES = 128;
const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_IDLE = 5;
const MCL_CURRENT_FUTURE_ONFAULT = 1 | 2 | 4;
const PR_SET_PDEATHSIG = 1;
const PR_GET_PDEATHSIG = 2;
const SIGKILL = 9;

/** Number of sched_setscheduler, from the kernel's tables of each architecture. */
const SET_SCHEDULER_CALL: Readonly<Record<string, number>> = { x64: 144, arm64: 119, riscv64: 119, loong64: 119 };

/** Error: NATIVE_UNAVAILABLE. */
export function createProcessControl(): ProcessControl {
  const libc = openLibc();
  const outcome = (result: number, call: string, remedy: string): Permission =>
    result >= 0 ? GRANTED : refused(`${call} failed with ${errnoName(libc.errno())}`, remedy);
  const setPolicy = (policy: number, priority: number, name: string, remedy: string): Permission => {
    const call = SET_SCHEDULER_CALL[process.arch];
    if (call === undefined) return refused(`no sched_setscheduler call is known for ${process.arch}`, remedy);
    return outcome(libc.schedSetscheduler(call, 0, policy, Int32Array.of(priority)), name, remedy);
  };

  return {
    setAffinity(cpus) {
      const mask = maskOf(cpus);
      const remedy = `name CPUs of 0 to ${availableParallelism() - 1} that the cpuset of this process (cgroup, taskset) contains`;
      // The calling thread goes first: it decides. A helper thread may end between the listing and its turn.
      const own = outcome(libc.schedSetaffinity(0, MASK_BYTES, mask), `sched_setaffinity to CPU ${cpus.join(', ')}`, remedy);
      if (own.isGranted) for (const thread of readdirSync('/proc/self/task')) libc.schedSetaffinity(Number(thread), MASK_BYTES, mask);
      return own;
    },
    allowedCpus() {
      const mask = new Uint8Array(MASK_BYTES);
      if (libc.schedGetaffinity(0, MASK_BYTES, mask) < 0) return [];
      return Array.from({ length: MASK_BYTES * 8 }, (_, cpu) => cpu).filter((cpu) => ((mask[cpu >> 3] ?? 0) >> (cpu & 7)) & 1);
    },
    setNiceness(niceness) {
      try {
        setPriority(niceness);
        return GRANTED;
      } catch (thrown) {
        return refused(`setpriority to ${niceness} failed: ${String(thrown)}`, 'grant CAP_SYS_NICE or raise RLIMIT_NICE (ulimit -e)');
      }
    },
    setRealtimePriority(priority) {
      assert(Number.isInteger(priority) && priority >= 0 && priority <= 99, `a real-time priority is 0 to 99, got ${priority}`);
      const remedy = 'grant CAP_SYS_NICE or raise RLIMIT_RTPRIO (ulimit -r, LimitRTPRIO= of systemd)';
      return setPolicy(priority === 0 ? SCHED_OTHER : SCHED_FIFO, priority, `SCHED_FIFO at ${priority}`, remedy);
    },
    setIdle: () => setPolicy(SCHED_IDLE, 0, 'SCHED_IDLE', 'allow sched_setscheduler in the seccomp profile'),
    lockMemory() {
      const remedy = 'grant CAP_IPC_LOCK or raise RLIMIT_MEMLOCK (ulimit -l unlimited, LimitMEMLOCK= of systemd)';
      return outcome(libc.mlockall(MCL_CURRENT_FUTURE_ONFAULT), 'mlockall', remedy);
    },
    dieWithParent() {
      return outcome(libc.prctl(PR_SET_PDEATHSIG, SIGKILL), 'prctl(PR_SET_PDEATHSIG)', 'allow prctl in the seccomp profile');
    },
    parentDeathSignal() {
      const answer = new Int32Array(1);
      return libc.prctlGet(PR_GET_PDEATHSIG, answer) < 0 ? undefined : answer[0];
    },
  };
}

function maskOf(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array(MASK_BYTES);
  for (const cpu of cpus) {
    assert(Number.isInteger(cpu) && cpu >= 0 && cpu < MASK_BYTES * 8, `a CPU is numbered 0 to ${MASK_BYTES * 8 - 1}, got ${cpu}`);
    mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  }
  return mask;
}
