import { readFile } from 'node:fs/promises';
import type { Clock } from '../../core/clock.ts';
import type { DurationUs, InstantUs } from '../../core/units.ts';

/** The kernel walks every page of the process for it (some ms), so it is asked at most once a second. */
const PERIOD_US = 1_000_000 as DurationUs;

/** The proportional share of physical memory of one process, as last read; reading goes on in the background and never blocks. */
export class ProcessMemory {
  readonly #clock: Clock;
  readonly #pid: number;
  #readAt: InstantUs | undefined;
  #pssBytes: number | undefined;

  constructor(pid: number, clock: Clock) {
    this.#pid = pid;
    this.#clock = clock;
  }

  get pssBytes(): number | undefined {
    const now = this.#clock.now();
    if (this.#readAt === undefined || now - this.#readAt >= PERIOD_US) {
      this.#readAt = now;
      void this.#read();
    }
    return this.#pssBytes;
  }

  async #read(): Promise<void> {
    try {
      const text = await readFile(`/proc/${this.#pid}/smaps_rollup`, 'utf8');
      const kilobytes = /^Pss:\s+(\d+) kB/m.exec(text)?.[1];
      if (kilobytes !== undefined) this.#pssBytes = Number(kilobytes) * 1024;
    } catch {
      // The process has ended, or /proc is closed to us: not known.
      this.#pssBytes = undefined;
    }
  }
}
