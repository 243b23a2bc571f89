import { after, type Clock, type Timer } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Prng } from '../core/prng.ts';
import { addUs, type DurationUs, durationFromMs, durationUs, elapsedUs, type InstantUs, msFromDuration } from '../core/units.ts';
import type { Child, ChildEnd, SpawnChild } from './child.ts';
import type { SourceEmitter } from './emitter.ts';
import { createLineTail } from './line-tail.ts';

/** When a capture child is given up on, and how often it may come back. */
export interface ChildPolicy {
  /** No whole item for this long: `stalled`. */
  readonly staleAfterUs: DurationUs;
  /** No whole item for this long: the child is killed and started again. */
  readonly killAfterUs: DurationUs;
  /** In place of `killAfterUs` until the first item: opening a camera or a network stream takes time. */
  readonly startupUs: DurationUs;
  /** The first wait before a restart; each further failure doubles it up to `backoffMaxUs`. Half of it is jitter. */
  readonly backoffFirstUs: DurationUs;
  readonly backoffMaxUs: DurationUs;
  /** A child that gave items for this long ends the count of failures. */
  readonly healthyAfterUs: DurationUs;
  /** Failures in a row after which the source ends; Infinity for a live camera, which may always be plugged in again. */
  readonly restartsMax: number;
}

/** Between SIGTERM and SIGKILL. */
const TERM_GRACE_US = durationFromMs(2000);

/** A timer that comes later than this tells of a blocked or suspended process, not of a silent child. */
const ASLEEP_US = durationFromMs(100);

/**
 * Stale after three periods but not before 250 ms, since a busy machine may leave a capture child waiting that long; killed after ten periods but not before 2 s.
 */
export function createChildPolicy(periodUs: number, isLive: boolean): ChildPolicy {
  return {
    staleAfterUs: durationUs(Math.max(3 * periodUs, 250_000)),
    killAfterUs: durationUs(Math.max(10 * periodUs, 2_000_000)),
    startupUs: durationFromMs(15_000),
    backoffFirstUs: durationFromMs(250),
    backoffMaxUs: durationFromMs(15_000),
    healthyAfterUs: durationFromMs(10_000),
    restartsMax: isLive ? Number.POSITIVE_INFINITY : 5,
  };
}

/** What makes items out of a child's output. */
export interface ChildConsumer {
  /** Takes bytes of stdout that arrived at `at`; true when they completed at least one item, good or not. */
  data(chunk: Uint8Array, at: InstantUs): boolean;
  /** The output of this child is over: whatever is half received is refused, unless the source itself has stopped. */
  finish(isStopped: boolean): void;
}

export interface SupervisedChild {
  readonly program: string;
  readonly args: readonly string[];
  readonly policy: ChildPolicy;
  /** Whether an exit with code 0 is the natural end of the source. */
  readonly endsAtExit: boolean;
}

/**
 *            spawn                watchdog: SIGTERM, 2 s, SIGKILL
 *   backoff ───────▶ running ───────────────────────────────▶ stopping
 *      ▲                │ exit                                    │ exit
 *      └────────────────┴─────────────────────────────────────────┘     too many in a row, or a natural end ──▶ ended
 *
 * A new child is never started before the old one is gone, so a device or a file has one reader. Returns how to stop, which also kills the child.
 */
export function superviseChild(
  options: SupervisedChild,
  deps: { readonly clock: Clock; readonly spawn: SpawnChild; readonly prng: Prng },
  consumer: ChildConsumer,
  emit: SourceEmitter,
): () => void {
  const { clock, spawn, prng } = deps;
  const { program, args, policy, endsAtExit } = options;
  let child: Child | undefined;
  let phase: 'running' | 'stopping' | 'backoff' | 'stopped' = 'running';
  let failures = 0;
  let startedAt = clock.now();
  let progressAt: InstantUs | undefined;
  /** The last progress, the start, or when we ourselves woke up, whichever was last. */
  let silentSince = startedAt;
  /** The watchdog while running, the wait while in backoff. */
  let timer: Timer | undefined;
  let killTimer: Timer | undefined;

  const terminate = (): void => {
    const doomed = child;
    if (doomed === undefined) return;
    doomed.kill('SIGTERM');
    killTimer = after(clock, TERM_GRACE_US, () => doomed.kill('SIGKILL'));
  };

  const watchAt = (dueAt: InstantUs): void => {
    timer?.cancel();
    timer = clock.at(dueAt, () => watch(dueAt));
  };

  const watch = (dueAt: InstantUs): void => {
    const stallUs = progressAt === undefined ? policy.startupUs : policy.staleAfterUs;
    const killUs = progressAt === undefined ? policy.startupUs : policy.killAfterUs;
    const now = clock.now();
    // When this very check comes late, it was we who were asleep: what the child wrote meanwhile is still to be read.
    if (elapsedUs(dueAt, now) > ASLEEP_US) silentSince = now;
    const silentUs = elapsedUs(silentSince, now);
    if (silentUs >= stallUs) emit.state('stalled', `${program} gave nothing for ${Math.round(msFromDuration(silentUs))} ms`);
    if (emit.isClosed) return;
    if (silentUs < killUs) {
      watchAt(addUs(silentSince, silentUs >= stallUs ? killUs : stallUs));
      return;
    }
    phase = 'stopping';
    terminate();
  };

  const onProgress = (): void => {
    const isNews = progressAt === undefined || elapsedUs(silentSince, clock.now()) >= policy.staleAfterUs;
    progressAt = clock.now();
    silentSince = progressAt;
    emit.state('live', `${program} gives data`);
    if (isNews && phase === 'running') watchAt(addUs(progressAt, policy.staleAfterUs));
  };

  const start = (): void => {
    phase = 'running';
    startedAt = clock.now();
    silentSince = startedAt;
    progressAt = undefined;
    const tail = createLineTail();
    child = spawn(program, args, {
      stdout(chunk) {
        if (phase === 'running' && consumer.data(chunk, clock.now())) onProgress();
      },
      stderr: (chunk) => tail.push(chunk),
      end: (end) => onEnd(end, tail.last()),
    });
    watchAt(addUs(startedAt, policy.startupUs));
  };

  const onEnd = (end: ChildEnd, lastLine: string): void => {
    child = undefined;
    timer?.cancel();
    killTimer?.cancel();
    consumer.finish(phase === 'stopped');
    if (phase === 'stopped' || emit.isClosed) return;
    const story = describeEnd(program, end, lastLine);
    if (end.startError?.code === 'ENOENT' || end.startError?.code === 'EACCES') {
      const error = new CoxswainError(
        'PROGRAM_MISSING',
        `${program} could not be started (${end.startError.code}): install it, or choose another source`,
      );
      emit.end(error.message, error);
      return;
    }
    if (end.exitCode === 0 && endsAtExit && phase === 'running') {
      emit.end(`${program} came to the end of its input`);
      return;
    }
    restartLater(story);
  };

  const restartLater = (story: string): void => {
    if (progressAt !== undefined && elapsedUs(startedAt, progressAt) >= policy.healthyAfterUs) failures = 0;
    failures += 1;
    if (failures > policy.restartsMax) {
      const error = new CoxswainError(
        'SOURCE_LOST',
        `${story}; it failed ${failures} times in a row, at most ${policy.restartsMax} restarts are tried`,
      );
      emit.end(error.message, error);
      return;
    }
    const fullUs = Math.min(policy.backoffMaxUs, policy.backoffFirstUs * 2 ** Math.min(failures - 1, 30));
    const delayUs = durationUs(Math.round(fullUs * (0.5 + prng.ratio() / 2)));
    phase = 'backoff';
    timer = after(clock, delayUs, start);
    emit.state('restarting', `${story}; starting it again in ${Math.round(msFromDuration(delayUs))} ms`);
  };

  emit.state('starting', `starting ${program}`);
  if (!emit.isClosed) start();
  return () => {
    const wasStopping = phase === 'stopping';
    phase = 'stopped';
    timer?.cancel();
    if (!wasStopping) terminate();
  };
}

function describeEnd(program: string, end: ChildEnd, lastLine: string): string {
  const how =
    end.startError !== undefined
      ? `could not be started: ${end.startError.message}`
      : end.signal !== null
        ? `was ended by ${end.signal}`
        : `exited with code ${end.exitCode}`;
  return lastLine === '' ? `${program} ${how}` : `${program} ${how} (${lastLine})`;
}
