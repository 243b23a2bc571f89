import type { Clock } from '../core/clock.ts';
import type { Terminal } from './terminal.ts';

/** What every command may use of the world. */
export interface CliDeps {
  readonly out: Terminal;
  readonly err: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Version of the package. */
  readonly version: string;
  /** SIGINT, SIGTERM and SIGHUP, while subscribed; returns the way out. */
  readonly onSignal: (listener: (signal: string) => void) => () => void;
  /** Called synchronously when the process exits, however; returns the way out. */
  readonly onExit: (listener: () => void) => () => void;
  /** Ends the process at once. */
  readonly exitNow: (code: number) => void;
}
