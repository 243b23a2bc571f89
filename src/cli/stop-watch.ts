import { createDeferred } from '../core/deferred.ts';
import { durationFromMs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { CliDeps } from './cli-deps.ts';

/** 128 + SIGINT, what a shell expects of a program that was interrupted. */
const EXIT_INTERRUPTED = 130;

/**
 * Ctrl-C reaches every process of the terminal's group, and npm and tsx pass it on to their child besides, so that one press comes twice within some
 * milliseconds. Signals this close together are one; nobody means two presses in a third of a second.
 */
const SAME_SIGNAL_US = durationFromMs(300);

/**
 * Signals during a run, by count. The first asks for a drain, the second for a stop now, the third ends the process; while nothing runs yet that could be
 * stopped, the second ends it.
 */
export interface StopWatch {
  readonly drainAsked: Promise<string>;
  readonly nowAsked: Promise<void>;
  /** From here on there is a runtime that can be stopped. */
  armed(): void;
  close(): void;
}

export function watchSignals(deps: Pick<CliDeps, 'clock' | 'onSignal' | 'exitNow'>): StopWatch {
  const drain = createDeferred<string>();
  const now = createDeferred<void>();
  let count = 0;
  let isArmed = false;
  let countedAt: InstantUs | undefined;
  const leave = deps.onSignal((signal) => {
    const at = deps.clock.now();
    if (countedAt !== undefined && elapsedUs(countedAt, at) < SAME_SIGNAL_US) return;
    countedAt = at;
    count += 1;
    if (count === 1) return drain.resolve(signal);
    if (count === 2 && isArmed) return now.resolve();
    deps.exitNow(EXIT_INTERRUPTED);
  });
  return {
    drainAsked: drain.promise,
    nowAsked: now.promise,
    armed: () => {
      isArmed = true;
    },
    close: leave,
  };
}
