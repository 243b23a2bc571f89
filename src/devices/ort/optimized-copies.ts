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
  /** The end of a load under `plan`. `savedCopy` is what was saved, undefined when nothing was. */
  settle(
    model: LoadableModel,
    plan: LoadPlan,
    result: { readonly savedCopy: OptimizedCopy | undefined; readonly isCopyBad: boolean },
  ): void;
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
    plan(model) {
      const key = keyOf(model);
      const copy = copies.get(key);
      // What is to be cut is cut from what was saved, so a core whose copy is bad saves its own, and one that comes too early for a copy as well.
      const isSaved = folder !== undefined && (isCut(model) || (copy === undefined && !underWay.has(key)));
      if (!isSaved) return { copy, saveCopyAs: undefined };
      if (copy === undefined) underWay.add(key);
      count += 1;
      return { copy, saveCopyAs: join(folder, `${count}.onnx`) };
    },
    settle(model, plan, { savedCopy, isCopyBad }) {
      const key = keyOf(model);
      if (isCopyBad && copies.get(key) === plan.copy) copies.delete(key);
      if (plan.saveCopyAs === undefined) return;
      underWay.delete(key);
      if (savedCopy !== undefined) copies.set(key, savedCopy);
    },
    dispose() {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

const isCut = ({ blocks = 1 }: LoadableModel): boolean => blocks > 1;

/** One file may be several models, cut differently. */
const keyOf = ({ sha256, blocks = 1 }: LoadableModel): string => `${sha256}/${blocks}`;

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
