import { typicalUsOn } from '../cost-of.ts';
import { mayTake } from '../may-take.ts';
import type { DropRule } from '../plan.ts';
import { isOrphan, isReady, readyAtUs } from '../precedence.ts';
import { type CoreState, canServe, isSpared, type JobState, type ModelState, type SchedulerState, type StreamState } from '../state.ts';
import { canYield, stepEnd, typicalRestUs, typicalRunUs } from '../steps.ts';
import { isAnswering } from '../turn.ts';
import { valueOn } from './job-value.ts';

/** A job that runs and could be interrupted, one that waits, or one that is expected. */
export interface Task {
  /** Its stream, by place in the outlook. */
  readonly place: number;
  /** Undefined: it is expected. */
  readonly job: JobState | undefined;
  /** When it, and what it needs if that is known, is there. */
  readonly arrivesAt: number;
  /** By when its run must end. */
  readonly dueAt: number;
  /** The same, less what those that follow it need. */
  readonly urgentAt: number;
  /** The task whose result it needs, by place among the tasks; -1: none. It stands before this one. */
  readonly before: number;
  /** What is left of its run, by core as in the outlook; infinite where it cannot run. */
  readonly restUs: Float64Array;
  /** The core where it runs now; -1: it does not. */
  readonly core: number;
  /** From one border to the next, where it may be interrupted; infinite when it may not. */
  readonly borderUs: number;
  /** To the first border; 0 unless it runs. */
  readonly toBorderUs: number;
}

/** One stream as far as it can be seen. */
export interface Prospect {
  readonly stream: StreamState;
  /** Of a whole run, by core. */
  readonly costsUs: Float64Array;
  readonly values: Float64Array;
  readonly leastUs: number;
  /** From the end of its run to its result. */
  readonly tailUs: number;
  /** What it costs to go on after an interruption. */
  readonly switchUs: number;
  /** The cores that could take it: the fastest first, and the one that leaves the most value first. */
  readonly fastest: readonly number[];
  readonly dearest: readonly number[];
  /** Results under way that nothing can change any more: expected in time, and late. */
  settledValue: number;
  settledDone: number;
  settledLate: number;
}

/** What is known now about the next while: a model of the machine small enough to be planned many times. */
export interface Outlook {
  readonly now: number;
  readonly endsAt: number;
  readonly cores: readonly CoreState[];
  readonly freeAt: readonly number[];
  readonly prospects: readonly Prospect[];
  /** In order of arrival; what is needed stands before what needs it. */
  readonly tasks: readonly Task[];
  /** By every rule but `infeasible` a late result counts as delivered. */
  readonly drop: DropRule;
}

/** Two to four periods of a camera: shorter, and a long job looks free; longer, and nothing is gained on the XRBench cells, at twice the time. */
const HORIZON_US = 70_000;
/** Beyond, the last ones to arrive are not planned for; it bounds the time of a decision. */
const TASKS_MAX = 48;

export function outlookOf(state: SchedulerState): Outlook {
  return new Lookout(state).look();
}

class Lookout {
  readonly #state: SchedulerState;
  readonly #cores: readonly CoreState[];
  readonly #endsAt: number;
  readonly #prospects: Prospect[] = [];
  readonly #byStream = new Map<StreamState, number>();
  readonly #tasks: Task[] = [];
  readonly #byJob = new Map<JobState, number>();
  /** Of a stream: the tasks that are expected, by capture. */
  readonly #expected = new Map<StreamState, { readonly capturedAt: number; readonly task: number }[]>();
  readonly #freeAt: number[];

  constructor(state: SchedulerState) {
    this.#state = state;
    this.#cores = state.cores.filter((core) => core.isUp);
    this.#endsAt = state.now + HORIZON_US;
    this.#freeAt = this.#cores.map(() => state.now);
  }

  look(): Outlook {
    const streams = inOrderOfNeed(this.#state);
    for (const stream of streams) this.#survey(stream);
    this.#cores.forEach((core, index) => {
      if (core.running !== undefined) this.#lookAtRunning(core, index, core.running);
    });
    for (const stream of streams) {
      for (const job of stream.waiting) this.#lookAtWaiting(job);
    }
    for (const stream of streams) this.#lookAhead(stream);
    return {
      now: this.#state.now,
      endsAt: this.#endsAt,
      cores: this.#cores,
      freeAt: this.#freeAt,
      prospects: this.#prospects,
      tasks: this.#tasks,
      drop: this.#state.policy.drop,
    };
  }

  #survey(stream: StreamState): void {
    const model = stream.model;
    const costsUs = Float64Array.from(this.#cores, (core) =>
      isServed(core, stream) ? typicalUsOn(model, core) : Number.POSITIVE_INFINITY,
    );
    const values = Float64Array.from(this.#cores, (core) => valueOn(this.#state, model, core));
    const able = [...costsUs.keys()].filter((core) => Number.isFinite(costsUs[core]));
    this.#byStream.set(stream, this.#prospects.length);
    this.#prospects.push({
      stream,
      costsUs,
      values,
      leastUs: Math.min(...costsUs),
      tailUs: stream.tail.typicalUs,
      switchUs: switchUsOf(model),
      fastest: [...able].sort((a, b) => (costsUs[a] as number) - (costsUs[b] as number)),
      dearest: [...able].sort((a, b) => (values[b] as number) - (values[a] as number)),
      settledValue: 0,
      settledDone: 0,
      settledLate: 0,
    });
  }

  /** What cannot be interrupted, or was told to leave, takes its core for so long; the rest is a task like others, but for where it is. */
  #lookAtRunning(core: CoreState, index: number, job: JobState): void {
    const { now } = this.#state;
    // One that runs longer than expected is still not free.
    const endsAt = Math.max(now + 1, job.startedAt + typicalRunUs(core));
    const { leavesAt } = job;
    const borderUs = this.#borderUs(job);
    if (leavesAt === undefined && borderUs !== Number.POSITIVE_INFINITY) {
      const restUs = new Float64Array(this.#cores.length).fill(Number.POSITIVE_INFINITY);
      restUs[index] = endsAt - now;
      const toBorderUs = stepEnd(now, core, job, 'typicalUs').at - now;
      this.#add(job.stream, job, { arrivesAt: now, restUs, core: index, borderUs, toBorderUs });
      return;
    }
    this.#freeAt[index] = leavesAt === undefined ? endsAt : Math.max(now, leavesAt);
    if (leavesAt === undefined) this.#settle(index, job, endsAt);
    else this.#addTold(core, index, job, leavesAt);
  }

  #settle(index: number, job: JobState, endsAt: number): void {
    const prospect = this.#prospectOf(job.stream);
    if (endsAt + job.stream.tail.typicalUs <= job.deadlineAt) {
      prospect.settledValue += prospect.values[index] as number;
      prospect.settledDone += 1;
    } else prospect.settledLate += 1;
  }

  /** It waits from the border on, with nothing to fetch again where it is. */
  #addTold(core: CoreState, index: number, job: JobState, leavesAt: number): void {
    const ranRatio = Math.min(1, Math.max(0, (leavesAt - job.startedAt) / Math.max(1, typicalRunUs(core))));
    const { switchUs } = this.#prospectOf(job.stream);
    const restRatio = leftRatio(job) * (1 - ranRatio);
    const restUs = Float64Array.from(this.#cores, (other, at) =>
      mayTake(other, job)
        ? Math.max(1, typicalUsOn(job.model, other) * restRatio + (at === index ? 0 : switchUs))
        : Number.POSITIVE_INFINITY,
    );
    this.#add(job.stream, job, { arrivesAt: leavesAt, restUs, core: -1, borderUs: this.#borderUs(job) });
  }

  #lookAtWaiting(job: JobState): void {
    const { now } = this.#state;
    const { stream } = job;
    if (this.#tasks.length >= TASKS_MAX || isOrphan(this.#state, job)) return;
    const needed = stream.after?.followed?.live.get(job.job.capturedAt);
    const before = needed === undefined ? -1 : (this.#byJob.get(needed) ?? -1);
    const isFree = before >= 0 || isReady(this.#state, job);
    const restUs = Float64Array.from(this.#cores, (core) =>
      mayTake(core, job) ? Math.max(1, typicalRestUs(job, core)) : Number.POSITIVE_INFINITY,
    );
    const arrivesAt = isFree ? now : Math.max(now + 1, readyAtUs(this.#state, job));
    this.#add(stream, job, { arrivesAt, restUs, core: -1, borderUs: this.#borderUs(job), before });
  }

  #lookAhead(stream: StreamState): void {
    const { now } = this.#state;
    if (!stream.releases.predict(now)) return;
    const { captureAt, arrivalAt, intervalUs } = stream.releases;
    const prospect = this.#prospectOf(stream);
    const expected: { readonly capturedAt: number; readonly task: number }[] = [];
    this.#expected.set(stream, expected);
    const neededOnes = stream.after === undefined ? [] : (this.#expected.get(stream.after) ?? []);
    for (let count = 0; this.#tasks.length < TASKS_MAX; count += 1) {
      const capturedAt = captureAt + count * intervalUs;
      // What has not come is not here, however late it is.
      const arrivesAt = Math.max(now + 1, arrivalAt + count * intervalUs);
      if (arrivesAt >= this.#endsAt) break;
      const before = neededOnes.find((needed) => Math.abs(needed.capturedAt - capturedAt) < intervalUs / 2)?.task ?? -1;
      expected.push({ capturedAt, task: this.#tasks.length });
      this.#add(stream, undefined, {
        arrivesAt,
        restUs: prospect.costsUs,
        core: -1,
        borderUs: this.#borderOf(stream.model, prospect.leastUs, stepsOf(stream.model)),
        before,
        deadlineAt: capturedAt + stream.stream.deadlineUs,
      });
    }
  }

  #add(
    stream: StreamState,
    job: JobState | undefined,
    facts: Pick<Task, 'arrivesAt' | 'restUs' | 'core' | 'borderUs'> & {
      readonly toBorderUs?: number;
      readonly before?: number;
      readonly deadlineAt?: number;
    },
  ): void {
    const { before = -1, toBorderUs = 0, deadlineAt = job?.deadlineAt ?? 0, ...rest } = facts;
    // What has been begun to be said is said to its end: by when its next token is wanted, or late.
    const isSaid = job !== undefined && isAnswering(job);
    const dueAt = isSaid ? Number.POSITIVE_INFINITY : deadlineAt - stream.tail.typicalUs;
    if (job !== undefined) this.#byJob.set(job, this.#tasks.length);
    this.#tasks.push({
      ...rest,
      place: this.#byStream.get(stream) as number,
      job,
      dueAt,
      urgentAt: isSaid ? job.ownUrgentAt : dueAt - this.#followersUs(stream),
      before,
      toBorderUs,
    });
  }

  #followersUs(stream: StreamState): number {
    let mostUs = 0;
    for (const follower of stream.followed?.followers ?? [])
      mostUs = Math.max(mostUs, this.#prospectOf(follower).leastUs + this.#followersUs(follower));
    return Number.isFinite(mostUs) ? mostUs : 0;
  }

  #borderUs(job: JobState): number {
    return this.#borderOf(job.model, this.#prospectOf(job.stream).leastUs, job.stepCount - job.stepsDone > 1 ? job.stepCount : 1);
  }

  /** Steps are taken to be alike. */
  #borderOf(model: ModelState, wholeUs: number, stepCount: number): number {
    const { policy } = this.#state;
    if (!policy.preempts || !canYield(this.#state) || stepCount <= 1) return Number.POSITIVE_INFINITY;
    return model.plan.steps?.kind === 'tokens' ? wholeUs : wholeUs / stepCount;
  }

  #prospectOf(stream: StreamState): Prospect {
    return this.#prospects[this.#byStream.get(stream) as number] as Prospect;
  }
}

/** Whether the core could run what comes next of the stream, were it idle. */
const isServed = (core: CoreState, { model }: StreamState): boolean => canServe(core, model.plan.model) && !isSpared(core, model);

const stepsOf = ({ plan: { steps } }: ModelState): number => (steps === undefined ? 1 : steps.kind === 'blocks' ? steps.shares.length : 2);

/** Of the borders of the model, the price of the dearest. */
function switchUsOf({ plan: { steps } }: ModelState): number {
  if (steps === undefined) return 0;
  return steps.kind === 'blocks' ? Math.max(0, ...steps.switchUs) : steps.switchUs;
}

const leftRatio = (job: JobState): number => (job.stepCount - job.stepsDone) / job.stepCount;

/** A stream stands behind the one that it needs. */
function inOrderOfNeed(state: SchedulerState): StreamState[] {
  const depth = (stream: StreamState): number => (stream.after === undefined ? 0 : 1 + depth(stream.after));
  return [...state.streams.values()].sort((a, b) => depth(a) - depth(b) || a.index - b.index);
}
