import { spawnSync } from 'node:child_process';

/** Whether an optional system program can be started here; tests that need it are named for it and skipped without it. */
export function hasProgram(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0;
}
