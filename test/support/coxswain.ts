import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The command as a user runs it: compiled, in a process of its own. */
export interface Coxswain {
  readonly process: ChildProcess;
  /** What it printed so far, both streams. */
  text(): string;
  stdout(): string;
  /** Waits until it has printed what matches. */
  said(pattern: RegExp, timeoutMs?: number): Promise<void>;
  /** Processes that play its cores, in the order of their ids. */
  corePids(): number[];
  readonly ended: Promise<number | null>;
}

export function coxswain(args: readonly string[], options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Coxswain {
  const child = spawn(process.execPath, [`${PROJECT}dist/cli/main.js`, ...args], {
    cwd: options.cwd ?? PROJECT,
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let all = '';
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    all += chunk;
    out += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    all += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    process: child,
    text: () => all,
    stdout: () => out,
    said: (pattern, timeoutMs = 30_000) => eventually(() => pattern.test(all), `it says ${pattern}; it said:\n${all}`, timeoutMs),
    corePids: () => corePids(child.pid ?? 0),
    ended,
  };
}

/** Children of a process that run the entry of a core; a core with a smaller id was started earlier. */
export function corePids(parent: number): number[] {
  const listing = execFileSync('ps', ['-o', 'pid=', '--ppid', String(parent)], { encoding: 'utf8' });
  return listing
    .split('\n')
    .map((line) => Number(line.trim()))
    .filter((pid) => pid > 0 && commandOf(pid).includes('core-process'))
    .sort((a, b) => a - b);
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended between the listing and now.
    return '';
  }
}
