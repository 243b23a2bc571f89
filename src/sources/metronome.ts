import type { Clock, Timer } from '../core/clock.ts';
import { type DurationUs, type InstantUs, instantUs } from '../core/units.ts';

export interface MetronomeOptions {
  readonly startAt: InstantUs;
  /** May have a fraction: 1e6 / 30 does not drift. */
  readonly periodUs: number;
  /**
   * What to do when the event loop was late by more than a period. `skip`: only the newest tick due is played, as a camera's missed exposures never
   * existed. `play`: every tick is played in order, as a microphone's samples must all come.
   */
  readonly lateTicks: 'skip' | 'play';
  /** With `play`: being later than this moves all further ticks back instead, so that a long pause is not made up for in a rush. */
  readonly lagMaxUs?: DurationUs;
}

/** Calls `onTick` at startAt + n * periodUs for n = 0, 1, ..., each computed from the start so that errors never add up. Returns how to stop. */
export function startMetronome(clock: Clock, options: MetronomeOptions, onTick: (at: InstantUs, index: number) => void): () => void {
  const { periodUs, lateTicks, lagMaxUs } = options;
  let startAt: number = options.startAt;
  let isStopped = false;
  let timer: Timer;
  const instantOf = (index: number): InstantUs => instantUs(Math.round(startAt + index * periodUs));
  const schedule = (index: number): void => {
    timer = clock.at(instantOf(index), () => play(index));
  };
  const play = (scheduled: number): void => {
    const now = clock.now();
    let index = scheduled;
    if (lateTicks === 'skip') index = Math.max(scheduled, Math.floor((now - startAt) / periodUs));
    const lagUs = now - instantOf(index);
    if (lagMaxUs !== undefined && lagUs > lagMaxUs) startAt += lagUs;
    onTick(instantOf(index), index);
    if (!isStopped) schedule(index + 1);
  };
  schedule(0);
  return () => {
    isStopped = true;
    timer.cancel();
  };
}
