import { readFileSync } from 'node:fs';

/** Whether a process with this id exists, ours or another user's. */
export function isProcessAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * Names a process more surely than its id, which Linux reuses: the id and the time it started at, in clock ticks since boot
 * (field 22 of /proc/PID/stat; the command name in field 2 may hold spaces, so fields are counted after its closing parenthesis).
 */
export function processIdentity(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const startTicks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return startTicks === undefined ? undefined : `${pid} ${startTicks}`;
  } catch {
    return undefined;
  }
}
