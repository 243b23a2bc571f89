import { type SchedulerAction, type SchedulerLike, Subscription } from 'rxjs';
import { after, type Clock } from './clock.ts';
import { durationFromMs } from './units.ts';

/** Drives rxjs time operators from a Clock. rxjs counts in milliseconds: here and in configuration keys are the only places that do. */
export function rxScheduler(clock: Clock): SchedulerLike {
  return {
    now: () => clock.now() / 1000,
    schedule<T>(work: (this: SchedulerAction<T>, state: T) => void, delayMs = 0, state?: T): Subscription {
      return new ClockAction<T>(clock, work).schedule(state, delayMs);
    },
  };
}

class ClockAction<T> extends Subscription implements SchedulerAction<T> {
  readonly #clock: Clock;
  readonly #work: (this: SchedulerAction<T>, state: T) => void;
  #pending: Subscription | undefined;

  constructor(clock: Clock, work: (this: SchedulerAction<T>, state: T) => void) {
    super();
    this.#clock = clock;
    this.#work = work;
  }

  schedule(state?: T, delayMs = 0): Subscription {
    if (this.closed) return this;
    if (this.#pending !== undefined) {
      this.#pending.unsubscribe();
      this.remove(this.#pending);
    }
    const timer = after(this.#clock, durationFromMs(delayMs), () => {
      if (!this.closed) this.#work.call(this, state as T);
    });
    this.#pending = new Subscription(() => timer.cancel());
    this.add(this.#pending);
    return this;
  }
}
