import type { FigureRange } from '../../core/soc-profile.ts';
import type { InstantUs } from '../../core/units.ts';
import type { BudgetFigures } from './byte-budget.ts';

/** Watches the chip; it may count and draw, never change. */
export interface ChipObserver {
  /** From `at` on the bus carries this and the chip takes this much power (the middle of its range). */
  flow(at: InstantUs, bytesPerUs: number, watts: number): void;
  heat(at: InstantUs, dieC: number, isThrottled: boolean): void;
}

export interface ChipFigures {
  readonly elapsedUs: number;
  /** From and to DRAM. */
  readonly busBytes: number;
  /** The most that the bus could have carried in the time, in the mode and under the faults there were. */
  readonly capacityBytes: number;
  readonly joules: FigureRange;
  /** Over one step of the thermal model, the middle of the range. */
  readonly wattsMax: number;
  readonly dieC: number;
  readonly dieMaxC: number;
  readonly caseMaxC: number;
  /** With the clock lowered because of heat. */
  readonly throttledUs: number;
  /** With the clock lowered to hold the mode's power. */
  readonly cappedUs: number;
  /** One for each regulated stream. */
  readonly budgets: readonly BudgetFigures[];
}
