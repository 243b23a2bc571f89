import { rooflineUs, type SegmentCost, waitingFrom } from './segment-cost.ts';

/** A running segment as the bus sees it. */
export interface Flow {
  readonly cost: SegmentCost;
  /** Clock of its core, as a part of the fastest: computing slows down with it, the bus does not. */
  readonly speed: number;
  /** The whole segment takes this many times as long, its use of the bus included. */
  readonly drag: number;
  /** Cores that it runs on together; each of them has its own share of the bus. Absent: 1. */
  readonly width?: number;
}

/** What a flow's layers that wait for memory get when each core gets `level`. */
export const bandwidthAt = ({ width = 1 }: Flow, level: number, capacity: number): number => Math.min(level * width, capacity);

/** Time of the whole segment when its layers that wait for memory get `bandwidth` (bytes per microsecond). */
export const flowUs = ({ cost, speed, drag }: Flow, bandwidth: number): number => (rooflineUs(cost, bandwidth / speed) * drag) / speed;

/** What it takes of the bus on average over its layers. */
export const bytesPerUs = (flow: Flow, bandwidth: number): number => {
  const us = flowUs(flow, bandwidth);
  return us === 0 ? 0 : flow.cost.bytes / us;
};

const TURNS_MAX = 60;
/** Of the capacity; a thousandth of a microsecond in a segment of a second. */
const TOLERANCE = 1e-9;

/**
 * The level of a fair bus: the bandwidth that every core gets whose layer waits for memory, such that all flows together take no more than `capacity`. Flows whose
 * layers want less keep what they want, and what they leave goes to the others: max-min fairness, with the layers of each segment taken as spread evenly
 * over its run. `capacity` itself when that is enough for all.
 *
 * The sum of what is taken grows with the level, so it is found by Newton's method kept between bounds; the answer never lies above the true level.
 */
export function busLevel(flows: readonly Flow[], capacity: number): number {
  let taken = 0;
  for (const flow of flows) taken += bytesPerUs(flow, capacity);
  if (taken <= capacity) return capacity;
  let low = 0;
  let high = capacity;
  let cores = 0;
  for (const { width = 1 } of flows) cores += width;
  let level = capacity / cores;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    let sum = 0;
    let slope = 0;
    for (const { cost, speed, drag, width = 1 } of flows) {
      // As `flowUs` at `bandwidthAt`, with one search for both the time and its slope against the level.
      const isCapped = width > 1 && level * width >= capacity;
      const bandwidth = (isCapped ? capacity : level * width) / speed;
      const from = waitingFrom(cost, bandwidth);
      const bytes = cost.bytesFrom[from] as number;
      const us = (((cost.computeBefore[from] as number) + (bytes === 0 ? 0 : bytes / bandwidth)) * drag) / speed;
      sum += cost.bytes / us;
      if (!isCapped) slope += (cost.bytes * bytes * drag) / (us * us * level * level * width);
    }
    const excess = sum - capacity;
    if (excess > 0) high = level;
    else {
      low = level;
      if (-excess <= capacity * TOLERANCE) break;
    }
    const step = level - excess / slope - (capacity * TOLERANCE * 0.5) / slope;
    level = step > low && step < high ? step : (low + high) / 2;
  }
  return low > 0 ? low : level;
}
