import type { Decision } from '../../src/core/decision.ts';
import type { Event } from '../../src/core/event.ts';
import type { CoreId, Job, JobId } from '../../src/core/job.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Stream, StreamId } from '../../src/core/stream.ts';
import { rowFor, type SchedulerPlan } from '../../src/scheduler/scheduler.ts';

export interface Step {
  readonly event: Event;
  readonly decisions: readonly Decision[];
}

interface Tracked {
  readonly job: Job;
  phase: 'waiting' | 'running' | 'decoding' | 'ended';
  /** Cores lost under it. */
  losses: number;
  stepsDone: number;
  granted: number;
  /** While it runs; the first leads. */
  cores: readonly CoreId[];
  /** Of a job that has begun, where its model keeps what it comes to. */
  keptOn: readonly CoreId[];
  firstTokenAt: number | undefined;
  isCancelled: boolean;
}

const FRESH = { stepsDone: 0, granted: 0, cores: [], keptOn: [] };

/**
 * Follows events and decisions with bookkeeping of its own, sharing no code with the scheduler, and throws at the first broken invariant. Meant to see
 * every step as it happens.
 */
export class InvariantChecker {
  readonly outcomes = new Map<JobId, Outcome>();
  readonly #plan: SchedulerPlan;
  readonly #streams: ReadonlyMap<StreamId, Stream>;
  readonly #jobs = new Map<JobId, Tracked>();
  readonly #cores = new Map<CoreId, { models: ReadonlySet<string>; job: JobId | undefined }>();
  readonly #shed = new Set<StreamId>();
  #wakeAt: number | undefined;
  #isStopping = false;

  constructor(plan: SchedulerPlan) {
    this.#plan = plan;
    this.#streams = new Map(plan.streams.map((stream) => [stream.id, stream]));
  }

  see({ event, decisions }: Step): void {
    this.#expect(this.#wakeAt === undefined || event.at >= 0, 'time is not negative', event);
    this.#take(event);
    for (const decision of decisions) this.#decide(event, decision);
    this.#checkBounds(event);
  }

  get unended(): readonly JobId[] {
    return [...this.#jobs.values()].filter((tracked) => tracked.phase !== 'ended').map((tracked) => tracked.job.id);
  }

  #take(event: Event): void {
    switch (event.kind) {
      case 'arrived':
        this.#jobs.set(event.job.id, {
          job: event.job,
          phase: 'waiting',
          losses: 0,
          ...FRESH,
          firstTokenAt: undefined,
          isCancelled: false,
        });
        return;
      case 'cancel': {
        const tracked = this.#jobs.get(event.job);
        if (tracked !== undefined) tracked.isCancelled = true;
        return;
      }
      case 'segment-done':
      case 'segment-failed': {
        const tracked = this.#job(event.job);
        this.#expect(tracked.cores[0] === event.core, 'the driver ends what runs', event);
        this.#free(tracked);
        const isOver = event.kind === 'segment-failed' || event.progress?.isLast !== false;
        tracked.phase = isOver ? 'decoding' : 'waiting';
        if (event.kind === 'segment-done') tracked.stepsDone += event.progress?.steps ?? tracked.granted;
        const hasSpoken = tracked.job.turn !== undefined && (isOver || tracked.stepsDone >= this.#chunksOf(tracked.job));
        if (hasSpoken) tracked.firstTokenAt ??= event.at;
        if (isOver) tracked.keptOn = [];
        return;
      }
      case 'core-lost': {
        const job = this.#cores.get(event.core)?.job;
        for (const tracked of this.#jobs.values()) {
          if (tracked.phase === 'ended' || (tracked.job.id !== job && !tracked.keptOn.includes(event.core))) continue;
          this.#free(tracked);
          Object.assign(tracked, { ...FRESH, phase: 'waiting', losses: tracked.losses + 1 });
        }
        this.#cores.delete(event.core);
        return;
      }
      case 'core-back':
        this.#cores.set(event.core, { models: new Set(event.models), job: this.#cores.get(event.core)?.job });
        return;
      case 'stopping':
        this.#isStopping = true;
        return;
      default:
    }
  }

  /** All of its cores. */
  #free(tracked: Tracked): void {
    for (const id of tracked.cores) {
      const core = this.#cores.get(id);
      if (core?.job === tracked.job.id) core.job = undefined;
    }
    tracked.cores = [];
  }

  #decide(event: Event, decision: Decision): void {
    switch (decision.kind) {
      case 'start':
        this.#start(event, decision);
        return;
      case 'variant':
        this.#checkServed(event, decision);
        return;
      case 'yield':
      case 'abort':
        this.#expect(this.#job(decision.job).cores[0] === decision.core, 'what is interrupted runs there, or is led from there', event);
        if (decision.for === undefined)
          this.#expect(event.kind === 'cancel' && event.job === decision.job, 'it is interrupted for nobody when cancelled', event);
        else this.#expect(this.#job(decision.for).phase === 'waiting', 'it is interrupted for one that waits', event);
        this.#expect((this.#plan.preemption?.kind ?? 'none') !== 'none', 'the device can interrupt', event);
        return;
      case 'end': {
        const tracked = this.#job(decision.job);
        this.#expect(tracked.phase === 'waiting' || tracked.phase === 'decoding', 'a job that runs or has ended does not end', event);
        this.#checkOutcome(event, tracked, decision.outcome);
        tracked.phase = 'ended';
        this.outcomes.set(decision.job, decision.outcome);
        return;
      }
      case 'hold':
        this.#expect(this.#job(decision.job).phase === 'waiting', 'a held job waits', event);
        this.#expect(this.#cores.get(decision.core)?.job === undefined, 'a held core is idle', event);
        this.#expect(decision.until > event.at, 'a hold ends later', event);
        return;
      case 'timer':
        this.#expect(decision.wakeAt > event.at, 'a timer is in the future', event);
        this.#wakeAt = decision.wakeAt;
    }
  }

  #start(event: Event, decision: Extract<Decision, { kind: 'start' }>): void {
    const { core: lead, others = [], job: jobId, killAt, segment = { from: 0, steps: 1 } } = decision;
    const tracked = this.#job(jobId);
    const { model: runs = tracked.job.model } = decision;
    const row = rowFor(this.#plan.models, runs, tracked.job.stream);
    const mayRun =
      runs === tracked.job.model ||
      this.#plan.variants?.some(({ stream, model, isAlike }) => stream === tracked.job.stream && model === runs && isAlike);
    this.#expect(mayRun === true, 'a job runs its own model or a variant that takes the same input', event);
    this.#expect(!this.#isStopping, 'nothing starts after stopping', event);
    this.#expect(!this.#shed.has(tracked.job.stream) || segment.from > 0, 'nothing of a stream that is not served is begun', event);
    const cores = [lead, ...others];
    this.#expect(cores.length === (row?.split ?? 1) && new Set(cores).size === cores.length, 'a job takes as many cores as planned', event);
    for (const id of cores) {
      const core = this.#cores.get(id);
      this.#expect(core !== undefined && core.job === undefined, 'a core that is up and idle takes a job', event);
      const isPlaced = core?.models.has(runs) === true && row?.cores.includes(id) === true;
      this.#expect(isPlaced, 'a job runs where its model is', event);
      if (core !== undefined) core.job = jobId;
    }
    this.#expect(tracked.phase === 'waiting', 'a waiting job starts', event);
    const drop = this.#plan.tuning?.drop;
    const isInTime =
      event.at <= tracked.job.deadlineAt ||
      tracked.firstTokenAt !== undefined ||
      drop === 'none' ||
      (drop === 'expired' && segment.from > 0);
    this.#expect(isInTime, 'a job is not begun after its deadline, nor gone on with unless the rule says so', event);
    this.#expect(killAt > event.at && killAt <= event.at + this.#plan.timeouts.ceilingUs, 'the timeout is within its bounds', event);
    const { turn } = tracked.job;
    const steps = row?.steps?.kind === 'blocks' ? row.steps.shares.length : this.#chunksOf(tracked.job) + (turn?.tokensMax ?? 1) - 1;
    if (row?.steps?.kind === 'tokens' || row?.steps?.isKept === true) this.#checkPlace(event, tracked, cores);
    this.#checkTurn(event, tracked, cores, segment);
    this.#expect(!tracked.isCancelled, 'a cancelled job does not start', event);
    this.#expect(segment.from === tracked.stepsDone, 'a segment begins where the last one ended', event);
    this.#expect(segment.steps >= 1 && segment.from + segment.steps <= steps, 'a segment has steps of its job', event);
    tracked.granted = segment.steps;
    this.#expect(tracked.losses < this.#plan.attemptsMax, 'a job is started only so often', event);
    this.#checkStatefulOrder(event, tracked);
    tracked.phase = 'running';
    tracked.cores = cores;
  }

  #checkServed(event: Event, { stream, model }: Extract<Decision, { kind: 'variant' }>): void {
    const own = this.#streams.get(stream);
    const isOne =
      model === null || model === own?.model || this.#plan.variants?.some((row) => row.stream === stream && row.model === model);
    this.#expect(isOne === true, 'a stream is served with its model or one of its variants', event);
    const mayShed =
      own?.criticality !== 'safety' ||
      this.#plan.modes?.some(({ streams }) => streams.some((row) => row.stream === stream && row.model === null));
    this.#expect(model !== null || mayShed === true, 'safety is not shed unless a mode says so', event);
    if (model === null) this.#shed.add(stream);
    else this.#shed.delete(stream);
  }

  #chunksOf(job: Job): number {
    const steps = rowFor(this.#plan.models, job.model, job.stream)?.steps;
    return steps?.kind === 'tokens' ? Math.ceil((job.turn?.promptTokens ?? 1) / steps.chunkTokens) : 1;
  }

  /** What a job has come to stays on its cores, where the model keeps it there. */
  #checkPlace(event: Event, tracked: Tracked, cores: readonly CoreId[]): void {
    const isThere =
      tracked.keptOn.length === 0 || (tracked.keptOn.length === cores.length && cores.every((core) => tracked.keptOn.includes(core)));
    this.#expect(isThere, 'a job goes on where it is kept', event);
    tracked.keptOn = cores;
  }

  /** Chunks and tokens are not mixed, tokens do not come before the listener takes them, and a turn is one of so many. */
  #checkTurn(
    event: Event,
    tracked: Tracked,
    cores: readonly CoreId[],
    { from, steps }: { readonly from: number; readonly steps: number },
  ): void {
    const { job } = tracked;
    const plan = rowFor(this.#plan.models, job.model, job.stream)?.steps;
    if (plan?.kind !== 'tokens') return;
    const chunks = this.#chunksOf(job);
    this.#expect(from >= chunks || from + steps <= chunks, 'a segment reads or answers', event);
    this.#expect(from < chunks || steps <= plan.burstTokens, 'a burst has its bound', event);
    const alive = [...this.#jobs.values()].filter((other) => other.job.stream === job.stream && other.phase !== 'ended');
    for (const core of cores) {
      const open = alive.filter(({ keptOn }) => keptOn.includes(core));
      this.#expect(open.length <= (plan.turnsMax ?? 1), 'a core has room for so many turns of a stream', event);
    }
    const { perSecondMax } = this.#streams.get(job.stream)?.tokens ?? {};
    if (perSecondMax === undefined || from < chunks) return;
    // The last token of the segment may come once those before it have had their time.
    const dueAt = (tracked.firstTokenAt ?? 0) + ((from + steps - chunks) * 1e6) / perSecondMax;
    this.#expect(event.at >= dueAt - 1, 'an answer is not ahead of its listener', event);
  }

  #checkStatefulOrder(event: Event, tracked: Tracked): void {
    if (this.#streams.get(tracked.job.stream)?.isStateful !== true) return;
    for (const other of this.#jobs.values()) {
      if (other.job.stream !== tracked.job.stream || other === tracked) continue;
      this.#expect(other.phase !== 'running', 'a stateful stream runs one job at a time', event);
      this.#expect(other.phase !== 'waiting' || other.job.id > tracked.job.id, 'a stateful stream runs in order', event);
    }
  }

  #checkOutcome(event: Event, tracked: Tracked, outcome: Outcome): void {
    const { deadlineAt } = tracked.job;
    const at = tracked.firstTokenAt ?? event.at;
    const isCancelled = outcome.kind === 'dropped' && outcome.reason === 'cancelled';
    if (outcome.kind === 'done') this.#expect(event.kind === 'decoded' && at <= deadlineAt, 'done is in time', event);
    if (outcome.kind === 'late') this.#expect(event.kind === 'decoded' && at > deadlineAt, 'late is after the deadline', event);
    this.#expect(!isCancelled || tracked.isCancelled, 'only who was cancelled ends so', event);
    this.#expect(!tracked.isCancelled || isCancelled || outcome.kind !== 'done', 'who was cancelled is not done', event);
    const isAnswer = tracked.firstTokenAt !== undefined && outcome.kind === 'dropped' && !isCancelled;
    this.#expect(!isAnswer || outcome.reason === 'stopping', 'an answer is not given up', event);
  }

  #checkBounds(event: Event): void {
    if (event.kind !== 'arrived' && event.kind !== 'core-lost') return;
    const waiting = new Map<StreamId, number>();
    for (const [id, tracked] of this.#jobs) {
      if (tracked.phase === 'ended') this.#jobs.delete(id);
      if (tracked.phase === 'waiting' && tracked.stepsDone === 0)
        waiting.set(tracked.job.stream, (waiting.get(tracked.job.stream) ?? 0) + 1);
    }
    for (const [id, count] of waiting) {
      const freshness = this.#streams.get(id)?.freshness;
      this.#expect(count <= (freshness?.kind === 'queue' ? freshness.jobsMax : 1), `stream ${id} keeps its bound (${count} wait)`, event);
    }
  }

  #job(id: JobId): Tracked {
    const tracked = this.#jobs.get(id);
    if (tracked === undefined) throw new Error(`job ${id} is unknown or has ended`);
    return tracked;
  }

  #expect(isTrue: boolean, invariant: string, event: Event): void {
    if (!isTrue) throw new Error(`${invariant}; broken by ${JSON.stringify(event)}`);
  }
}

/** How many jobs of each stream ended how, as `done`, `dropped infeasible` and so on. */
export type Tally = ReadonlyMap<StreamId, ReadonlyMap<string, number>>;

export function tallyOf(steps: readonly Step[]): Tally {
  const streams = new Map<JobId, StreamId>();
  const tally = new Map<StreamId, Map<string, number>>();
  for (const { event, decisions } of steps) {
    if (event.kind === 'arrived') streams.set(event.job.id, event.job.stream);
    for (const decision of decisions) {
      if (decision.kind !== 'end') continue;
      const { outcome } = decision;
      const label = 'reason' in outcome ? `${outcome.kind} ${outcome.reason}` : outcome.kind;
      const stream = streams.get(decision.job) ?? 'unknown';
      const row = tally.get(stream) ?? new Map<string, number>();
      row.set(label, (row.get(label) ?? 0) + 1);
      tally.set(stream, row);
    }
  }
  return tally;
}
