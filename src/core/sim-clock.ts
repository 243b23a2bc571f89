import { assert } from './assert.ts';
import type { Clock, Timer } from './clock.ts';
import { Heap } from './heap.ts';
import { type DurationUs, type InstantUs, instantUs } from './units.ts';

interface Entry {
  readonly at: InstantUs;
  readonly sequence: number;
  /** Undefined once cancelled: the entry stays in the heap and is skipped when it comes up. */
  task: (() => void) | undefined;
}

/**
 * A discrete-event clock: time stands still while a task runs and jumps to the next task's instant. Tasks at the same instant run in the order in which
 * they were asked for, so one program gives one history.
 */
export class SimClock implements Clock {
  #now: InstantUs;
  #sequence = 0;
  readonly #wallOffsetMs: number;
  readonly #entries = new Heap<Entry>((a, b) => a.at < b.at || (a.at === b.at && a.sequence < b.sequence));

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

  at(instant: InstantUs, task: () => void): Timer {
    assert(Number.isFinite(instant), 'an instant is finite');
    const entry: Entry = { at: instant < this.#now ? this.#now : instant, sequence: this.#sequence++, task };
    this.#entries.push(entry);
    return {
      cancel: () => {
        entry.task = undefined;
      },
    };
  }

  /** The instant of the next task, or undefined when nothing is due any more. */
  nextAt(): InstantUs | undefined {
    return this.#skipCancelled()?.at;
  }

  /** Runs the next task; false when there was none. */
  step(): boolean {
    const entry = this.#skipCancelled();
    if (entry === undefined) return false;
    this.#entries.pop();
    this.#now = entry.at;
    entry.task?.();
    return true;
  }

  /** Runs every task due up to and including `end`, then stands at `end`. */
  runUntil(end: InstantUs): void {
    for (let next = this.nextAt(); next !== undefined && next <= end; next = this.nextAt()) this.step();
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

  /** Runs task after task until the promise is settled, but none after `end`; pending promise callbacks run between tasks. */
  async settle<T>(promise: Promise<T>, end: InstantUs): Promise<T> {
    let isSettled = false;
    const note = (): void => {
      isSettled = true;
    };
    promise.then(note, note);
    await drainMicrotasks();
    for (let next = this.nextAt(); !isSettled && next !== undefined && next <= end; next = this.nextAt()) {
      this.step();
      await drainMicrotasks();
    }
    return promise;
  }

  #skipCancelled(): Entry | undefined {
    let entry = this.#entries.peek();
    while (entry !== undefined && entry.task === undefined) {
      this.#entries.pop();
      entry = this.#entries.peek();
    }
    return entry;
  }
}

/** One turn of the macrotask queue empties every chain of already resolved promises, however long. */
const drainMicrotasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
