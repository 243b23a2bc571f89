import type { Decision } from '../../../src/core/decision.ts';
import type { Event } from '../../../src/core/event.ts';
import type { Job } from '../../../src/core/job.ts';
import type { Stream } from '../../../src/core/stream.ts';
import { durationFromMs, instantUs } from '../../../src/core/units.ts';
import { createScheduler, PLAN_DEFAULTS, type SchedulerPlan, step, stepTogether } from '../../../src/scheduler/scheduler.ts';

export type StreamOptions = Partial<Omit<Stream, 'periodUs' | 'deadlineUs'>> & {
  readonly id: string;
  readonly periodMs?: number;
  readonly deadlineMs?: number;
  readonly costMs?: number;
  readonly cores?: readonly number[];
  readonly split?: number;
  readonly busRatio?: number;
};

export const queueOf = (jobsMax: number): Stream['freshness'] => ({ kind: 'queue', jobsMax });

/** Each stream has a model of its own name; by default: background, 100 ms deadline, 10 ms cost, a queue of 100, on core 0. */
export function planFor(streams: readonly StreamOptions[], extra: Partial<SchedulerPlan> = {}): SchedulerPlan {
  return {
    ...PLAN_DEFAULTS,
    cores: [0, 1],
    streams: streams.map(({ periodMs = 0, deadlineMs = 100, costMs: _cost, cores: _cores, split: _split, busRatio: _ratio, ...rest }) => ({
      model: rest.id,
      criticality: 'background',
      freshness: queueOf(100),
      isStateful: false,
      ...rest,
      periodUs: durationFromMs(periodMs),
      deadlineUs: durationFromMs(deadlineMs),
    })),
    models: streams.map(({ id, costMs = 10, cores = [0], split, busRatio }) => ({
      model: id,
      cores,
      costUs: durationFromMs(costMs),
      ...(split === undefined ? {} : { split }),
      ...(busRatio === undefined ? {} : { busRatio }),
    })),
    ...extra,
  };
}

/** Drives a scheduler in milliseconds and tells decisions as short words, timers left out: `start 3 on 0`, `end 2 dropped superseded`, `hold 4 on 0 for fast`. */
export class Bench {
  readonly plan: SchedulerPlan;
  readonly #state;
  #nextJob = 1;
  /** All decisions of the last step. */
  last: readonly Decision[] = [];
  wakeAtMs: number | undefined;

  constructor(streams: readonly StreamOptions[], extra: Partial<SchedulerPlan> = {}) {
    this.plan = planFor(streams, extra);
    this.#state = createScheduler(this.plan);
  }

  tell(event: Event): string[] {
    return this.#say(step(this.#state, event));
  }

  #say(decisions: readonly Decision[]): string[] {
    this.last = decisions;
    const words: string[] = [];
    for (const decision of this.last) {
      if (decision.kind === 'timer') this.wakeAtMs = decision.wakeAt / 1000;
      else words.push(describe(decision));
    }
    return words;
  }

  /** All models of the plan that are placed on the core, unless named. */
  up(atMs: number, core = 0, models = this.plan.models.filter((row) => row.cores.includes(core)).map((row) => row.model)): string[] {
    return this.tell({ kind: 'core-back', at: ms(atMs), core, models });
  }

  /** One job of each stream, captured now, told as events of one instant. */
  arriveTogether(atMs: number, streams: readonly string[]): string[] {
    const events = streams.map((id): Event => {
      const contract = this.plan.streams.find((candidate) => candidate.id === id);
      if (contract === undefined) throw new Error(`no stream ${id}`);
      const deadlineAt = instantUs(ms(atMs) + contract.deadlineUs);
      return {
        kind: 'arrived',
        at: ms(atMs),
        job: { id: this.#nextJob++, stream: id, model: contract.model, capturedAt: ms(atMs), deadlineAt },
      };
    });
    return this.#say(stepTogether(this.#state, events));
  }

  at(atMs: number) {
    return ms(atMs);
  }

  /** Ids count from 1. Captured when it arrives, unless told. */
  arrive(atMs: number, stream: string, capturedMs = atMs, extra: Partial<Job> = {}): string[] {
    const contract = this.plan.streams.find((candidate) => candidate.id === stream);
    if (contract === undefined) throw new Error(`no stream ${stream}`);
    const capturedAt = ms(capturedMs);
    const deadlineAt = instantUs(capturedAt + contract.deadlineUs);
    return this.tell({
      kind: 'arrived',
      at: ms(atMs),
      job: { id: this.#nextJob++, stream, model: contract.model, capturedAt, deadlineAt, ...extra },
    });
  }

  done(atMs: number, job: number, core = 0): string[] {
    return this.tell({ kind: 'segment-done', at: ms(atMs), core, job, ranUs: durationFromMs(1) });
  }

  decoded(atMs: number, job: number): string[] {
    return this.tell({ kind: 'decoded', at: ms(atMs), job });
  }

  lose(atMs: number, core = 0, reason: 'core-crashed' | 'core-hung' = 'core-crashed'): string[] {
    return this.tell({ kind: 'core-lost', at: ms(atMs), core, reason });
  }

  timer(atMs: number): string[] {
    return this.tell({ kind: 'timer', at: ms(atMs) });
  }

  stop(atMs: number): string[] {
    return this.tell({ kind: 'stopping', at: ms(atMs) });
  }

  /** Runs one job from arrival to result, where nothing else is in the way. */
  complete(atMs: number, stream: string, costMs: number, capturedMs = atMs): void {
    const job = this.#nextJob;
    this.arrive(atMs, stream, capturedMs);
    this.done(atMs + costMs, job);
    this.decoded(atMs + costMs + 1, job);
  }

  get nextJob(): number {
    return this.#nextJob;
  }
}

const ms = (value: number) => instantUs(Math.round(value * 1000));

function describe(decision: Exclude<Decision, { kind: 'timer' }>): string {
  if (decision.kind === 'start') {
    const { segment, others = [] } = decision;
    return `start ${decision.job} on ${[decision.core, ...others].join('+')}${segment === undefined ? '' : ` steps ${segment.from}+${segment.steps}`}`;
  }
  if (decision.kind === 'yield' || decision.kind === 'abort')
    return `${decision.kind} ${decision.job} on ${decision.core} for ${decision.for ?? 'nobody'}`;
  if (decision.kind === 'hold') return `hold ${decision.job} on ${decision.core} for ${decision.for}`;
  if (decision.kind === 'variant') return `${decision.stream} by ${decision.model}`;
  const { outcome } = decision;
  return `end ${decision.job} ${outcome.kind}${'reason' in outcome ? ` ${outcome.reason}` : ''}`;
}
