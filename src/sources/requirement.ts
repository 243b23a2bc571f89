import { stat } from 'node:fs/promises';
import { after, type Clock, type Timer } from '../core/clock.ts';
import { durationFromMs } from '../core/units.ts';
import type { SpawnChild } from './child.ts';

/** What must be there for a source to have a chance. */
export type Requirement =
  /** A path that exists, of whatever type. */
  | { readonly kind: 'path'; readonly path: string }
  /** A program that starts with these arguments, which make it say its version and exit. */
  | { readonly kind: 'program'; readonly program: string; readonly versionArgs: readonly string[] }
  /** Something only a closer look can tell; resolves with what is missing, or undefined. */
  | { readonly kind: 'check'; readonly missing: () => Promise<string | undefined> };

/** A program that neither answers nor ends is there, but is not waited for longer than this. */
const PROGRAM_WAIT_US = durationFromMs(3000);

/** What is missing, in words, or undefined when the requirement is met. Never rejects because of what it looks at. */
export async function findMissing(
  requirement: Requirement,
  deps: { readonly clock: Clock; readonly spawn: SpawnChild },
): Promise<string | undefined> {
  switch (requirement.kind) {
    case 'path':
      return stat(requirement.path).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => `'${requirement.path}' is not there (${error.code})`,
      );
    case 'program':
      return findProgram(requirement.program, requirement.versionArgs, deps);
    case 'check':
      return requirement.missing();
  }
}

function findProgram(
  program: string,
  args: readonly string[],
  { clock, spawn }: { readonly clock: Clock; readonly spawn: SpawnChild },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let timer: Timer | undefined;
    const child = spawn(program, args, {
      stdout: () => undefined,
      stderr: () => undefined,
      end(end) {
        timer?.cancel();
        resolve(end.startError === undefined ? undefined : `${program} is not installed (${end.startError.code})`);
      },
    });
    timer = after(clock, PROGRAM_WAIT_US, () => child.kill('SIGKILL'));
  });
}
