import type { StreamState } from './state.ts';

/*
 * What is protected is reckoned with high quantiles, of its run and of what follows. Where these do not fit into its deadline but what is typical does, it is
 * not given up: then it is to have the core at once, and that is what it is reckoned to need.
 */

/** By when the run of a job of the stream that can start at `readyAt` must have ended. */
export function endBy({ tail }: StreamState, readyAt: number, highUs: number, deadlineAt: number): number {
  const dueAt = deadlineAt - tail.highUs;
  return readyAt + highUs <= dueAt ? dueAt : deadlineAt - tail.typicalUs;
}

/** What its run is reckoned with where there is no time for `highUs`; more than there is time for when it will be late whatever is done. */
export const tightUs = (readyAt: number, dueAt: number, typicalUs: number): number => Math.max(typicalUs, dueAt - readyAt);
