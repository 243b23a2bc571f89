import type { SimClock } from '../core/sim-clock.ts';
import type { InstantUs } from '../core/units.ts';

/** Tells the driver of a SimClock that a promise was settled by the present task, so that what awaits it has to run before time goes on. */
export interface Turnstile {
  open(): void;
}

export interface SimulatedTime extends Turnstile {
  /**
   * Runs every task up to and including `end`, or until `isOver`, asked before each task. Between two stretches of tasks it calls `pause`, which may take
   * real time. Without an `isOver` it stops early when that resolves to true; with one it has to get there.
   */
  playUntil(end: InstantUs, isOver?: () => boolean): Promise<void>;
}

/** Awaits between the settling of a promise and the last thing that follows from it: two in ImagePipeline, one in Dispatcher; the rest is to spare. */
const HOPS = 12;

/** Tasks in one stretch: some milliseconds. */
const STRETCH = 1_024;

export function createSimulatedTime(clock: SimClock, pause: () => Promise<boolean>): SimulatedTime {
  let isOpen = false;
  let count = 0;
  return {
    open: () => {
      isOpen = true;
    },
    async playUntil(end, isOver) {
      for (let next = clock.nextAt(); next !== undefined && next <= end; next = clock.nextAt()) {
        if (isOver?.()) return;
        clock.step();
        if (isOpen) {
          isOpen = false;
          for (let hop = 0; hop < HOPS; hop += 1) await undefined;
        }
        count += 1;
        if (count % STRETCH === 0 && (await pause()) && isOver === undefined) return;
      }
      if (isOver?.() !== true) clock.runUntil(end);
    },
  };
}
