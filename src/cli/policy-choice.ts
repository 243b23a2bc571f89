import type { BenchSuiteOptions } from './commands/bench-suite.ts';

type Policy = BenchSuiteOptions['policies'][number];

/** Held to the scheduler's names by the compiler: a missing or an unknown name does not type-check. */
export const POLICIES: Readonly<Record<Policy, true>> = {
  coxswain: true,
  edf: true,
  fifo: true,
  'fixed-priority': true,
  'latency-greedy': true,
  laxity: true,
  'round-robin': true,
};

/** As `POLICIES`. */
export const DROPS: Readonly<Record<NonNullable<BenchSuiteOptions['drop']>, true>> = { none: true, expired: true, infeasible: true };
