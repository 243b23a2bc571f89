import { assert } from './assert.ts';
import type { Clock, Timer } from './clock.ts';
import { Timeline } from './timeline.ts';
import { type DurationUs, type InstantUs, instantUs } from './units.ts';

type Task = () => void;

/**
 * A discrete-event clock: time stands still while a task runs and jumps to the next task's instant. Tasks at the same instant run in the order in which
 * they were asked for, so one program gives one history.
 */
export class SimClock implements Clock {
  #now: InstantUs;
  #sequence = 0;
  readonly #wallOffsetMs: number;
  /** What was cancelled stays in it, without its task, and is passed over when it comes up. */
  readonly #tasks = new Timeline<Task>();

  constructor(startAt: InstantUs = instantUs(0), wallStartMs = 0) {
    this.#now = startAt;
    this.#wallOffsetMs = wallStartMs - startAt / 1000;
  }

  now(): InstantUs {
    return this.#now;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.#now / 1000;
  }

  at(instant: InstantUs, task: Task): Timer {
    return this.#tasks.pushCancellable(this.#notBefore(instant), this.#sequence++, task);
  }

  /** As `at`, for who never cancels: that takes a little less. */
  post(instant: InstantUs, task: Task): void {
    this.#tasks.push(this.#notBefore(instant), this.#sequence++, task);
  }

  /** The instant of the next task, or undefined when nothing is due any more. */
  nextAt(): InstantUs | undefined {
    this.#skipCancelled();
    return this.#tasks.size === 0 ? undefined : instantUs(this.#tasks.firstAt);
  }

  /** Runs the next task; false when there was none. */
  step(): boolean {
    return this.play(FOR_EVER, 1) === 1;
  }

  /** Runs tasks due up to and including `end`, at most so many of them, and none from the first on that `mayRun` holds up. Returns how many. */
  play(end: InstantUs, tasksMax: number, mayRun?: (next: InstantUs) => boolean): number {
    const tasks = this.#tasks;
    let count = 0;
    while (count < tasksMax && tasks.firstAt <= end) {
      const next = instantUs(tasks.firstAt);
      if (mayRun !== undefined && tasks.first !== undefined && !mayRun(next)) break;
      const task = tasks.pop();
      if (task === undefined) continue;
      this.#now = plain(next);
      task();
      count += 1;
    }
    return count;
  }

  /** Runs every task due up to and including `end`, then stands at `end`. */
  runUntil(end: InstantUs): void {
    this.play(end, Number.POSITIVE_INFINITY);
    if (this.#now < end) this.#now = end;
  }

  runFor(span: DurationUs): void {
    this.runUntil(instantUs(this.#now + span));
  }

  /** As `runUntil`, but lets pending promise callbacks run between tasks, for code under test that awaits. */
  async settleUntil(end: InstantUs): Promise<void> {
    await drainMicrotasks();
    for (let next = this.nextAt(); next !== undefined && next <= end; next = this.nextAt()) {
      this.step();
      await drainMicrotasks();
    }
    if (this.#now < end) this.#now = end;
  }

  /**
   * Runs task after task until the promise is settled, but none after `end`; pending promise callbacks run between tasks. `before` may hold up time: it is asked before
   * each task, again and again until it gives no promise; rejects as that does.
   */
  async settle<T>(promise: Promise<T>, end: InstantUs, before: (next: InstantUs) => Promise<void> | undefined = atOnce): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await drainMicrotasks();
    for (let next = this.nextAt(); !isSettled && next !== undefined && next <= end; next = this.nextAt()) {
      const standing = before(next);
      if (standing === undefined) this.step();
      else await standing;
      await drainMicrotasks();
    }
    return promise;
  }

  #notBefore(instant: InstantUs): InstantUs {
    assert(Number.isFinite(instant), 'an instant is finite');
    return instant < this.#now ? this.#now : instant;
  }

  #skipCancelled(): void {
    const tasks = this.#tasks;
    while (tasks.size > 0 && tasks.first === undefined) tasks.pop();
  }
}

/**
 * The same instant, such that V8 keeps it in place where it can, as it does with whole numbers below 2^31: read from a Float64Array it would be an object of its own, and
 * so would be every instant that is read from the clock and kept. All that a simulation keeps of its first half hour then takes a tenth less.
 */
const plain = (instant: InstantUs): InstantUs => {
  const whole = instant | 0;
  return whole === instant ? instantUs(whole) : instant;
};

const atOnce = (): undefined => undefined;
/** Beyond the last instant of any task. */
const FOR_EVER = instantUs(Number.MAX_VALUE);

/** One turn of the macrotask queue empties every chain of already resolved promises, however long. */
const drainMicrotasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
