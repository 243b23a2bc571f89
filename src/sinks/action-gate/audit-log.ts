import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import type { GateEvent } from './action-gate.ts';

export interface AuditLogOptions {
  readonly file: string;
  /** A file that would grow beyond this becomes `<file>.1`, that one `<file>.2`, and so on. */
  readonly bytesMax: number;
  /** Files that are kept, the one that is written included. */
  readonly filesMax: number;
  /** Lines that may wait for a slow disk; beyond, they are lost and counted. */
  readonly linesMax?: number;
}

export interface AuditLogDeps {
  readonly clock: Clock;
  /** Told once, when the first line is lost. */
  readonly onTrouble: (message: string) => void;
}

export interface AuditLog {
  /** Never throws and never waits. */
  record(event: GateEvent): void;
  counts(): { readonly lines: number; readonly linesLost: number };
  /** Resolves when everything recorded so far is written or lost. */
  close(): Promise<void>;
}

/** A minute of the most that the gate lets through. */
const LINES_MAX = 1024;

/** Before the first line of the first file. */
export const AUDIT_BEGINNING = '0'.repeat(64);

/**
 * What became of each proposal, as JSON lines that are only ever added to. Each line holds in `previous` the SHA-256 of the line before it, across files and
 * restarts, so that a line that is changed or taken out shows at the next. Who can write the whole file can still write it anew from there on: the chain tells
 * of tampering only as long as its end is known elsewhere too.
 * Errors: FILE_UNWRITABLE when the file cannot be opened.
 */
export async function openAuditLog(options: AuditLogOptions, deps: AuditLogDeps): Promise<AuditLog> {
  try {
    await mkdir(dirname(options.file), { recursive: true, mode: 0o750 });
    const text = await readFile(options.file, 'utf8').catch(absent);
    const end = endOf(text ?? (await readFile(`${options.file}.1`, 'utf8').catch(absent)) ?? '');
    const handle = await open(options.file, 'a', 0o640);
    await handle.close();
    return new DiskAudit(options, deps, end, Buffer.byteLength(text ?? ''));
  } catch (thrown) {
    const text = `the audit log of actions ${JSON.stringify(options.file)} cannot be opened for writing (${messageOf(thrown)}); name a place that can be written`;
    throw new CoxswainError('FILE_UNWRITABLE', text, { cause: thrown });
  }
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}

interface ChainEnd {
  readonly hash: string;
  /** Power was lost within a line. */
  readonly isTorn: boolean;
}

function endOf(text: string): ChainEnd {
  const isTorn = text !== '' && !text.endsWith('\n');
  const last = text.split('\n').at(isTorn ? -1 : -2);
  return { hash: last === undefined || last === '' ? AUDIT_BEGINNING : hashOf(last), isTorn };
}

const hashOf = (line: string): string => createHash('sha256').update(line).digest('hex');

class DiskAudit implements AuditLog {
  readonly #options: AuditLogOptions;
  readonly #deps: AuditLogDeps;
  #previous: string;
  /** Of the file that is written. */
  #bytes: number;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #lines = 0;
  #linesLost = 0;

  constructor(options: AuditLogOptions, deps: AuditLogDeps, end: ChainEnd, bytes: number) {
    this.#options = options;
    this.#deps = deps;
    this.#previous = end.hash;
    this.#bytes = bytes;
    if (end.isTorn) this.#waiting.push('');
    this.#append({ kind: 'opened', isTorn: end.isTorn });
  }

  record({ proposal, permit, outcome }: GateEvent): void {
    const { id, name, provenance, proposedAt, argumentsText } = proposal;
    // What goes out is what was checked; what never came so far is quoted as it was.
    this.#append({ ...outcome, id, action: name, provenance, proposedAtUs: proposedAt, arguments: permit?.values ?? argumentsText });
  }

  counts(): { readonly lines: number; readonly linesLost: number } {
    return { lines: this.#lines, linesLost: this.#linesLost };
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #append(entry: object): void {
    if (this.#waiting.length >= (this.#options.linesMax ?? LINES_MAX)) return this.#lose(1, 'the disk does not keep up');
    const { clock } = this.#deps;
    const line = JSON.stringify({ wallMs: clock.wallMs(), atUs: clock.now(), ...entry, previous: this.#previous });
    this.#previous = hashOf(line);
    this.#waiting.push(line);
    this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Never inside `record`.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      try {
        await this.#write(lines);
      } catch (thrown) {
        this.#lose(lines.length, messageOf(thrown));
      }
    }
    this.#writing = undefined;
  }

  async #write(lines: readonly string[]): Promise<void> {
    const text = `${lines.join('\n')}\n`;
    const bytes = Buffer.byteLength(text);
    if (this.#bytes > 0 && this.#bytes + bytes > this.#options.bytesMax) await this.#rotate();
    const handle = await open(this.#options.file, 'a', 0o640);
    try {
      await handle.appendFile(text);
      // What moved something must be known after the power is gone.
      await handle.datasync();
    } finally {
      await handle.close();
    }
    this.#bytes += bytes;
    this.#lines += lines.length;
  }

  async #rotate(): Promise<void> {
    const { file, filesMax } = this.#options;
    const nameOf = (index: number): string => (index === 0 ? file : `${file}.${index}`);
    await rm(nameOf(filesMax - 1), { force: true });
    for (let index = filesMax - 2; index >= 0; index -= 1) {
      const isThere = await stat(nameOf(index)).then(() => true, absent);
      if (isThere === true) await rename(nameOf(index), nameOf(index + 1));
    }
    this.#bytes = 0;
  }

  #lose(lines: number, why: string): void {
    if (this.#linesLost === 0) this.#deps.onTrouble(`lines of the audit log ${this.#options.file} are lost: ${why}; actions go on`);
    this.#linesLost += lines;
  }
}
