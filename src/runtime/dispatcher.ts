import type { Arena } from '../core/arena.ts';
import { assert, assertNever } from '../core/assert.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Decision, Steps } from '../core/decision.ts';
import type { Event } from '../core/event.ts';
import { IdMap } from '../core/id-map.ts';
import type { CoreId, Job, JobId } from '../core/job.ts';
import type { Mode } from '../core/mode.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { Outcome } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { ResultItem } from '../core/result.ts';
import type { SegmentEnd } from '../core/segment.ts';
import type { StreamId } from '../core/stream.ts';
import { type DurationUs, elapsedUs, type InstantUs } from '../core/units.ts';
import type { Device } from '../devices/device.ts';
import type { DecodeListener, Work } from '../pipeline/work.ts';
import { allocateTensors, releaseTensors, sizesOf } from './tensors.ts';

/** Watches what is decided and what comes of it; it may count and write down, never change. A segment on several cores is told for each of them. */
export interface DispatchObserver {
  decided(event: Event, decisions: readonly Decision[], tookUs: DurationUs): void;
  segmentStarted(core: CoreId, model: ModelId, at: InstantUs): void;
  segmentEnded(core: CoreId, job: Job, end: SegmentEnd, at: InstantUs): void;
  /** The core is told to leave off. */
  interrupted(how: 'yield' | 'abort'): void;
  decodeFailed(job: Job, message: string): void;
  /** From now on jobs of the stream are made for this model; null: it is not served. */
  servedWith(stream: StreamId, model: ModelId | null, mode: Mode): void;
  ended(job: Job, outcome: Outcome, at: InstantUs): void;
}

export interface DispatcherDeps {
  readonly clock: Clock;
  readonly device: Device;
  readonly arena: Arena;
  readonly models: ReadonlyMap<ModelId, ModelSpec>;
  /** The scheduler: synchronous, and the only one who decides. */
  readonly step: (event: Event) => readonly Decision[];
  readonly observer: DispatchObserver;
}

/** An Event that is stamped anew when it had to wait for its turn, so that instants never go back. */
type Stamped<E> = E extends { readonly at: InstantUs } ? Omit<E, 'at'> & { at: InstantUs } : never;
type Telling = Stamped<Event>;

type StartDecision = Extract<Decision, { readonly kind: 'start' }>;

/** Of a model that is not cut. */
const WHOLE: Steps = { from: 0, steps: 1 };

const NOTHING: readonly ResultItem[] = [];

/** A job under way, which waits for its results. */
class Entry implements DecodeListener {
  readonly work: Work;
  readonly #onDecoded: (entry: Entry, answer: readonly ResultItem[] | Error) => void;
  /** Allocated at the first start and kept over a requeue. */
  outputs: readonly Region[] | undefined;
  /** Of its segment that runs. */
  core: CoreId = 0;
  others: readonly CoreId[] | undefined;
  startedAt: InstantUs;
  /** Whether a core may keep what it has come to. */
  isBegun = false;
  items = NOTHING;

  constructor(work: Work, at: InstantUs, onDecoded: (entry: Entry, answer: readonly ResultItem[] | Error) => void) {
    this.work = work;
    this.startedAt = at;
    this.#onDecoded = onDecoded;
  }

  decoded(answer: readonly ResultItem[] | Error): void {
    this.#onDecoded(this, answer);
  }
}

/** What a core is at, and how it says that it has done it: made once, since it runs one segment at a time. */
interface Lane {
  entry: Entry | undefined;
  readonly onEnd: (end: SegmentEnd) => void;
}

/**
 * Carries Events to the scheduler and its Decisions out to the device. It decides nothing itself.
 *
 *     submit, coreBack, coreLost, stop ──▶ #tell ──Event──▶ step ──Decision──▶ #carryOut ──▶ device.run ──▶ segment-done ─┐
 *                                            ▲                                                                           │
 *                                            └──────────── decoded ◀── work.decode(outputs) ◀────────────────────────────┘
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #entries = new IdMap<Entry>();
  /** By model: the sizes of its outputs. */
  readonly #outputSizes: ReadonlyMap<ModelId, readonly number[]>;
  /** By core, of those that led a segment. */
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #tellings: Telling[] = [];
  #isTelling = false;
  #timer: Timer | undefined;
  readonly #onDecoded = (entry: Entry, answer: readonly ResultItem[] | Error): void => this.#decoded(entry, answer);
  readonly #onTimer = (): void => this.#tell({ kind: 'timer', at: this.#now() });

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#outputSizes = new Map([...deps.models].map(([id, model]) => [id, sizesOf(model.outputs)]));
  }

  /** Jobs handed in and not yet ended. */
  get jobsUnderWay(): number {
    return this.#entries.size;
  }

  submit(work: Work): void {
    const entry = new Entry(work, this.#now(), this.#onDecoded);
    assert(this.#entries.add(work.job.id, entry), 'a job is submitted once', work.job.id);
    this.#tell({ kind: 'arrived', at: this.#now(), job: work.job });
  }

  /** Nobody wants the job any more. */
  cancel(job: JobId): void {
    this.#tell({ kind: 'cancel', at: this.#now(), job });
  }

  coreBack(core: CoreId, models: readonly ModelId[]): void {
    this.#tell({ kind: 'core-back', at: this.#now(), core, models });
  }

  coreLost(core: CoreId, reason: 'core-crashed' | 'core-hung'): void {
    this.#tell({ kind: 'core-lost', at: this.#now(), core, reason });
  }

  setMode(mode: Mode): void {
    this.#tell({ kind: 'mode', at: this.#now(), mode });
  }

  /** No more arrivals: waiting jobs are dropped, running ones end. */
  stop(): void {
    this.#tell({ kind: 'stopping', at: this.#now() });
  }

  dispose(): void {
    this.#timer?.cancel();
  }

  /** Events wait for their turn while the decisions of an earlier one are carried out, since those may cause new events at once. */
  #tell(telling: Telling): void {
    if (this.#isTelling) {
      this.#tellings.push(telling);
      return;
    }
    this.#isTelling = true;
    this.#take(telling);
    while (this.#tellings.length > 0) {
      const next = this.#tellings.shift() as Telling;
      next.at = this.#now();
      this.#take(next);
    }
    this.#isTelling = false;
  }

  #take(event: Event): void {
    const decisions = this.#deps.step(event);
    const tookUs = elapsedUs(event.at, this.#now());
    // First what was decided, since a core waits for it; then the books.
    for (const decision of decisions) this.#carryOut(decision);
    this.#deps.observer.decided(event, decisions, tookUs);
    if (event.kind !== 'segment-done' || event.progress?.isLast === false) return;
    const entry = this.#entries.get(event.job);
    // One that was cancelled has ended by now.
    if (entry !== undefined) this.#decode(entry);
  }

  #carryOut(decision: Decision): void {
    switch (decision.kind) {
      case 'start':
        return this.#start(decision);
      case 'end':
        return this.#end(decision.job, decision.outcome);
      case 'timer':
        this.#timer?.cancel();
        this.#timer = this.#deps.clock.at(decision.wakeAt, this.#onTimer);
        return;
      case 'yield':
        this.#deps.observer.interrupted('yield');
        return this.#deps.device.yield(decision.core);
      case 'abort':
        this.#deps.observer.interrupted('abort');
        return this.#deps.device.abort(decision.core);
      case 'variant':
        return this.#deps.observer.servedWith(decision.stream, decision.model, decision.mode);
      case 'hold':
        return;
      default:
        return assertNever(decision);
    }
  }

  #start({ core, others, job: id, killAt, segment = WHOLE, model: cheaper }: StartDecision): void {
    const { clock, device, observer } = this.#deps;
    const entry = this.#entry(id);
    const { job, inputs, task } = entry.work;
    // A variant that a job may be switched to takes and gives the same as its own model.
    const model = cheaper ?? job.model;
    entry.outputs ??= allocateTensors(this.#deps.arena, this.#sizesOf(model));
    if (entry.outputs === undefined) return this.#tell({ kind: 'segment-failed', at: this.#now(), core, job: id, reason: 'no-memory' });
    entry.core = core;
    entry.others = others;
    entry.startedAt = clock.now();
    observer.segmentStarted(core, model, entry.startedAt);
    if (others !== undefined) for (const other of others) observer.segmentStarted(other, model, entry.startedAt);
    const { from, steps } = segment;
    const { stream, turn } = job;
    const lane = this.#laneOf(core);
    lane.entry = entry;
    device.run(core, { job: id, stream, from, steps, model, inputs, outputs: entry.outputs, killAt, turn, task, others }, lane.onEnd);
  }

  #laneOf(core: CoreId): Lane {
    const known = this.#lanes[core];
    if (known !== undefined) return known;
    const lane: Lane = { entry: undefined, onEnd: (end) => this.#segmentEnded(lane, end) };
    this.#lanes[core] = lane;
    return lane;
  }

  #segmentEnded(lane: Lane, end: SegmentEnd): void {
    const { entry } = lane;
    assert(entry !== undefined, 'a segment ends once');
    lane.entry = undefined;
    const { core, others, work, startedAt } = entry;
    const { id } = work.job;
    const now = this.#now();
    const { observer } = this.#deps;
    observer.segmentEnded(core, work.job, end, now);
    if (others !== undefined) for (const other of others) observer.segmentEnded(other, work.job, end, now);
    if (end.kind === 'done') {
      entry.isBegun = end.progress?.isLast === false;
      // What the core was taken for, start to told: that is what the next job behind it has to wait.
      const ranUs = elapsedUs(startedAt, now);
      return this.#tell({ kind: 'segment-done', at: now, core, job: id, ranUs, progress: end.progress });
    }
    // A lost core is told as such, with its job, once the device says so.
    if (end.reason === 'core-crashed' || end.reason === 'core-hung') return;
    this.#tell({ kind: 'segment-failed', at: now, core, job: id, reason: end.reason });
  }

  #decode(entry: Entry): void {
    const { work, outputs } = entry;
    assert(outputs !== undefined, 'a job that ran has outputs', work.job.id);
    work.decode(outputs, entry);
  }

  #decoded(entry: Entry, answer: readonly ResultItem[] | Error): void {
    const { job } = entry.work;
    if (answer instanceof Error) {
      this.#deps.observer.decodeFailed(job, answer.message);
      return this.#tell({ kind: 'decode-failed', at: this.#now(), job: job.id });
    }
    entry.items = answer;
    this.#tell({ kind: 'decoded', at: this.#now(), job: job.id });
  }

  #end(id: JobId, outcome: Outcome): void {
    const entry = this.#entries.remove(id);
    assert(entry !== undefined, 'a job under way ends', id);
    if (entry.outputs !== undefined) releaseTensors(this.#deps.arena, entry.outputs);
    if (entry.work.task !== undefined || entry.isBegun) this.#deps.device.forget?.(id);
    this.#deps.observer.ended(entry.work.job, outcome, this.#deps.clock.now());
    entry.work.settle(outcome, entry.items);
  }

  #now(): InstantUs {
    return this.#deps.clock.now();
  }

  #sizesOf(model: ModelId): readonly number[] {
    const sizes = this.#outputSizes.get(model);
    assert(sizes !== undefined, 'a model is in the manifest', model);
    return sizes;
  }

  #entry(id: JobId): Entry {
    const entry = this.#entries.get(id);
    assert(entry !== undefined, 'a job is under way', id);
    return entry;
  }
}
