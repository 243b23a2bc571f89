import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { messageOf } from '../core/errors.ts';
import type { DecisionLogSink, DecisionLogTrouble } from '../telemetry/decision-log.ts';
import type { ReportLog } from '../telemetry/report-schema.ts';
import { UsageError } from './exit-code.ts';

/** The decision log on disk. A log that cannot be written never touches the run. */
export interface LogFile extends DecisionLogSink {
  close(): Promise<ReportLog>;
}

/** How the log itself says that n lines are missing here. */
const GAP_MARK = /^\{"gap":(\d+)\}$/;

/**
 * Creates or empties the file. `onTrouble` is called once, at the first line that is lost; each later batch is tried all the same, since a disk may have room
 * again. What a failed write left of its batch is cut off, so that every line in the file is whole. Errors: UsageError when the file cannot be opened.
 */
export async function openLogFile(path: string, onTrouble: (message: string) => void, option = '--log'): Promise<LogFile> {
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
    return new DiskLog(path, await open(path, flags, 0o644), onTrouble);
  } catch (error) {
    throw new UsageError(`${option} ${path}: the file cannot be opened for writing (${messageOf(error)})`);
  }
}

class DiskLog implements LogFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #tell: (message: string) => void;
  #lines = 0;
  #bytes = 0;
  /** As the log counts them, and as its gap marks say; the log's own count lags behind while a slow disk loses many lines in a row. */
  #linesDropped = 0;
  #linesMarked = 0;
  #error: string | null = null;

  constructor(path: string, handle: FileHandle, tell: (message: string) => void) {
    this.#path = path;
    this.#handle = handle;
    this.#tell = tell;
  }

  async write(text: string): Promise<void> {
    try {
      await this.#handle.appendFile(text);
    } catch (error) {
      // A device such as /dev/full has no length to cut; the error that matters is the first one.
      await this.#handle.truncate(this.#bytes).catch(() => undefined);
      throw error;
    }
    this.#bytes += Buffer.byteLength(text);
    for (const line of text.trimEnd().split('\n')) {
      const gap = GAP_MARK.exec(line)?.[1];
      if (gap === undefined) this.#lines += 1;
      else this.#linesMarked += Number(gap);
    }
  }

  onTrouble({ cause, stats }: DecisionLogTrouble): void {
    this.#linesDropped = stats.linesDropped;
    if (this.#error !== null) return;
    this.#error = cause === undefined ? 'the disk does not keep up' : messageOf(cause);
    this.#tell(`lines of the decision log ${this.#path} are lost: ${this.#error}; the run goes on`);
  }

  async close(): Promise<ReportLog> {
    const failure = await this.#handle.close().then(
      () => null,
      (error: unknown) => messageOf(error),
    );
    const linesLost = Math.max(this.#linesDropped, this.#linesMarked);
    return { file: this.#path, lines: this.#lines, bytes: this.#bytes, linesLost, error: this.#error ?? failure };
  }
}
