import type { JobId } from '../../core/job.ts';
import type { Progress } from '../../core/segment.ts';

/** A row of steps of one job, and what they cost here. */
export interface Run {
  readonly job: JobId;
  /** The first step, of all `stepCount` of the job. */
  readonly from: number;
  readonly steps: number;
  readonly stepCount: number;
  /** Of the whole job. */
  readonly latencyUs: number;
  readonly energyUj: number;
  /** To fetch again what was put away, unless it was the last to run here. */
  readonly switchUs: number;
}

/** How a run ended. */
export interface RunEnd {
  readonly job: JobId;
  readonly ranUs: number;
  readonly energyUj: number;
  readonly progress: Progress;
}

/** One of XRBench's accelerators: runs one segment at a time at a constant pace, and leaves off at borders when it is told to. */
export class Accelerator {
  #run: Run | undefined;
  #startedUs = 0;
  #reloadUs = 0;
  /** Fewer than asked for after `leave`. */
  #steps = 0;
  #lastJob: JobId | undefined;

  /** Infinite while idle. */
  get endsUs(): number {
    const run = this.#run;
    if (run === undefined) return Number.POSITIVE_INFINITY;
    // A job in one piece ends where its latency says, to the last digit.
    return (
      this.#startedUs + this.#reloadUs + (this.#steps === run.stepCount ? run.latencyUs : (this.#steps * run.latencyUs) / run.stepCount)
    );
  }

  start(run: Run, nowUs: number): void {
    if (this.#run !== undefined) throw new Error(`job ${run.job} is started on an accelerator that runs job ${this.#run.job}`);
    this.#run = run;
    this.#startedUs = nowUs;
    this.#reloadUs = run.from > 0 && this.#lastJob !== run.job ? run.switchUs : 0;
    this.#steps = run.steps;
    this.#lastJob = run.job;
  }

  /** Ends the run after the step that it is at; of steps that end now the next one is at work. */
  leave(nowUs: number): void {
    const run = this.#run;
    if (run === undefined) return;
    const stepUs = run.latencyUs / run.stepCount;
    const begun = Math.floor((nowUs - this.#startedUs - this.#reloadUs) / stepUs) + 1;
    this.#steps = Math.min(this.#steps, Math.max(1, begun));
  }

  end(): RunEnd {
    const run = this.#run;
    if (run === undefined) throw new Error('an idle accelerator ends no run');
    const ranUs = this.endsUs - this.#startedUs;
    this.#run = undefined;
    // Fetching is charged as running is.
    const ratio = this.#steps / run.stepCount + this.#reloadUs / run.latencyUs;
    const progress = { steps: this.#steps, isLast: run.from + this.#steps === run.stepCount };
    return { job: run.job, ranUs, energyUj: ratio * run.energyUj, progress };
  }
}
