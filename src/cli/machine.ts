import { spawn } from 'node:child_process';
import { readdir, statfs } from 'node:fs/promises';
import { probeNative } from '../native/probe.ts';
import type { DoctorProbe, ProgramResult, RunProgramOptions } from './doctor-checks.ts';

/** Long enough for a cold start of Node with ONNX Runtime on a busy machine. */
const PROGRAM_TIMEOUT_MS = 20_000;
/** What is kept of a program's output; the rest is read and thrown away. */
const OUTPUT_CHARS_MAX = 16_384;

/** This machine, for `doctor`. */
export const createDoctorProbe = (packageFolder: string, env: Readonly<Record<string, string | undefined>>): DoctorProbe => ({
  nodeVersion: process.versions.node,
  env,
  packageFolder,
  probeNative,
  run: runProgram,
  list: (folder) => readdir(folder).catch(() => []),
  diskRoom: async (path) => {
    const room = await statfs(path).catch(() => undefined);
    return room === undefined ? undefined : { totalBytes: room.blocks * room.bsize, freeBytes: room.bavail * room.bsize };
  },
});

function runProgram(command: string, args: readonly string[], options: RunProgramOptions = {}): Promise<ProgramResult | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      ...options,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PROGRAM_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = (output[name] + text).slice(0, OUTPUT_CHARS_MAX);
      });
    }
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve({ code, ...output }));
  });
}
