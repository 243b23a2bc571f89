import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIdentity } from './process-identity.ts';
import { SampleError } from './sample-error.ts';

const POLL_MS = 200;

export interface RunLockOptions {
  readonly signal: AbortSignal;
  /** Told once, if another run holds the lock. */
  readonly onWait: (pid: number) => void;
}

/**
 * Lets one run at a time obtain samples into a folder, so that two do not fetch the same 200 MB twice. It is a courtesy and not what keeps
 * the files whole: each appears by one rename, so even two runs that both believe they hold the lock (as across containers, where process
 * ids mean nothing) only do the work twice. Returns the function that releases the lock. Throws `aborted` if interrupted while waiting.
 */
export async function acquireRunLock(path: string, options: RunLockOptions): Promise<() => void> {
  mkdirSync(dirname(path), { recursive: true });
  const identity = processIdentity(process.pid) ?? String(process.pid);
  const content = `${identity} ${randomUUID()}\n`;
  let hasTold = false;
  while (!tryLock(path, content)) {
    const holder = readHolder(path);
    if (holder === undefined) continue;
    if (isGone(holder)) {
      removeStale(path, holder);
      continue;
    }
    if (!hasTold) options.onWait(Number.parseInt(holder, 10));
    hasTold = true;
    try {
      await sleep(POLL_MS, undefined, { signal: options.signal });
    } catch (cause) {
      throw new SampleError('aborted', 'interrupted while waiting for another run', { cause });
    }
  }
  return () => {
    if (readHolder(path) === content) rmSync(path, { force: true });
  };
}

/** A link of a file already written: the lock never exists without its content. */
function tryLock(path: string, content: string): boolean {
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, content);
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function readHolder(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isGone(holder: string): boolean {
  const [pid, startTicks] = holder.trim().split(' ');
  return processIdentity(Number(pid)) !== `${pid} ${startTicks}`;
}

/** Takes the lock file away under a name of our own before looking at it again: another waiter may have replaced it by a live one meanwhile. */
function removeStale(path: string, holder: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (readHolder(aside) !== holder) linkSync(aside, path);
  } catch (error) {
    const isRace = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EEXIST');
    if (!isRace) throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
