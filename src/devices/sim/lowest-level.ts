import { bandwidthAt, bytesPerUs, type Flow } from './bus-share.ts';

/** The simulator shares the bus to a billionth of its capacity; this is far beyond that. */
const MARGIN = 1e-7;
const TURNS = 50;

/**
 * The lowest level that a fair bus may leave a segment, whatever runs beside it: with every other core running, all the while, that of its models which takes most
 * of the bus at the level that comes of it.
 *
 * What a flow takes grows with the level, so the level with everybody at their greediest is the lowest that any choice of theirs can bring about; and a
 * segment is never slower than at the lowest level (`flowUs` of it). Found by bisection, from below.
 *
 * @param others by core, what it may run meanwhile
 * @param capacity of the bus, bytes per microsecond
 */
export function lowestLevel(flow: Flow, others: readonly (readonly Flow[])[], capacity: number): number {
  // A flow over several cores stands with each of them for its part.
  const partAt = (one: Flow, level: number): number => bytesPerUs(one, bandwidthAt(one, level, capacity)) / (one.width ?? 1);
  const takenAt = (level: number): number =>
    others.reduce(
      (sum, flows) => sum + flows.reduce((most, other) => Math.max(most, partAt(other, level)), 0),
      bytesPerUs(flow, bandwidthAt(flow, level, capacity)),
    );
  if (takenAt(capacity) <= capacity) return capacity;
  let low = 0;
  let high = capacity;
  for (let turn = 0; turn < TURNS; turn += 1) {
    const level = (low + high) / 2;
    if (takenAt(level) <= capacity) low = level;
    else high = level;
  }
  return low * (1 - MARGIN);
}
