import { createDeferred } from '../core/deferred.ts';
import type { CliDeps } from './cli-deps.ts';

/** 128 + SIGINT, what a shell expects of a program that was interrupted. */
const EXIT_INTERRUPTED = 130;

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

export function watchSignals(deps: Pick<CliDeps, 'onSignal' | 'exitNow'>): StopWatch {
  const drain = createDeferred<string>();
  const now = createDeferred<void>();
  let count = 0;
  let isArmed = false;
  const leave = deps.onSignal((signal) => {
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
