import { type ChildProcess, spawn } from 'node:child_process';
import type { ChildEnd, SpawnChild } from './child.ts';

/**
 * The operating system's child processes. Each leads a process group of its own: a Ctrl-C on the terminal reaches only the runtime, which drains first,
 * and a kill reaches the child's own children. Whatever still lives when this process exits is killed; after a SIGKILL of this process a child ends at its
 * next write, by the broken pipe.
 */
export function createNodeSpawn(): SpawnChild {
  const living = new Set<ChildProcess>();
  const killAll = (): void => {
    for (const child of living) killGroup(child, 'SIGKILL');
  };
  return (program, args, listener) => {
    const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true, windowsHide: true });
    let startError: ChildEnd['startError'];
    if (living.size === 0) process.on('exit', killAll);
    living.add(child);
    child.stdout.on('data', (chunk: Buffer) => listener.stdout(chunk));
    child.stderr.on('data', (chunk: Buffer) => listener.stderr(chunk));
    child.on('error', (error: NodeJS.ErrnoException) => {
      // The same event reports a signal that could not be sent; only a child without a pid never started.
      if (child.pid === undefined) startError = { code: error.code ?? 'UNKNOWN', message: error.message };
    });
    child.on('close', (exitCode, signal) => {
      living.delete(child);
      if (living.size === 0) process.off('exit', killAll);
      listener.end(startError === undefined ? { exitCode, signal } : { exitCode: null, signal: null, startError });
    });
    return {
      pid: child.pid,
      kill(signal) {
        if (!living.has(child)) return;
        killGroup(child, signal);
        if (child.exitCode === null && child.signalCode === null) return;
        // The child is gone but something it started, outside its group, holds its pipes; letting go of them brings `close`.
        child.stdout.destroy();
        child.stderr.destroy();
      },
    };
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: the group has just gone by itself, which is what was wanted. EPERM: all of it has changed its user; killing the child alone is all that is left.
    if ((error as NodeJS.ErrnoException).code === 'EPERM') child.kill(signal);
  }
}
