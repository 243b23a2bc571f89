import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadableModel, OptimizedCopy } from './protocol.ts';

/** How a load shall go: from a copy, or from the original while saving a copy, or just from the original. */
export interface LoadPlan {
  readonly copy: OptimizedCopy | undefined;
  readonly saveCopyAs: string | undefined;
}

/**
 * Copies of models as the ONNX Runtime has optimised them, in a folder that only this user can enter. The first core that opens a model saves its copy; every later
 * load, above all that of a core which was lost, skips the optimiser: NanoDet opens in 21 ms instead of 77, with the same output bits. What a copy must hash to is
 * known in memory only, so nobody can slip in another.
 */
export interface OptimizedCopies {
  plan(model: LoadableModel): LoadPlan;
  /** The end of a load under `plan`. `savedCopy` is the SHA-256 of what was saved, undefined when nothing was. */
  settle(model: LoadableModel, plan: LoadPlan, result: { readonly savedCopy: string | undefined; readonly isCopyBad: boolean }): void;
  /** Removes the copies. */
  dispose(): void;
}

const PREFIX = 'coxswain-optimized-';

/** `dir` is made if missing, its parent is not; undefined: no copies are kept. A folder that cannot be written only costs the shortcut. */
export function createOptimizedCopies(dir: string | undefined): OptimizedCopies {
  const folder = dir === undefined ? undefined : makeFolder(dir);
  const copies = new Map<string, OptimizedCopy>();
  const underWay = new Set<string>();
  let count = 0;
  return {
    plan({ sha256 }) {
      const copy = copies.get(sha256);
      if (copy !== undefined) return { copy, saveCopyAs: undefined };
      if (folder === undefined || underWay.has(sha256)) return { copy: undefined, saveCopyAs: undefined };
      underWay.add(sha256);
      count += 1;
      return { copy: undefined, saveCopyAs: join(folder, `${count}.onnx`) };
    },
    settle({ sha256 }, plan, { savedCopy, isCopyBad }) {
      if (isCopyBad && copies.get(sha256) === plan.copy) copies.delete(sha256);
      if (plan.saveCopyAs === undefined) return;
      underWay.delete(sha256);
      if (savedCopy !== undefined) copies.set(sha256, { file: plan.saveCopyAs, sha256: savedCopy });
    },
    dispose() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The name carries our process id, so that what a killed runtime left behind is known for what it is and removed. */
function makeFolder(dir: string): string | undefined {
  try {
    makeIfMissing(dir);
    for (const name of readdirSync(dir)) {
      const pid = Number(/^coxswain-optimized-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isInteger(pid) && !isAlive(pid)) rmSync(join(dir, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(dir, `${PREFIX}${process.pid}-`));
  } catch {
    return undefined;
  }
}

/** One level only: Node's recursive mkdir never returns where a file system answers ENOENT for a child of an existing folder, as /proc does. */
function makeIfMissing(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
