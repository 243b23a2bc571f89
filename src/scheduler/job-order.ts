import type { InstantUs } from '../core/units.ts';

/** What decides who goes first. */
export interface Ordered {
  /** Of the stream's criticality: 0 is the most important. */
  readonly rank: number;
  /** The deadline, less what the jobs that wait for this one still need to be in time. */
  readonly urgentAt: InstantUs;
  readonly id: number;
}

/** 1. criticality class, 2. earliest absolute deadline (successor-aware), 3. smaller job id. A strict total order over jobs. */
export function goesBefore(a: Ordered, b: Ordered): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.urgentAt !== b.urgentAt) return a.urgentAt < b.urgentAt;
  return a.id < b.id;
}
