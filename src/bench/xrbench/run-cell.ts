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
import type { Cell } from './cell.ts';
import type { ScenarioModel } from './scenario.ts';
import type { FrameLog } from './score.ts';

export interface CellOptions {
  readonly policy: PolicyName;
  readonly tuning: PolicyTuning;
  /** `exact`: frames come when they are due. `tick`: as published, at the next multiple of the fastest period or the next completion, one of a model at a time. */
  readonly release: 'tick' | 'exact';
  /** For frames that come with a probability. */
  readonly seed: number | string;
}

const WINDOW_MS = 700;
/** As published: with `tick`, a job that ends within this time of an event counts as ended at that event. */
const TICK_MARGIN_US = 10;
/** An idle-looking loop is a bug; XRBench's largest cell has under a thousand instants. */
const INSTANTS_MAX = 1_000_000;

interface Source {
  readonly model: ScenarioModel;
  readonly periodUs: number;
  readonly framesMax: number;
  readonly prng: Prng;
  nextFrame: number;
}

interface Running {
  readonly job: Job;
  readonly frame: number;
  readonly injectedUs: number;
  readonly startedUs: number;
  readonly endsUs: number;
}

/**
 * Plays one cell against the real scheduler in virtual time and logs every frame that ended by being executed or dropped.
 *
 * As published, the window ends with the instant at which the last frame is injected, and what waits or runs then is not logged at all; periods are whole
 * milliseconds (60 fps is a period of 16), and there are floor(700 / period) frames of each model.
 */
export function runCell(cell: Cell, options: CellOptions): FrameLog[] {
  return new CellRun(cell, options).run();
}

class CellRun {
  readonly #cell: Cell;
  readonly #options: CellOptions;
  readonly #sources: readonly Source[];
  readonly #state: SchedulerState;
  readonly #running = new Map<number, Running>();
  readonly #waiting = new Map<JobId, { readonly job: Job; readonly frame: number; readonly injectedUs: number }>();
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
  }

  run(): FrameLog[] {
    const models = this.#cell.scenario.models.map(({ model }) => model);
    const cores = this.#state.plan.cores.map((core): Event => ({ kind: 'core-back', at: instantUs(0), core, models }));
    this.#tell(cores);
    for (let instants = 0; this.#hasFramesLeft() && instants < INSTANTS_MAX; instants += 1) {
      if (this.#wakeUs <= this.#now) this.#wakeUs = Number.POSITIVE_INFINITY;
      const ended = this.#retire();
      // A timer of the scheduler is no event of the reference, so nothing is injected at one.
      const isEvent = this.#options.release === 'exact' || ended.length > 0 || this.#now % this.#tickUs === 0;
      this.#tell([...ended, ...(isEvent ? this.#inject() : []), { kind: 'timer', at: instantUs(this.#now) }]);
      this.#now = this.#nextInstant();
    }
    return this.#log;
  }

  #hasFramesLeft(): boolean {
    return this.#sources.some(({ nextFrame, framesMax }) => nextFrame < framesMax);
  }

  #nextInstant(): number {
    let next = this.#wakeUs;
    for (const { endsUs } of this.#running.values()) next = Math.min(next, endsUs);
    if (this.#options.release === 'tick') return Math.min(next, (Math.floor(this.#now / this.#tickUs) + 1) * this.#tickUs);
    for (const { nextFrame, framesMax, periodUs } of this.#sources) if (nextFrame < framesMax) next = Math.min(next, nextFrame * periodUs);
    return next;
  }

  #retire(): Event[] {
    const at = instantUs(this.#now);
    const marginUs = this.#options.release === 'tick' ? TICK_MARGIN_US : 0;
    const events: Event[] = [];
    for (const [core, { job, frame, injectedUs, startedUs, endsUs }] of [...this.#running].sort((a, b) => a[0] - b[0])) {
      if (endsUs > this.#now + marginUs) continue;
      this.#running.delete(core);
      this.#record({ job, frame, core, injectedUs, dispatchedUs: startedUs, completedUs: endsUs });
      events.push(
        { kind: 'segment-done', at, core, job: job.id, ranUs: durationUs(endsUs - startedUs) },
        { kind: 'decoded', at, job: job.id },
      );
    }
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
      this.#waiting.set(job.id, { job, frame, injectedUs: this.#now });
      events.push({ kind: 'arrived', at, job });
    }
    return events;
  }

  #tell(events: readonly Event[]): void {
    for (const decision of stepTogether(this.#state, events)) {
      if (decision.kind === 'timer') this.#wakeUs = decision.wakeAt;
      if (decision.kind === 'start') this.#start(decision.core, decision.job);
      if (decision.kind === 'end' && decision.outcome.kind === 'dropped') this.#drop(decision.job);
    }
  }

  #start(core: number, id: JobId): void {
    const waiting = this.#take(id);
    const cost = this.#cell.costs.get(waiting.job.model)?.[core];
    if (cost === undefined) throw new Error(`accelerator ${core} has no costs for ${waiting.job.model}`);
    this.#running.set(core, { ...waiting, startedUs: this.#now, endsUs: this.#now + cost.latencyUs });
  }

  #drop(id: JobId): void {
    this.#record({ ...this.#take(id), core: undefined, dispatchedUs: this.#now, completedUs: this.#now });
  }

  #take(id: JobId) {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error(`job ${id} does not wait`);
    this.#waiting.delete(id);
    return waiting;
  }

  #record(end: {
    readonly job: Job;
    readonly frame: number;
    readonly core: number | undefined;
    readonly injectedUs: number;
    readonly dispatchedUs: number;
    readonly completedUs: number;
  }): void {
    const { job, frame, core } = end;
    const energyUj = core === undefined ? 0 : (this.#cell.costs.get(job.model)?.[core]?.energyUj ?? 0);
    this.#log.push({
      model: job.model,
      frame,
      core,
      injectedMs: end.injectedUs / 1_000,
      dispatchedMs: end.dispatchedUs / 1_000,
      deadlineMs: job.deadlineAt / 1_000,
      completedMs: end.completedUs / 1_000,
      energyMj: energyUj / 1_000,
    });
  }
}

/** As published, by integer division. */
const periodMsOf = ({ fps }: ScenarioModel): number => Math.floor(1_000 / fps);

/** Each model is a stream of its own name, allowed on every accelerator; one class, deadlines at the end of the period, nothing off the cores. */
function planOf(cell: Cell, { policy, tuning }: CellOptions): SchedulerPlan {
  const { models } = cell.scenario;
  const cores = (cell.costs.values().next().value ?? []).map((_, core) => core);
  return {
    ...PLAN_DEFAULTS,
    tailUs: durationUs(0),
    policy,
    tuning,
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
      const exactCosts = (cell.costs.get(model) ?? []).map(({ latencyUs, energyUj }, core) => ({
        core,
        costUs: durationUs(latencyUs),
        energyUj,
      }));
      return { model, cores, costUs: durationUs(Math.min(...exactCosts.map(({ costUs }) => costUs))), exactCosts };
    }),
    dependencies: models.flatMap(({ model, after }) => (after === undefined ? [] : [{ stream: model, after }])),
  };
}

/** As published, no queue is ever full: a window has at most 700 frames of a model. */
const QUEUE_MAX = 1_000;
