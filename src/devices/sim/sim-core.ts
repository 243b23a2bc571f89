import { assert } from '../../core/assert.ts';
import { after, type Clock, type Timer } from '../../core/clock.ts';
import { CoxswainError } from '../../core/errors.ts';
import type { CoreId, JobId } from '../../core/job.ts';
import { type ModelId, type ModelSpec, tensorBytes } from '../../core/model.ts';
import type { FailReason } from '../../core/outcome.ts';
import type { Region } from '../../core/region.ts';
import type { Segment, SegmentEnd } from '../../core/segment.ts';
import { addUs, type DurationUs, durationUs, type InstantUs } from '../../core/units.ts';
import type { CoreHealth, CoreLoss, CoreState, DeviceListener } from '../device.ts';
import type { ModelSteps, OpenedModel } from './model-steps.ts';
import type { Run } from './running.ts';
import type { SimChip } from './sim-chip.ts';

export interface SimCoreOptions {
  readonly id: CoreId;
  readonly startUs: DurationUs;
  readonly killUs: DurationUs;
}

/** How a run that was begun shall go. */
export type Mischief = 'hang' | 'wrong';

export interface SimCoreDeps {
  readonly clock: Clock;
  readonly listener: DeviceListener;
  readonly chip: SimChip;
  /** An error for a model that cannot be loaded. */
  readonly open: (model: ModelSpec) => OpenedModel | CoxswainError;
  /** The others of the device. */
  readonly peer: (core: CoreId) => SimCore;
  /** Takes the mischief prepared for the next run of this core, if any. */
  readonly mischief: (core: CoreId) => Mischief | undefined;
  /** Where the answer to a turn ends, which nobody else knows; undefined: at the turn's own limit. */
  readonly answerTokens: (job: JobId) => number | undefined;
}

type Work =
  | { readonly kind: 'load'; readonly model: ModelSpec; readonly onEnd: (error: CoxswainError | undefined) => void }
  | RunWork
  /** Taken by a run that another core leads. */
  | { readonly kind: 'part'; readonly lead: SimCore };

interface RunWork {
  readonly kind: 'run';
  readonly segment: Segment;
  readonly others: readonly SimCore[];
  readonly onEnd: (end: SegmentEnd) => void;
}

interface Loaded {
  readonly opened: OpenedModel;
  /** Bytes of each region that a segment has to bring. */
  readonly inputSizes: readonly number[];
  readonly outputSizes: readonly number[];
}

/** The segment under way, which the chip has as well. */
interface Under extends Run {
  readonly work: RunWork;
  readonly segment: Segment;
  readonly model: OpenedModel;
  /** Whose fault it is when it does not end. */
  readonly culprit: SimCore;
  readonly steps: ModelSteps;
  readonly isReload: boolean;
  readonly isWrong: boolean;
  readonly startedAt: InstantUs;
  /** Of the whole job, as many as it really has. */
  readonly count: number;
  /** Steps that it will have run at its end; fewer than asked for once it was told to yield. */
  ends: number;
  /** When it will have been stopped, once that was asked for. */
  abortedAt: InstantUs | undefined;
}

/** The life of one simulated core; what its segments take is the chip's. */
export class SimCore {
  readonly #options: SimCoreOptions;
  readonly #deps: SimCoreDeps;
  #state: CoreState = 'lost';
  #isDying = false;
  #isDisposed = false;
  readonly #models = new Map<ModelId, Loaded>();
  readonly #timers = new Set<Timer>();
  #onStarted: ((error: CoxswainError | undefined) => void) | undefined;
  /** In the order asked for; the first is under way. */
  #work: Work[] = [];
  #under: Under | undefined;
  readonly #onRunEnd = (how: 'done' | 'overdue'): void => this.#runEnded(how);
  /** What ran here last. */
  #lastJob: JobId | undefined;

  constructor(options: SimCoreOptions, deps: SimCoreDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  start(onEnd: (error: CoxswainError | undefined) => void): void {
    assert(this.#state === 'lost' && !this.#isDisposed, 'a core is started only while lost', this.#options.id);
    this.#state = 'starting';
    this.#onStarted = onEnd;
    this.#after(this.#options.startUs, () => {
      this.#onStarted = undefined;
      this.#state = 'ready';
      onEnd(undefined);
    });
  }

  load(model: ModelSpec, onEnd: (error: CoxswainError | undefined) => void): void {
    this.#add({ kind: 'load', model, onEnd });
  }

  run(segment: Segment, onEnd: (end: SegmentEnd) => void): void {
    this.#assertIdle();
    const others = segment.others === undefined ? ALONE : segment.others.map(this.#deps.peer);
    for (const other of others) {
      assert(other !== this, 'a core leads others than itself', this.#options.id);
      other.#assertIdle();
      other.#add({ kind: 'part', lead: this });
    }
    this.#add({ kind: 'run', segment, others, onEnd });
  }

  yield(): void {
    const under = this.#under;
    if (under === undefined || this.#isDying) return;
    this.#deps.chip.shorten(this.#options.id, (progress) => {
      const { segment, steps } = under;
      const ends = steps.ends(segment.from, under.ends);
      const ran = 1 + ends.findIndex((end) => progress < end);
      if (ran === 0 || ran >= under.ends) return undefined;
      under.ends = ran;
      return { cost: steps.cost(segment.from, ran, under.isReload), progress: Math.min(1, progress / (ends[ran - 1] as number)) };
    });
  }

  /** The steps that were complete by now count. */
  abort(abortUs: DurationUs): void {
    const under = this.#under;
    const { chip } = this.#deps;
    if (under === undefined || this.#isDying) return;
    const progress = chip.progress(this.#options.id);
    const ran = under.steps.ends(under.segment.from, under.ends).filter((end) => end <= progress).length;
    chip.abort(this.#options.id);
    under.abortedAt = addUs(this.#deps.clock.now(), abortUs);
    this.#after(abortUs, () => this.#endRun(under.work, this.#done(under, ran)));
  }

  /** When the job that it leads will be complete as things stand; infinite when there is none, or when its segment leaves something of it. */
  completesAt(): number {
    const under = this.#under;
    if (under === undefined || under.segment.from + under.ends < under.count) return Number.POSITIVE_INFINITY;
    return under.abortedAt ?? this.#deps.chip.endsAt(this.#options.id);
  }

  kill(): void {
    this.#lose('killed', this.#options.killUs);
  }

  crash(): void {
    this.#lose('crashed', durationUs(0));
  }

  health(): CoreHealth {
    const state = this.#isDying ? 'lost' : this.#state;
    return { core: this.#options.id, state, pid: undefined, models: [...this.#models.keys()], pssBytes: undefined };
  }

  dispose(): void {
    if (!this.#isDisposed && this.#state !== 'lost') this.#endAll('killed');
    this.#cancelTimers();
    this.#isDisposed = true;
  }

  #lose(reason: CoreLoss['reason'], delay: DurationUs): void {
    if (this.#state === 'lost' || this.#isDying) return;
    this.#isDying = true;
    this.#cancelTimers();
    this.#deps.chip.abort(this.#options.id);
    for (const piece of this.#work) if (piece.kind === 'part') this.#deps.chip.abort(piece.lead.#options.id);
    this.#after(delay, () => {
      const wasStarting = this.#onStarted !== undefined;
      this.#endAll(reason);
      if (!wasStarting) this.#deps.listener.coreLost({ core: this.#options.id, reason, message: lossText(this.#options.id, reason) });
    });
  }

  #add(work: Work): void {
    assert(this.#state === 'ready' && !this.#isDisposed, 'a core is given work only while ready', this.#options.id);
    this.#work.push(work);
    if (this.#work.length === 1) this.#begin();
  }

  #begin(): void {
    const work = this.#work[0];
    if (work === undefined || work.kind === 'part' || this.#isDying) return;
    if (work.kind === 'run') return this.#beginRun(work);
    const opened = this.#deps.open(work.model);
    const error = opened instanceof CoxswainError ? opened : undefined;
    this.#after(opened instanceof CoxswainError ? durationUs(0) : opened.loadUs, () => {
      if (!(opened instanceof CoxswainError)) {
        const { id, inputs, outputs } = work.model;
        this.#models.set(id, { opened, inputSizes: inputs.map(tensorBytes), outputSizes: outputs.map(tensorBytes) });
      }
      this.#work.shift();
      this.#begin();
      work.onEnd(error);
    });
  }

  #beginRun(work: RunWork): void {
    const { clock, chip } = this.#deps;
    const core = this.#options.id;
    const { segment, others } = work;
    const loaded = this.#models.get(segment.model);
    const refusal = this.#refusalOf(segment, loaded) ?? this.#refusalAmong(others, segment);
    if (refusal !== undefined) {
      this.#after(durationUs(0), () => this.#endRun(work, refusal));
      return;
    }
    assert(loaded !== undefined, 'a run of a model that is not loaded is refused');
    const model = loaded.opened;
    const otherIds = segment.others ?? NO_CORES;
    const { from } = segment;
    const steps = model.stepsOn(core, otherIds, segment.turn);
    const isReload = this.#begins(segment, others);
    const mischief = this.#mischief(others);
    const count = this.#countOf(segment, steps);
    // What is asked of an answer that ends sooner is not run.
    const ends = Math.min(segment.steps, count - from);
    const under: Under = {
      core,
      others: otherIds,
      cost: steps.cost(from, ends, isReload),
      stream: segment.stream,
      killAt: segment.killAt,
      isHung: mischief?.how === 'hang',
      onEnd: this.#onRunEnd,
      work,
      segment,
      model,
      culprit: mischief?.culprit ?? this,
      steps,
      isReload,
      isWrong: mischief?.how === 'wrong',
      startedAt: clock.now(),
      count,
      ends,
      abortedAt: undefined,
    };
    this.#under = under;
    chip.begin(under);
  }

  #runEnded(how: 'done' | 'overdue'): void {
    const under = this.#under;
    assert(under !== undefined, 'what ends was under way');
    if (how === 'overdue') return under.culprit.#lose('hung', this.#options.killUs);
    const end = this.#done(under, under.ends);
    if (end.progress?.isLast !== false) under.model.ran(under.steps);
    this.#endRun(under.work, under.isWrong ? WRONG : end);
  }

  #countOf({ job, turn }: Segment, { count }: ModelSteps): number {
    if (turn === undefined) return count;
    return count - turn.tokensMax + Math.min(turn.tokensMax, this.#deps.answerTokens(job) ?? turn.tokensMax);
  }

  /** True when one of its cores has to fetch what the job left. */
  #begins({ from, job }: Segment, others: readonly SimCore[]): boolean {
    let isReload = from > 0 && this.#lastJob !== job;
    this.#lastJob = job;
    for (const other of others) {
      if (from > 0 && other.#lastJob !== job) isReload = true;
      other.#lastJob = job;
    }
    return isReload;
  }

  /** Prepared for any of its cores. */
  #mischief(others: readonly SimCore[]): { readonly how: Mischief; readonly culprit: SimCore } | undefined {
    const own = this.#deps.mischief(this.#options.id);
    if (own !== undefined) return { how: own, culprit: this };
    for (const culprit of others) {
      const how = this.#deps.mischief(culprit.#options.id);
      if (how !== undefined) return { how, culprit };
    }
    return undefined;
  }

  /** Of a model in one step, nothing is said of steps. */
  #done({ segment, steps, startedAt, count }: Under, ran: number): Extract<SegmentEnd, { kind: 'done' }> {
    const progress = steps.count === 1 ? undefined : { steps: ran, isLast: segment.from + ran === count };
    return { kind: 'done', startedAt, endedAt: this.#deps.clock.now(), progress };
  }

  /** The next piece of work begins before the end is told, as on the real device. Does nothing when the run has ended meanwhile. */
  #endRun(work: RunWork, end: SegmentEnd): void {
    if (!this.#drop(work)) return;
    this.#under = undefined;
    for (const other of work.others) other.#leave(this);
    this.#begin();
    work.onEnd(end);
  }

  /** A core that took part is lost. */
  #loseRun(reason: FailReason, message: string): void {
    for (const work of this.#work) if (work.kind === 'run') return this.#endRun(work, { kind: 'failed', reason, message });
  }

  #leave(lead: SimCore): void {
    const part = this.#work.find((piece) => piece.kind === 'part' && piece.lead === lead);
    if (part !== undefined && this.#drop(part)) this.#begin();
  }

  #drop(work: Work): boolean {
    const place = this.#work.indexOf(work);
    if (place < 0) return false;
    // Mostly it is the only one, and then nothing has to be moved.
    if (place === this.#work.length - 1) this.#work.pop();
    else this.#work.splice(place, 1);
    return true;
  }

  #assertIdle(): void {
    for (const { kind } of this.#work) assert(kind === 'load', 'a core runs one segment at a time', this.#options.id);
  }

  /** What the real device refuses as well, so that a simulated runtime is held to it. */
  #refusalOf(segment: Segment, model: Loaded | undefined): SegmentEnd | undefined {
    if (model === undefined)
      return { kind: 'failed', reason: 'model-unavailable', message: `${segment.model} is not loaded on core ${this.#options.id}` };
    if (areThose(segment.inputs, model.inputSizes) && areThose(segment.outputs, model.outputSizes)) return undefined;
    return { kind: 'failed', reason: 'wrong-shape', message: `the regions are not those that ${segment.model} needs` };
  }

  #refusalAmong(others: readonly SimCore[], segment: Segment): SegmentEnd | undefined {
    for (const other of others) {
      const refusal = other.#refusalOf(segment, other.#models.get(segment.model));
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  #endAll(reason: CoreLoss['reason']): void {
    const isHung = reason === 'hung';
    const message = lossText(this.#options.id, reason);
    const onStarted = this.#onStarted;
    const work = this.#work;
    this.#state = 'lost';
    this.#isDying = false;
    this.#onStarted = undefined;
    this.#work = [];
    this.#under = undefined;
    this.#lastJob = undefined;
    this.#models.clear();
    onStarted?.(new CoxswainError('CORE_START_FAILED', message));
    const failReason = isHung ? 'core-hung' : 'core-crashed';
    for (const piece of work) {
      if (piece.kind === 'run') {
        for (const other of piece.others) other.#leave(this);
        piece.onEnd({ kind: 'failed', reason: failReason, message });
      } else if (piece.kind === 'part') piece.lead.#loseRun(failReason, message);
      else piece.onEnd(new CoxswainError(isHung ? 'CORE_HUNG' : 'CORE_CRASHED', message));
    }
  }

  #after(delay: DurationUs, task: () => void): void {
    const timer = after(this.#deps.clock, delay, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  #cancelTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}

const ALONE: readonly SimCore[] = [];
const NO_CORES: readonly CoreId[] = [];

const WRONG: SegmentEnd = { kind: 'failed', reason: 'non-finite', message: 'an output was not finite, by simulated fault' };

const lossText = (core: CoreId, reason: CoreLoss['reason']): string =>
  `simulated core ${core} ${reason === 'hung' ? 'did not end in time' : `was ${reason}`}`;

function areThose(regions: readonly Region[], sizes: readonly number[]): boolean {
  if (regions.length !== sizes.length) return false;
  for (let index = 0; index < sizes.length; index += 1) if (regions[index]?.byteLength !== sizes[index]) return false;
  return true;
}
