import type { BenchSuiteOptions } from './commands/bench-suite.ts';

type Policy = BenchSuiteOptions['policies'][number];

/** Held to the scheduler's names by the compiler: a missing or an unknown name does not type-check. `canInterrupt`: whether it may take a core back from what runs. */
export const POLICIES: Readonly<Record<Policy, { readonly canInterrupt: boolean }>> = {
  coxswain: { canInterrupt: true },
  edf: { canInterrupt: true },
  fifo: { canInterrupt: false },
  'fixed-priority': { canInterrupt: true },
  'latency-greedy': { canInterrupt: false },
  laxity: { canInterrupt: true },
  'round-robin': { canInterrupt: false },
};

/** Those that may take a core back. */
export const INTERRUPTING: readonly string[] = Object.entries(POLICIES).flatMap(([name, { canInterrupt }]) => (canInterrupt ? [name] : []));

/** As `POLICIES`. */
export const DROPS: Readonly<Record<NonNullable<BenchSuiteOptions['drop']>, true>> = { none: true, expired: true, infeasible: true };
