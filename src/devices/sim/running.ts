import type { CoreId } from '../../core/job.ts';
import type { StreamId } from '../../core/stream.ts';
import type { InstantUs } from '../../core/units.ts';
import type { Flow } from './bus-share.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { SegmentCost } from './segment-cost.ts';

/** A segment that begins on its core. */
export interface Run {
  readonly core: CoreId;
  /** The rest of the cores that it runs on. */
  readonly others: readonly CoreId[];
  readonly cost: SegmentCost;
  /** Whose budget it draws on. */
  readonly stream?: StreamId | undefined;
  readonly killAt: InstantUs;
  readonly isHung: boolean;
  /** Told inside a timer of the chip, when all is accounted for. */
  readonly onEnd: (how: 'done' | 'overdue') => void;
}

/**
 * What runs on one core, as a flow on the bus; one segment after the other. Between two changes of its share it goes on evenly, so how far it has come is worked
 * out only when its share changes, when it ends, and when somebody asks for the chip's figures.
 */
export class Running implements Flow {
  run: Run;
  /** Of the segment as it is now, which may have been told to leave off sooner. */
  cost: SegmentCost;
  speed = 1;
  drag = 1;
  width = 1;
  /** The whole segment with the bus to itself, and what it takes of the bus then. */
  aloneUs = 0;
  aloneBytesPerUs = 0;
  /** 0..1 of the segment, at `since`. */
  progress = 0;
  since = 0;
  /** The whole segment at the present level; not known before the bus has been shared for the first time. */
  us = Number.NaN;
  bytesPerUs = 0;
  endAt = Number.POSITIVE_INFINITY;
  /** What it moves is drawn from there; undefined: not regulated. */
  budget: ByteBudget | undefined;
  /** Nothing is left of its budget in this period. */
  isStalled = false;
  /** Of the run, at hand since they are asked for whenever any segment begins or ends. */
  killAt = Number.POSITIVE_INFINITY;
  isHung = false;

  constructor(run: Run) {
    this.run = run;
    this.cost = run.cost;
  }

  /** From now on it is this run, or so much of it, and this far. */
  become(run: Run, cost: SegmentCost, progress: number, at: number): void {
    this.run = run;
    this.cost = cost;
    this.width = 1 + run.others.length;
    this.progress = progress;
    this.since = at;
    this.us = Number.NaN;
    this.bytesPerUs = 0;
    this.endAt = Number.POSITIVE_INFINITY;
    this.isStalled = false;
    this.killAt = run.killAt;
    this.isHung = run.isHung;
  }
}
