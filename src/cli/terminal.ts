import type { WriteStream } from 'node:tty';
import { messageOf } from '../core/errors.ts';

/** Where a command prints. After the reader has gone, writing does nothing. */
export interface Terminal {
  readonly isTty: boolean;
  columns(): number;
  rows(): number;
  write(text: string): void;
  /** The reader has not taken what was written before; a live view leaves a frame out then. */
  isBehind(): boolean;
  onResize(listener: () => void): () => void;
  /** Called once when nothing more can be written; `isGone` tells a reader that left (a pipe to `head`, a closed terminal) from a failure such as a full disk. */
  onClosed(listener: (isGone: boolean, message: string) => void): void;
}

/** Enough for the widest table: into a file or a pipe nothing is left out. */
const COLUMNS_DEFAULT = 160;
const ROWS_DEFAULT = 30;

export function createTerminal(stream: NodeJS.WriteStream | WriteStream): Terminal {
  const closedListeners: ((isGone: boolean, message: string) => void)[] = [];
  let isClosed = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (isClosed) return;
    isClosed = true;
    const isGone = error.code === 'EPIPE' || error.code === 'EIO';
    for (const listener of closedListeners) listener(isGone, messageOf(error));
  });
  return {
    isTty: stream.isTTY === true,
    // Terminals without a window, as of scripts and containers, have no columns, which is not to say that nothing fits.
    columns: () => stream.columns || COLUMNS_DEFAULT,
    rows: () => Math.max(2, stream.rows || ROWS_DEFAULT),
    write: (text) => {
      if (!isClosed) stream.write(text);
    },
    isBehind: () => stream.writableNeedDrain,
    onResize: (listener) => {
      stream.on('resize', listener);
      return () => stream.off('resize', listener);
    },
    onClosed: (listener) => {
      closedListeners.push(listener);
    },
  };
}
