import { readdir, readFile } from 'node:fs/promises';

export interface ProcessFigures {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Proportional share of physical memory; null when the kernel does not tell. */
  readonly pssBytes: number | null;
  /** Open file descriptors; null when not known. */
  readonly fds: number | null;
}

/** What the main process uses. `sample` asks the kernel off the event loop; `figures` gives the latest answer and costs nothing. */
export interface ProcessMeter {
  /** Never rejects: what cannot be read becomes null. */
  sample(): Promise<void>;
  figures(): ProcessFigures;
}

export function createProcessMeter(): ProcessMeter {
  let pssBytes: number | null = null;
  let fds: number | null = null;
  return {
    async sample() {
      const [pss, count] = await Promise.all([readPssBytes('self'), countFds()]);
      pssBytes = pss ?? null;
      fds = count;
    },
    figures: () => {
      const usage = process.memoryUsage();
      return { rssBytes: usage.rss, heapBytes: usage.heapUsed, pssBytes, fds };
    },
  };
}

/**
 * Proportional set size of a process in bytes, from /proc/<pid>/smaps_rollup: memory shared by n processes counts 1/n in each, so sums over processes mean
 * something. Undefined when the process is gone, belongs to another user, or the kernel has no such file (before 4.14). Never rejects.
 */
export async function readPssBytes(pid: number | 'self'): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return parsePssBytes(text);
}

export function parsePssBytes(smapsRollup: string): number | undefined {
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(smapsRollup)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** Listing the folder opens one descriptor itself; it is not counted. */
const countFds = async (): Promise<number | null> => {
  const names = await readdir('/proc/self/fd').catch(() => undefined);
  return names === undefined ? null : names.length - 1;
};
