import { BusGuard } from '../bus-guard.ts';
import { goesBefore } from '../job-order.ts';
import { LookAhead } from '../look-ahead.ts';
import type { PolicyTuning } from '../plan.ts';
import type { Policy } from '../state.ts';
import { assignByValue } from '../value/value-planner.ts';
import { fastestCores } from './core-order.ts';

/**
 * The default. What cannot finish is given up before it starts; then class, then successor-aware EDF; a core is held for a job that is expected and would be
 * missed, and what wants too much of the memory bus for one on another core; when two peers cannot both be served, the one that lost more has its turn, or, with `victim: value`, the next while is played through and the jobs
 * that leave the most quality are started.
 */
export function createCoxswain({ drop = 'infeasible', victim = 'turns', bus = 'apart', preempts = true }: PolicyTuning): Policy {
  const lookAhead = new LookAhead();
  const guard = new BusGuard();
  return {
    goesBefore,
    changesOrder: false,
    drop,
    coresFor: fastestCores,
    hold: (now, core, job, forUs) => lookAhead.holdInstead(now, core, job, forUs),
    ...(bus === 'apart' ? { holdForBus: (state, core, job, steps) => guard.holdInstead(state, core, job, steps) } : {}),
    preempts,
    ...(victim === 'value' ? { assign: assignByValue } : { keepsServers: true }),
    countsResults: false,
  };
}
