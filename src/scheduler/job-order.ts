/** What decides who goes first. */
export interface Ordered {
  /** Of the stream's criticality: 0 is the most important. Under a server: see server.ts. */
  readonly rank: number;
  /** The deadline, less what the jobs that wait for this one still need to be in time; under a server that has budget, the server's. */
  readonly urgentAt: number;
  /** The same without regard to a server. */
  readonly ownUrgentAt: number;
  readonly id: number;
}

/** 1. class, 2. earliest absolute deadline (successor-aware), 3. under one server the job's own deadline, 4. smaller job id. A strict total order over jobs. */
export function goesBefore(a: Ordered, b: Ordered): boolean {
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.urgentAt !== b.urgentAt) return a.urgentAt < b.urgentAt;
  if (a.ownUrgentAt !== b.ownUrgentAt) return a.ownUrgentAt < b.ownUrgentAt;
  return a.id < b.id;
}
