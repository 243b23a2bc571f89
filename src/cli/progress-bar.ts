import { durationFromMs, elapsedUs } from '../core/units.ts';
import type { CliDeps } from './cli-deps.ts';
import { bar, formatPercent } from './figures-text.ts';

const PERIOD_US = durationFromMs(100);
const CELLS = 30;

/** A bar on the last line of a terminal; elsewhere nothing. */
export interface ProgressBar {
  /** Drawn at most ten times a second, and not while the terminal is behind. */
  show(doneRatio: number, what: string): void;
  /** Takes it off the terminal. */
  clear(): void;
}

export function createProgressBar({ clock, err }: Pick<CliDeps, 'clock' | 'err'>): ProgressBar {
  let drawnAt = clock.now();
  return {
    show(doneRatio, what) {
      const now = clock.now();
      if (!err.isTty || err.isBehind() || elapsedUs(drawnAt, now) < PERIOD_US) return;
      drawnAt = now;
      err.write(`\r${bar(doneRatio, CELLS)} ${formatPercent(doneRatio)} ${what}\u001b[K`);
    },
    clear() {
      if (err.isTty) err.write('\r\u001b[K');
    },
  };
}
