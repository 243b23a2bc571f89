import type { Decision } from '../../src/core/decision.ts';
import type { Event } from '../../src/core/event.ts';
import type { CoreId, Job, JobId, Turn } from '../../src/core/job.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import { durationUs, instantUs } from '../../src/core/units.ts';
import { createScheduler, type SchedulerPlan, stepTogether } from '../../src/scheduler/scheduler.ts';

/** One request to be played. Its id is its place in the list, from 1. Instants are microseconds. */
export interface PlayedJob {
  readonly stream: string;
  readonly at: number;
  /** Default: as the stream says. */
  readonly deadlineAt?: number;
  readonly turn?: Turn;
  /** Where the model ends it. Default: at its last step. */
  readonly stepsMax?: number;
  readonly cancelAt?: number;
}

export interface PlayOptions {
  readonly until: number;
  /** What a step of a job really takes. Default: what the plan says. */
  readonly stepUs?: (job: JobId, step: number) => number;
  readonly lost?: readonly { readonly at: number; readonly core: CoreId; readonly forUs: number }[];
  /** Sees every instant as it happens. */
  readonly see?: (events: readonly Event[], decisions: readonly Decision[]) => void;
}

interface Stretch {
  readonly core: CoreId;
  readonly job: JobId;
  readonly stream: string;
  readonly from: number;
  readonly to: number;
}

export interface Played {
  /** Segments in order of their ends; those under way at the end are cut there. */
  readonly stretches: readonly Stretch[];
  readonly ends: ReadonlyMap<JobId, { readonly at: number; readonly outcome: Outcome }>;
  /** By job: when each of its steps ended. */
  readonly stepEnds: ReadonlyMap<JobId, readonly number[]>;
  readonly decisions: readonly (Decision & { readonly at: number })[];
}

interface Segment {
  readonly job: JobId;
  readonly from: number;
  readonly startedAt: number;
  /** When each of its steps ends. */
  readonly borders: readonly number[];
  endAt: number;
  ran: number;
}

/** Plays a plan on cores that run steps one after the other and leave off when told to, in exact virtual time; results are there at once. */
export function playSteps(plan: SchedulerPlan, jobs: readonly PlayedJob[], options: PlayOptions): Played {
  return new StepPlayer(plan, jobs, options).play();
}

class StepPlayer {
  readonly #plan: SchedulerPlan;
  readonly #jobs: readonly PlayedJob[];
  readonly #options: PlayOptions;
  readonly #state;
  readonly #running = new Map<CoreId, Segment>();
  readonly #stretches: Stretch[] = [];
  readonly #ends = new Map<JobId, { at: number; outcome: Outcome }>();
  readonly #stepEnds = new Map<JobId, number[]>();
  readonly #decisions: (Decision & { at: number })[] = [];
  readonly #agenda: { readonly at: number; readonly event: () => Event }[] = [];
  #wakeAt = Number.POSITIVE_INFINITY;
  #now = 0;

  constructor(plan: SchedulerPlan, jobs: readonly PlayedJob[], options: PlayOptions) {
    this.#plan = plan;
    this.#jobs = jobs;
    this.#options = options;
    this.#state = createScheduler(plan);
    const back = (core: CoreId, at: number) => this.#agenda.push({ at, event: () => this.#coreBack(core) });
    for (const core of plan.cores) back(core, 0);
    jobs.forEach((job, index) => {
      this.#agenda.push({ at: job.at, event: () => ({ kind: 'arrived', at: this.#at(), job: this.#jobOf(index + 1) }) });
      if (job.cancelAt === undefined) return;
      this.#agenda.push({ at: job.cancelAt, event: () => ({ kind: 'cancel', at: this.#at(), job: index + 1 }) });
    });
    for (const { at, core, forUs } of options.lost ?? []) {
      this.#agenda.push({ at, event: () => this.#lose(core) });
      back(core, at + forUs);
    }
    this.#agenda.sort((a, b) => a.at - b.at);
  }

  play(): Played {
    for (;;) {
      const next = Math.min(
        this.#wakeAt,
        this.#agenda[0]?.at ?? Number.POSITIVE_INFINITY,
        ...[...this.#running.values()].map((run) => run.endAt),
      );
      if (next > this.#options.until) break;
      this.#now = next;
      this.#tell(this.#due());
    }
    for (const [core, { job, startedAt }] of this.#running)
      this.#stretches.push({ core, job, stream: this.#played(job).stream, from: startedAt, to: this.#options.until });
    return { stretches: this.#stretches, ends: this.#ends, stepEnds: this.#stepEnds, decisions: this.#decisions };
  }

  /** Ends of segments first, then what was on the agenda. */
  #due(): Event[] {
    const events: Event[] = [];
    for (const [core, run] of [...this.#running]) if (run.endAt <= this.#now) events.push(this.#finish(core, run));
    while ((this.#agenda[0]?.at ?? Number.POSITIVE_INFINITY) <= this.#now) {
      const entry = this.#agenda.shift();
      if (entry !== undefined) events.push(entry.event());
    }
    if (this.#wakeAt <= this.#now) {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      events.push({ kind: 'timer', at: this.#at() });
    }
    return events;
  }

  #finish(core: CoreId, { job, from, ran, startedAt, borders }: Segment): Event {
    this.#running.delete(core);
    this.#stretches.push({ core, job, stream: this.#played(job).stream, from: startedAt, to: this.#now });
    const known = this.#stepEnds.get(job) ?? [];
    this.#stepEnds.set(job, [...known.slice(0, from), ...borders.slice(0, ran)]);
    const isLast = from + ran >= Math.min(this.#stepCount(job), this.#played(job).stepsMax ?? Number.POSITIVE_INFINITY);
    const ranUs = durationUs(this.#now - startedAt);
    return { kind: 'segment-done', at: this.#at(), core, job, ranUs, progress: { steps: ran, isLast } };
  }

  #tell(events: readonly Event[]): void {
    const decisions = stepTogether(this.#state, events);
    this.#options.see?.(events, decisions);
    for (const decision of decisions) this.#carryOut(decision);
    for (const event of events) {
      if (event.kind !== 'segment-done' || event.progress?.isLast === false || this.#ends.has(event.job)) continue;
      this.#tell([{ kind: 'decoded', at: this.#at(), job: event.job }]);
    }
  }

  #carryOut(decision: Decision): void {
    this.#decisions.push({ ...decision, at: this.#now });
    if (decision.kind === 'timer') this.#wakeAt = decision.wakeAt;
    if (decision.kind === 'end') this.#ends.set(decision.job, { at: this.#now, outcome: decision.outcome });
    if (decision.kind === 'start') this.#start(decision.core, decision.job, decision.segment ?? { from: 0, steps: 1 });
    if (decision.kind !== 'yield' && decision.kind !== 'abort') return;
    const run = this.#running.get(decision.core);
    if (run === undefined) return;
    const isAbort = decision.kind === 'abort';
    const complete = run.borders.filter((border) => border <= this.#now).length;
    run.ran = isAbort ? complete : Math.min(run.ran, complete + 1);
    const { preemption } = this.#plan;
    run.endAt = isAbort && preemption?.kind === 'within-step' ? this.#now + preemption.abortUs : (run.borders[run.ran - 1] ?? this.#now);
  }

  #start(core: CoreId, job: JobId, segment: { readonly from: number; readonly steps: number }): void {
    const borders: number[] = [];
    const count = Math.min(segment.steps, (this.#played(job).stepsMax ?? Number.POSITIVE_INFINITY) - segment.from);
    let at = this.#now;
    for (let step = segment.from; step < segment.from + count; step += 1) {
      at += this.#options.stepUs?.(job, step) ?? this.#plannedUs(job, step);
      borders.push(at);
    }
    this.#running.set(core, { job, from: segment.from, startedAt: this.#now, borders, endAt: at, ran: count });
  }

  #lose(core: CoreId): Event {
    const run = this.#running.get(core);
    this.#running.delete(core);
    if (run !== undefined)
      this.#stretches.push({ core, job: run.job, stream: this.#played(run.job).stream, from: run.startedAt, to: this.#now });
    return { kind: 'core-lost', at: this.#at(), core, reason: 'core-crashed' };
  }

  #coreBack(core: CoreId): Event {
    const models = this.#plan.models.filter(({ cores }) => cores.includes(core)).map(({ model }) => model);
    return { kind: 'core-back', at: this.#at(), core, models };
  }

  #plannedUs(job: JobId, step: number): number {
    const row = this.#modelOf(job);
    const wholeUs = row.exactCosts?.[0]?.costUs ?? row.costUs;
    if (row.steps === undefined) return wholeUs;
    if (row.steps.kind === 'blocks') return Math.round(wholeUs * (row.steps.shares[step] ?? 0));
    return step < this.#chunks(job, row.steps.chunkTokens) ? row.steps.chunkUs : wholeUs;
  }

  #stepCount(job: JobId): number {
    const { steps } = this.#modelOf(job);
    if (steps === undefined) return 1;
    if (steps.kind === 'blocks') return steps.shares.length;
    return this.#chunks(job, steps.chunkTokens) + (this.#played(job).turn?.tokensMax ?? 1) - 1;
  }

  #chunks(job: JobId, chunkTokens: number): number {
    return Math.ceil((this.#played(job).turn?.promptTokens ?? 1) / chunkTokens);
  }

  #modelOf(job: JobId) {
    const row = this.#plan.models.find(({ model }) => model === this.#jobOf(job).model);
    if (row === undefined) throw new Error(`the model of job ${job} is of the plan`);
    return row;
  }

  #jobOf(id: JobId): Job {
    const { stream: streamId, at, deadlineAt, turn } = this.#played(id);
    const stream = this.#plan.streams.find((candidate) => candidate.id === streamId);
    if (stream === undefined) throw new Error(`no stream ${streamId}`);
    const due = instantUs(deadlineAt ?? at + stream.deadlineUs);
    const job: Job = { id, stream: streamId, model: stream.model, capturedAt: instantUs(at), deadlineAt: due };
    return turn === undefined ? job : { ...job, turn };
  }

  #played(id: JobId): PlayedJob {
    const job = this.#jobs[id - 1];
    if (job === undefined) throw new Error(`no job ${id}`);
    return job;
  }

  #at() {
    return instantUs(this.#now);
  }
}
