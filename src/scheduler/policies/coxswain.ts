import { goesBefore } from '../job-order.ts';
import { holdInstead } from '../look-ahead.ts';
import type { PolicyTuning } from '../plan.ts';
import type { Policy } from '../state.ts';
import { fastestCores } from './core-order.ts';

/**
 * The default. What cannot finish is given up before it starts; then class, then successor-aware EDF; a core is held for a job that is expected and would be
 * missed; when two peers cannot both be served, the one that lost more has its turn.
 */
export const createCoxswain = ({ drop = 'infeasible' }: PolicyTuning): Policy => ({
  goesBefore,
  changesOrder: false,
  drop,
  coresFor: fastestCores,
  hold: holdInstead,
  countsResults: false,
});
