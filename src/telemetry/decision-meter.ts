import type { DurationUs } from '../core/units.ts';
import { createDurationHistogram, type StepUs, stepUsOf } from './histogram.ts';

export interface SchedulerFigures {
  /** Time of one scheduler step: one event in, its decisions out. */
  readonly decisionUs: StepUs;
  readonly steps: number;
  readonly decisions: number;
  /** How often a segment was told to end after the step it was at, and how often at once. */
  readonly yields: number;
  readonly aborts: number;
}

export interface DecisionMeter {
  /** One step of the scheduler took `stepUs` and gave `decisions` decisions. */
  step(stepUs: DurationUs, decisions: number): void;
  /** One of those decisions took a core back. */
  interrupted(how: 'yield' | 'abort'): void;
  figures(): SchedulerFigures;
}

export function createDecisionMeter(): DecisionMeter {
  const histogram = createDurationHistogram();
  let decisionsTotal = 0;
  const interruptions = { yield: 0, abort: 0 };
  return {
    step(stepUs, decisions) {
      histogram.record(stepUs);
      decisionsTotal += decisions;
    },
    interrupted(how) {
      interruptions[how] += 1;
    },
    figures: () => ({
      decisionUs: stepUsOf(histogram),
      steps: histogram.samples,
      decisions: decisionsTotal,
      yields: interruptions.yield,
      aborts: interruptions.abort,
    }),
  };
}
