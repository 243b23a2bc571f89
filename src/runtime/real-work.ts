import type { InstantUs } from '../core/units.ts';

interface Hold {
  readonly promise: Promise<void>;
  readonly dueAt: () => number;
}

/**
 * What is done in real time for a simulation, such as an inference whose duration is the chip's and whose outputs are ours. Virtual time waits for it: it never
 * gets to the instant at which the work is due before the work is done. So what happens when, in virtual time, is the same as if the work took no time at all.
 */
export class RealWork {
  readonly #holds = new Set<Hold>();

  /** @param dueAt asked anew before each task, since what it depends on may move; infinite for work that nobody waits for any more */
  hold(work: Promise<void>, dueAt: () => number): void {
    const promise = work.finally(() => this.#holds.delete(hold));
    // Told to whoever waits for it; one that nobody waits for may fail as it likes.
    promise.catch(() => undefined);
    const hold: Hold = { dueAt, promise };
    this.#holds.add(hold);
  }

  /** Undefined when time may go on to this instant; else resolves when some of what stands against it is done, and told to all that wait for it. Rejects as that does. */
  before(next: InstantUs): Promise<void> | undefined {
    for (const { promise, dueAt } of this.#holds) if (dueAt() <= next) return promise.then(breathe);
    return undefined;
  }
}

/** One turn of the macrotask queue empties every chain of already resolved promises, however long. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
