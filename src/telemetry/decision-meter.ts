import type { DurationUs } from '../core/units.ts';
import { createDurationHistogram, type StepUs, stepUsOf } from './histogram.ts';

export interface SchedulerFigures {
  /** Time of one scheduler step: one event in, its decisions out. */
  readonly decisionUs: StepUs;
  readonly steps: number;
  readonly decisions: number;
}

export interface DecisionMeter {
  /** One step of the scheduler took `stepUs` and gave `decisions` decisions. */
  step(stepUs: DurationUs, decisions: number): void;
  figures(): SchedulerFigures;
}

export function createDecisionMeter(): DecisionMeter {
  const histogram = createDurationHistogram();
  let decisionsTotal = 0;
  return {
    step(stepUs, decisions) {
      histogram.record(stepUs);
      decisionsTotal += decisions;
    },
    figures: () => ({ decisionUs: stepUsOf(histogram), steps: histogram.samples, decisions: decisionsTotal }),
  };
}
