import type { Clock, Timer } from '../core/clock.ts';
import { addUs, type DurationUs, elapsedUs, type InstantUs } from '../core/units.ts';

export interface WatchdogLimits {
  /** No progress for this long: `stalled`. */
  readonly staleAfterUs: DurationUs;
  /** No progress for this long: `lost`. At least `staleAfterUs`. */
  readonly killAfterUs: DurationUs;
  /** In place of both until the first progress. */
  readonly startupUs: DurationUs;
}

export interface WatchdogListener {
  stalled(silentUs: DurationUs): void;
  /** After `stalled`. The watchdog has stopped. */
  lost(): void;
}

export interface Watchdog {
  /** Watches anew, as if nothing had come yet. */
  start(): void;
  progress(): void;
  stop(): void;
  /** How long progress has been made since the start; 0 when there was none. */
  readonly workedUs: number;
}

/** A timer that comes later than this tells of a blocked or suspended process, not of a silent child. */
const ASLEEP_MIN_US = 100_000;

/** Notices when progress stops. Progress itself costs no timer: the one timer there is looks back when it comes. */
export function createWatchdog(clock: Clock, limits: WatchdogLimits, listener: WatchdogListener): Watchdog {
  const { staleAfterUs, killAfterUs, startupUs } = limits;
  let timer: Timer | undefined;
  let startedAt = clock.now();
  let progressAt: InstantUs | undefined;
  /** The last progress, the start, or when we ourselves woke up, whichever was last. */
  let silentSince = startedAt;

  const lookAt = (dueAt: InstantUs): void => {
    timer?.cancel();
    timer = clock.at(dueAt, () => look(dueAt));
  };
  const look = (dueAt: InstantUs): void => {
    const now = clock.now();
    // When this very look comes late, it was we who were asleep: what the child wrote meanwhile is still to be read.
    if (elapsedUs(dueAt, now) > ASLEEP_MIN_US) silentSince = now;
    const stallUs = progressAt === undefined ? startupUs : staleAfterUs;
    const lostUs = progressAt === undefined ? startupUs : killAfterUs;
    const silentUs = elapsedUs(silentSince, now);
    // Set before anybody is told, so that a listener that stops us is obeyed.
    if (silentUs < lostUs) lookAt(addUs(silentSince, silentUs < stallUs ? stallUs : lostUs));
    else timer = undefined;
    if (silentUs >= stallUs) listener.stalled(silentUs);
    if (silentUs >= lostUs) listener.lost();
  };

  return {
    start() {
      startedAt = clock.now();
      silentSince = startedAt;
      progressAt = undefined;
      lookAt(addUs(startedAt, startupUs));
    },
    progress() {
      const now = clock.now();
      // The timer stands at the start-up limit, or beyond the next stall when there was one: it must come sooner.
      const isNews = progressAt === undefined || elapsedUs(silentSince, now) >= staleAfterUs;
      progressAt = now;
      silentSince = now;
      if (isNews) lookAt(addUs(now, staleAfterUs));
    },
    stop() {
      timer?.cancel();
    },
    get workedUs() {
      return progressAt === undefined ? 0 : elapsedUs(startedAt, progressAt);
    },
  };
}
