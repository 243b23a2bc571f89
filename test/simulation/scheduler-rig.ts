import type { Decision } from '../../src/core/decision.ts';
import type { Event } from '../../src/core/event.ts';
import type { CoreId, Job, JobId } from '../../src/core/job.ts';
import { Prng } from '../../src/core/prng.ts';
import { SimClock } from '../../src/core/sim-clock.ts';
import { addUs, type DurationUs, durationUs, type InstantUs, instantUs } from '../../src/core/units.ts';
import { createScheduler, type SchedulerPlan, step } from '../../src/scheduler/scheduler.ts';
import { InvariantChecker, type Step } from './checkers.ts';
import type { Fault } from './faults.ts';
import { drawUs, type Load, planOf, type Workload } from './workload.ts';

export interface Run {
  readonly plan: SchedulerPlan;
  readonly steps: readonly Step[];
}

export interface RunOptions {
  readonly workload: Workload;
  readonly seed: number | string;
  readonly spanUs: DurationUs;
  readonly faults?: readonly Fault[];
  /** Kill to ready; the scheduler expects `plan.restartUs`. */
  readonly restartUs?: DurationUs;
}

interface Busy {
  readonly job: JobId;
  cancel: () => void;
}

/** Plays a workload and its faults against the scheduler alone on a SimClock: sources, cores and decoding are a few draws each. Checks every step. */
export function runScheduler(options: RunOptions): Run {
  const rig = new SchedulerRig(options);
  return { plan: rig.plan, steps: rig.run() };
}

class SchedulerRig {
  readonly plan: SchedulerPlan;
  readonly #options: RunOptions;
  readonly #clock = new SimClock();
  readonly #prng: Prng;
  readonly #steps: Step[] = [];
  readonly #loads = new Map<string, Load>();
  readonly #jobs = new Map<JobId, Job>();
  readonly #busy = new Map<CoreId, Busy>();
  readonly #hangsNext = new Set<CoreId>();
  readonly #state;
  readonly #checker;
  #slowFactor = 1;
  #nextJob = 1;
  #isStopping = false;
  #cancelTimer: () => void = () => undefined;

  constructor(options: RunOptions) {
    this.#options = options;
    this.plan = planOf(options.workload);
    this.#prng = new Prng(options.seed);
    this.#state = createScheduler(this.plan);
    this.#checker = new InvariantChecker(this.plan);
    for (const load of options.workload.loads) this.#loads.set(load.stream.id, load);
  }

  run(): readonly Step[] {
    const { workload, spanUs, faults = [] } = this.#options;
    for (const core of workload.cores) this.#raise(core);
    for (const load of workload.loads) this.#startSource(load);
    for (const fault of faults) this.#clock.at(fault.at, () => this.#strike(fault));
    this.#clock.runUntil(instantUs(spanUs));
    this.#isStopping = true;
    this.#tell({ kind: 'stopping', at: this.#clock.now() });
    // Long enough for the longest timeout, a restart and decoding.
    this.#clock.runFor(durationUs(this.plan.timeouts.ceilingUs + 2_000_000));
    if (this.#checker.unended.length > 0) throw new Error(`jobs without an outcome: ${this.#checker.unended.join()}`);
    return this.#steps;
  }

  #startSource(load: Load): void {
    const prng = this.#prng.fork(`source ${load.stream.id}`);
    const periodUs = load.stream.periodUs;
    const offsetUs = prng.integer(0, Math.floor(periodUs));
    const capture = (count: number): void => {
      if (this.#isStopping) return;
      this.#capture(load, prng);
      this.#clock.at(instantUs(Math.round(offsetUs + (count + 1) * periodUs)), () => capture(count + 1));
    };
    this.#clock.at(instantUs(offsetUs), () => capture(0));
  }

  #capture(load: Load, prng: Prng): void {
    const capturedAt = this.#clock.now();
    const arrivedAt = addUs(capturedAt, drawUs(prng, load.lag));
    const jobs = prng.integer(load.jobsPerCapture.from, load.jobsPerCapture.to);
    for (let n = 0; n < jobs; n += 1) this.#clock.at(arrivedAt, () => this.#arrive(load, capturedAt));
  }

  #arrive(load: Load, capturedAt: InstantUs): void {
    const { stream } = load;
    const job: Job = {
      id: this.#nextJob++,
      stream: stream.id,
      model: stream.model,
      capturedAt,
      deadlineAt: addUs(capturedAt, stream.deadlineUs),
    };
    this.#jobs.set(job.id, job);
    this.#tell({ kind: 'arrived', at: this.#clock.now(), job });
  }

  #tell(event: Event): void {
    const decisions = step(this.#state, event);
    const record = { event, decisions };
    this.#steps.push(record);
    this.#checker.see(record);
    for (const decision of decisions) this.#carryOut(decision);
  }

  #carryOut(decision: Decision): void {
    if (decision.kind === 'start') this.#run(decision.core, decision.job, decision.killAt);
    if (decision.kind === 'end') this.#jobs.delete(decision.job);
    if (decision.kind === 'timer') {
      this.#cancelTimer();
      const timer = this.#clock.at(decision.wakeAt, () => this.#tell({ kind: 'timer', at: this.#clock.now() }));
      this.#cancelTimer = () => timer.cancel();
    }
  }

  #run(core: CoreId, id: JobId, killAt: InstantUs): void {
    const load = this.#loadOf(id);
    // Each job has its own numbers, so that another order of decisions does not change what a job costs.
    const prng = this.#prng.fork(`job ${id}`);
    const ranUs = durationUs(Math.round(drawUs(prng, load.cost) * this.#slowFactor));
    const endAt = this.#hangsNext.delete(core) ? Number.POSITIVE_INFINITY : this.#clock.now() + ranUs;
    const timer =
      endAt > killAt
        ? this.#clock.at(killAt, () => this.#lose(core, 'core-hung'))
        : this.#clock.at(instantUs(endAt), () => {
            this.#busy.delete(core);
            this.#tell({ kind: 'segment-done', at: this.#clock.now(), core, job: id, ranUs });
            this.#decode(id, drawUs(prng, load.tail));
          });
    this.#busy.set(core, { job: id, cancel: () => timer.cancel() });
  }

  #decode(id: JobId, tailUs: DurationUs): void {
    this.#clock.at(addUs(this.#clock.now(), tailUs), () => this.#tell({ kind: 'decoded', at: this.#clock.now(), job: id }));
  }

  #raise(core: CoreId): void {
    const models = this.plan.models.filter((row) => row.cores.includes(core)).map((row) => row.model);
    this.#tell({ kind: 'core-back', at: this.#clock.now(), core, models });
  }

  #lose(core: CoreId, reason: 'core-crashed' | 'core-hung'): void {
    this.#busy.get(core)?.cancel();
    this.#busy.delete(core);
    this.#tell({ kind: 'core-lost', at: this.#clock.now(), core, reason });
    const restartUs = this.#options.restartUs ?? this.plan.restartUs;
    this.#clock.at(addUs(this.#clock.now(), restartUs), () => this.#raise(core));
  }

  #strike(fault: Fault): void {
    if (fault.kind === 'crash') this.#lose(fault.core, 'core-crashed');
    if (fault.kind === 'hang') this.#hangsNext.add(fault.core);
    if (fault.kind === 'burst') {
      const load = this.#loads.get(fault.stream);
      if (load === undefined) throw new Error(`no stream ${fault.stream}`);
      for (let n = 0; n < fault.jobs; n += 1) this.#arrive(load, this.#clock.now());
    }
    if (fault.kind === 'slow') {
      this.#slowFactor = fault.factor;
      this.#clock.at(addUs(fault.at, fault.forUs), () => {
        this.#slowFactor = 1;
      });
    }
  }

  #loadOf(id: JobId): Load {
    const job = this.#jobs.get(id);
    const load = job === undefined ? undefined : this.#loads.get(job.stream);
    if (load === undefined) throw new Error(`job ${id} is not of this workload`);
    return load;
  }
}
