import type { PolicyName, PolicyTuning } from '../plan.ts';
import type { Policy } from '../state.ts';
import { createCoxswain } from './coxswain.ts';
import { createEdf } from './edf.ts';
import { createFifo } from './fifo.ts';
import { createFixedPriority } from './fixed-priority.ts';
import { createLatencyGreedy } from './latency-greedy.ts';
import { createLaxity } from './laxity.ts';
import { createRoundRobin } from './round-robin.ts';

/** One line for each policy. */
const POLICIES: Readonly<Record<PolicyName, (tuning: PolicyTuning) => Policy>> = {
  coxswain: createCoxswain,
  edf: createEdf,
  fifo: createFifo,
  'fixed-priority': createFixedPriority,
  'latency-greedy': createLatencyGreedy,
  laxity: createLaxity,
  'round-robin': createRoundRobin,
};

export const createPolicy = (name: PolicyName, tuning: PolicyTuning): Policy => POLICIES[name](tuning);
