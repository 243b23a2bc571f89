import type { InstantUs } from '../core/units.ts';

/** What decides who goes first. */
export interface Ordered {
  /** Of the stream's criticality: 0 is the most important. */
  readonly rank: number;
  readonly deadlineAt: InstantUs;
  readonly id: number;
}

/** 1. criticality class, 2. earliest absolute deadline, 3. smaller job id. A strict total order over jobs. */
export function goesBefore(a: Ordered, b: Ordered): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.deadlineAt !== b.deadlineAt) return a.deadlineAt < b.deadlineAt;
  return a.id < b.id;
}
