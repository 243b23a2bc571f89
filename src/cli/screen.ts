import type { Terminal } from './terminal.ts';
import { displayWidth } from './terminal-text.ts';

const ESC = '\u001b[';
const HIDE_CURSOR = `${ESC}?25l`;
const SHOW_CURSOR = `${ESC}?25h`;
/** While a frame is drawn, a line that is too long after all is cut by the terminal instead of breaking the layout. */
const NO_WRAP = `${ESC}?7l`;
const WRAP = `${ESC}?7h`;
const ERASE_RIGHT = `${ESC}K`;
const ERASE_LINE_AND_STEP = `${ESC}2K${ESC}1B`;
const ERASE_BELOW = `${ESC}J`;
const up = (lines: number): string => (lines > 0 ? `${ESC}${lines}A` : '');

/** Matches the colours that this program writes, to count the cells of a painted line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: SGR sequences begin with ESC.
const SGR = /\u001b\[\d*m/g;
const widthOf = (line: string): number => displayWidth(line.replace(SGR, ''));

/**
 * A block of lines at the end of the terminal that is drawn again in place. Only lines that changed are sent, in one write, so that nothing flickers, and
 * what stood above stays in the scrollback. The cursor is hidden and rests on the line below the block.
 */
export interface Screen {
  /** Leaves the frame out when the terminal has not taken the last one. */
  draw(lines: readonly string[]): void;
  /** Takes the block off the screen, so that a summary can stand in its place. */
  erase(): void;
  /** Shows the cursor again and leaves what is drawn standing. Safe to call at any time, more than once. */
  close(): void;
}

export function createScreen(terminal: Terminal): Screen {
  let shown: readonly string[] = [];
  let isOpen = true;
  let isCursorHidden = false;
  const forget = (): void => {
    // A narrower terminal has broken our lines into more rows than we drew.
    const columns = terminal.columns();
    const rows = shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    // Row by row: tmux keeps a copy in its scrollback when everything below the cursor is erased at once from the top.
    if (rows > 0) terminal.write(`\r${up(rows)}${ERASE_LINE_AND_STEP.repeat(rows)}${up(rows)}`);
    shown = [];
  };
  const leaveResize = terminal.onResize(forget);
  return {
    draw(lines) {
      if (!isOpen || terminal.isBehind()) return;
      const columns = terminal.columns();
      let frame = up(shown.length);
      lines.forEach((line, index) => {
        // After a line that fills the row the cursor still stands on its last cell, which must not be erased.
        const rest = widthOf(line) < columns ? ERASE_RIGHT : '';
        frame += line === shown[index] ? '\r\n' : `\r${line}${rest}\r\n`;
      });
      if (lines.length < shown.length) frame += ERASE_BELOW;
      shown = [...lines];
      terminal.write(`${isCursorHidden ? '' : HIDE_CURSOR}${NO_WRAP}${frame}${WRAP}`);
      isCursorHidden = true;
    },
    erase() {
      if (isOpen) forget();
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      leaveResize();
      if (isCursorHidden) terminal.write(SHOW_CURSOR);
    },
  };
}
