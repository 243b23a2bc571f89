import { after, type Clock, type Timer } from '../core/clock.ts';
import { CoxswainError } from '../core/errors.ts';
import type { Prng } from '../core/prng.ts';
import { type DurationUs, durationFromMs, durationUs, type InstantUs, msFromDuration } from '../core/units.ts';
import type { Child, ChildEnd, SpawnChild } from './child.ts';
import type { SourceEmitter } from './emitter.ts';
import { createLineTail } from './line-tail.ts';
import { createWatchdog, type WatchdogLimits } from './watchdog.ts';

/** When a capture child is given up on (opening a camera or a network stream takes time, hence `startupUs`), and how often it may come back. */
export interface ChildPolicy extends WatchdogLimits {
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
  const { program, args, policy } = options;
  let child: Child | undefined;
  let phase: 'running' | 'stopping' | 'backoff' | 'stopped' = 'running';
  let failures = 0;
  /** The wait for SIGKILL while stopping, for the next start while in backoff. */
  let timer: Timer | undefined;

  const terminate = (): void => {
    const doomed = child;
    if (doomed === undefined) return;
    doomed.kill('SIGTERM');
    timer = after(clock, TERM_GRACE_US, () => doomed.kill('SIGKILL'));
  };
  const watchdog = createWatchdog(clock, policy, {
    stalled: (silentUs) => emit.state('stalled', `${program} gave nothing for ${Math.round(msFromDuration(silentUs))} ms`),
    lost() {
      if (phase !== 'running') return;
      phase = 'stopping';
      terminate();
    },
  });

  const start = (): void => {
    phase = 'running';
    const tail = createLineTail();
    child = spawn(program, args, {
      stdout(chunk) {
        if (phase !== 'running' || !consumer.data(chunk, clock.now())) return;
        emit.state('live', `${program} gives data`);
        if (phase === 'running') watchdog.progress();
      },
      stderr: (chunk) => tail.push(chunk),
      end: (end) => onEnd(end, tail.last()),
    });
    watchdog.start();
  };

  const onEnd = (end: ChildEnd, lastLine: string): void => {
    child = undefined;
    watchdog.stop();
    timer?.cancel();
    consumer.finish(phase === 'stopped');
    if (phase === 'stopped' || emit.isClosed) return;
    if (watchdog.workedUs >= policy.healthyAfterUs) failures = 0;
    failures += 1;
    const verdict = judgeEnd(options, end, { wasKilled: phase === 'stopping', failures, lastLine });
    if (verdict.kind === 'ended') {
      emit.end(verdict.message, verdict.error);
      return;
    }
    const fullUs = Math.min(policy.backoffMaxUs, policy.backoffFirstUs * 2 ** Math.min(failures - 1, 30));
    const delayUs = durationUs(Math.round(fullUs * (0.5 + prng.ratio() / 2)));
    phase = 'backoff';
    timer = after(clock, delayUs, start);
    emit.state('restarting', `${verdict.message}; starting it again in ${Math.round(msFromDuration(delayUs))} ms`);
  };

  emit.state('starting', `starting ${program}`);
  if (!emit.isClosed) start();
  return () => {
    const isKilledAlready = phase === 'stopping';
    phase = 'stopped';
    watchdog.stop();
    if (isKilledAlready) return;
    timer?.cancel();
    terminate();
  };
}

type Verdict =
  | { readonly kind: 'ended'; readonly message: string; readonly error?: CoxswainError }
  | { readonly kind: 'again'; readonly message: string };

/** The one place that decides between the end of the source and another try. */
function judgeEnd(
  { program, policy, endsAtExit }: SupervisedChild,
  end: ChildEnd,
  { wasKilled, failures, lastLine }: { readonly wasKilled: boolean; readonly failures: number; readonly lastLine: string },
): Verdict {
  const startCode = end.startError?.code;
  if (startCode === 'ENOENT' || startCode === 'EACCES') {
    const message = `${program} could not be started (${startCode}): install it, or choose another source`;
    return { kind: 'ended', message, error: new CoxswainError('PROGRAM_MISSING', message) };
  }
  if (end.exitCode === 0 && endsAtExit && !wasKilled) return { kind: 'ended', message: `${program} came to the end of its input` };
  const story = describeEnd(program, end, lastLine);
  if (failures <= policy.restartsMax) return { kind: 'again', message: story };
  const message = `${story}; it failed ${failures} times in a row, at most ${policy.restartsMax} restarts are tried`;
  return { kind: 'ended', message, error: new CoxswainError('SOURCE_LOST', message) };
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
