import { assert } from '../../core/assert.ts';
import type { Steps } from '../../core/decision.ts';
import type { Event } from '../../core/event.ts';
import type { Job, JobId } from '../../core/job.ts';
import { Prng } from '../../core/prng.ts';
import { durationUs, instantUs } from '../../core/units.ts';
import {
  createScheduler,
  PLAN_DEFAULTS,
  type PolicyName,
  type PolicyTuning,
  type SchedulerPlan,
  type SchedulerState,
  stepTogether,
} from '../../scheduler/scheduler.ts';
import { Accelerator } from './accelerator.ts';
import type { Cell } from './cell.ts';
import { type Preemption, STEPS, stepsOf, switchUsOf } from './preemption.ts';
import type { ScenarioModel } from './scenario.ts';
import type { FrameLog } from './score.ts';

export interface CellOptions {
  readonly policy: PolicyName;
  readonly tuning: PolicyTuning;
  /** `exact`: frames come when they are due. `tick`: as published, at the next multiple of the fastest period or the next completion, one of a model at a time. */
  readonly release: 'tick' | 'exact';
  /** What an interruption costs; undefined: a run cannot be interrupted. */
  readonly preemption: Preemption | undefined;
  /** Wraps every decision, to time it. */
  readonly watch?: <T>(decide: () => T) => T;
  /** For frames that come with a probability. */
  readonly seed: number | string;
}

const WINDOW_MS = 700;
/** As published: with `tick`, a job that ends within this time of an event counts as ended at that event. */
const TICK_MARGIN_US = 10;
/** XRBench's largest cell has under a thousand instants. */
const INSTANTS_MAX = 1_000_000;

interface Source {
  readonly model: ScenarioModel;
  readonly periodUs: number;
  readonly framesMax: number;
  readonly prng: Prng;
  nextFrame: number;
}

/** A frame that has been injected and has not ended. */
interface Frame {
  readonly job: Job;
  readonly frame: number;
  readonly injectedUs: number;
  /** Of its first segment. */
  dispatchedUs: number | undefined;
  /** Of all its segments so far. */
  energyUj: number;
}

/**
 * Plays one cell against the real scheduler in virtual time and logs every frame that ended by being executed or dropped.
 *
 * As published, the window ends with the instant at which the last frame is injected, and what waits or runs then is not logged at all; periods are whole
 * milliseconds (60 fps is a period of 16), and there are floor(700 / period) frames of each model.
 */
export function runCell(cell: Cell, options: CellOptions): CellLog {
  return new CellRun(cell, options).run();
}

export interface CellLog {
  readonly frames: readonly FrameLog[];
  /** Those whose deadline was within the window and that had not ended when it closed; as published, they are not logged. */
  readonly unended: readonly FrameLog[];
}

class CellRun {
  readonly #cell: Cell;
  readonly #options: CellOptions;
  readonly #sources: readonly Source[];
  readonly #state: SchedulerState;
  readonly #accelerators: readonly Accelerator[];
  readonly #frames = new Map<JobId, Frame>();
  readonly #log: FrameLog[] = [];
  readonly #tickUs: number;
  #now = 0;
  #wakeUs = Number.POSITIVE_INFINITY;
  #nextJob = 1;

  constructor(cell: Cell, options: CellOptions) {
    this.#cell = cell;
    this.#options = options;
    this.#sources = cell.scenario.models.map((model) => {
      const periodMs = periodMsOf(model);
      const prng = new Prng(options.seed).fork(model.model);
      return { model, periodUs: periodMs * 1_000, framesMax: Math.floor(WINDOW_MS / periodMs), prng, nextFrame: 0 };
    });
    this.#tickUs = Math.min(...this.#sources.map(({ periodUs }) => periodUs));
    this.#state = createScheduler(planOf(cell, options));
    this.#accelerators = this.#state.plan.cores.map(() => new Accelerator());
  }

  run(): CellLog {
    const models = this.#cell.scenario.models.map(({ model }) => model);
    const cores = this.#state.plan.cores.map((core): Event => ({ kind: 'core-back', at: instantUs(0), core, models }));
    this.#tell(cores);
    let closedUs = 0;
    for (let instants = 0; this.#hasFramesLeft(); instants += 1) {
      assert(instants < INSTANTS_MAX, 'a cell comes to its end');
      if (this.#wakeUs <= this.#now) this.#wakeUs = Number.POSITIVE_INFINITY;
      const ended = this.#retire();
      // A timer of the scheduler is no event of the reference, so nothing is injected at one.
      const isEvent = this.#options.release === 'exact' || ended.length > 0 || this.#now % this.#tickUs === 0;
      this.#tell([...ended, ...(isEvent ? this.#inject() : []), { kind: 'timer', at: instantUs(this.#now) }]);
      closedUs = this.#now;
      this.#now = this.#nextInstant();
    }
    const frames = [...this.#log];
    this.#log.length = 0;
    for (const frame of [...this.#frames.values()]) if (frame.job.deadlineAt <= closedUs) this.#record(frame, undefined, closedUs);
    return { frames, unended: this.#log };
  }

  #hasFramesLeft(): boolean {
    return this.#sources.some(({ nextFrame, framesMax }) => nextFrame < framesMax);
  }

  #nextInstant(): number {
    let next = this.#wakeUs;
    for (const { endsUs } of this.#accelerators) next = Math.min(next, endsUs);
    if (this.#options.release === 'tick') return Math.min(next, (Math.floor(this.#now / this.#tickUs) + 1) * this.#tickUs);
    for (const { nextFrame, framesMax, periodUs } of this.#sources) if (nextFrame < framesMax) next = Math.min(next, nextFrame * periodUs);
    return next;
  }

  #retire(): Event[] {
    const at = instantUs(this.#now);
    const marginUs = this.#options.release === 'tick' ? TICK_MARGIN_US : 0;
    const events: Event[] = [];
    this.#accelerators.forEach((accelerator, core) => {
      const { endsUs } = accelerator;
      if (endsUs > this.#now + marginUs) return;
      const { job: id, ranUs, energyUj, progress } = accelerator.end();
      const frame = this.#frameOf(id);
      frame.energyUj += energyUj;
      events.push({ kind: 'segment-done', at, core, job: id, ranUs: durationUs(ranUs), progress });
      if (!progress.isLast) return;
      this.#record(frame, core, endsUs);
      events.push({ kind: 'decoded', at, job: id });
    });
    return events;
  }

  /** At most one frame of a model at an instant; exactly one with exact release. */
  #inject(): Event[] {
    const at = instantUs(this.#now);
    const events: Event[] = [];
    for (const source of this.#sources) {
      const { model, periodUs, framesMax, nextFrame: frame } = source;
      if (frame >= framesMax || frame * periodUs > this.#now) continue;
      source.nextFrame += 1;
      if (!source.prng.chance(model.probability)) continue;
      const job: Job = {
        id: this.#nextJob++,
        stream: model.model,
        model: model.model,
        capturedAt: instantUs(frame * periodUs),
        deadlineAt: instantUs((frame + 1) * periodUs),
      };
      this.#frames.set(job.id, { job, frame, injectedUs: this.#now, dispatchedUs: undefined, energyUj: 0 });
      events.push({ kind: 'arrived', at, job });
    }
    return events;
  }

  #tell(events: readonly Event[]): void {
    const { watch = (decide) => decide() } = this.#options;
    for (const decision of watch(() => stepTogether(this.#state, events))) {
      if (decision.kind === 'timer') this.#wakeUs = decision.wakeAt;
      if (decision.kind === 'start') this.#start(decision.core, decision.job, decision.segment);
      if (decision.kind === 'yield') this.#accelerators[decision.core]?.leave(this.#now);
      if (decision.kind === 'end' && decision.outcome.kind === 'dropped') this.#record(this.#frameOf(decision.job), undefined, this.#now);
    }
  }

  #start(core: number, id: JobId, segment: Steps | undefined): void {
    const frame = this.#frameOf(id);
    const costs = this.#cell.costs.get(frame.job.model) ?? [];
    const cost = costs[core];
    if (cost === undefined) throw new Error(`accelerator ${core} has no costs for ${frame.job.model}`);
    frame.dispatchedUs ??= this.#now;
    const { preemption } = this.#options;
    const switchUs = preemption === undefined ? 0 : switchUsOf(preemption, costs);
    const stepCount = segment === undefined ? 1 : STEPS;
    this.#accelerators[core]?.start({ job: id, ...(segment ?? WHOLE), stepCount, ...cost, switchUs }, this.#now);
  }

  #frameOf(id: JobId): Frame {
    const frame = this.#frames.get(id);
    if (frame === undefined) throw new Error(`job ${id} is under way`);
    return frame;
  }

  #record({ job, frame, injectedUs, dispatchedUs, energyUj }: Frame, core: number | undefined, completedUs: number): void {
    this.#frames.delete(job.id);
    this.#log.push({
      model: job.model,
      frame,
      core,
      injectedMs: injectedUs / 1_000,
      dispatchedMs: (dispatchedUs ?? completedUs) / 1_000,
      deadlineMs: job.deadlineAt / 1_000,
      completedMs: completedUs / 1_000,
      energyMj: energyUj / 1_000,
    });
  }
}

const WHOLE: Steps = { from: 0, steps: 1 };

/** As published, by integer division. */
const periodMsOf = ({ fps }: ScenarioModel): number => Math.floor(1_000 / fps);

/** Each model is a stream of its own name, allowed on every accelerator; one class, deadlines at the end of the period, nothing off the cores. */
function planOf(cell: Cell, { policy, tuning, preemption }: CellOptions): SchedulerPlan {
  const { models } = cell.scenario;
  const cores = (cell.costs.values().next().value ?? []).map((_, core) => core);
  return {
    ...PLAN_DEFAULTS,
    tailUs: durationUs(0),
    policy,
    tuning: preemption === undefined ? tuning : { ...tuning, preempts: true },
    preemption: { kind: preemption === undefined ? 'none' : 'between-steps' },
    cores,
    streams: models.map((model) => {
      const periodUs = durationUs(periodMsOf(model) * 1_000);
      return {
        id: model.model,
        model: model.model,
        criticality: 'interactive',
        periodUs,
        deadlineUs: periodUs,
        freshness: { kind: 'queue', jobsMax: QUEUE_MAX },
        isStateful: false,
      };
    }),
    models: models.map(({ model }) => {
      const costs = cell.costs.get(model) ?? [];
      const exactCosts = costs.map(({ latencyUs, energyUj }, core) => ({ core, costUs: durationUs(latencyUs), energyUj }));
      const costUs = durationUs(Math.min(...costs.map(({ latencyUs }) => latencyUs)));
      return { model, cores, costUs, exactCosts, ...(preemption === undefined ? {} : { steps: stepsOf(preemption, costs) }) };
    }),
    dependencies: models.flatMap(({ model, after }) => (after === undefined ? [] : [{ stream: model, after }])),
  };
}

/** As published, no queue is ever full: a window has at most 700 frames of a model. */
const QUEUE_MAX = 1_000;
