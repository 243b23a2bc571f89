import { assert } from '../../src/core/assert.ts';
import { after, type Clock, type Timer } from '../../src/core/clock.ts';
import { CoxswainError } from '../../src/core/errors.ts';
import type { CoreId } from '../../src/core/job.ts';
import { type ModelId, type ModelSpec, tensorBytes } from '../../src/core/model.ts';
import type { FailReason } from '../../src/core/outcome.ts';
import type { Segment, SegmentEnd } from '../../src/core/segment.ts';
import { type DurationUs, durationUs, type InstantUs } from '../../src/core/units.ts';
import type { CoreHealth, CoreLoss, CoreState, Device, DeviceListener, Preemption } from '../../src/devices/device.ts';

/** What one run does. A run that would take beyond its `killAt` is killed there, whatever it is. */
export type Behaviour =
  | { readonly kind: 'ok'; readonly costUs: DurationUs }
  | { readonly kind: 'fail'; readonly costUs: DurationUs; readonly reason: FailReason }
  | { readonly kind: 'crash'; readonly costUs: DurationUs }
  | { readonly kind: 'hang' };

export const ok = (costUs: number): Behaviour => ({ kind: 'ok', costUs: durationUs(costUs) });
export const nonFinite = (costUs: number): Behaviour => ({ kind: 'fail', costUs: durationUs(costUs), reason: 'non-finite' });
export const hang: Behaviour = { kind: 'hang' };

export interface ScriptedDeviceOptions {
  readonly cores: readonly CoreId[];
  /** `nth` counts the runs of this core from 0, through all of its lives. */
  readonly script: (core: CoreId, segment: Segment, nth: number) => Behaviour;
  /** Default: 'none'. */
  readonly preemption?: Preemption;
  /** Time from `start` to ready; default 200 ms. */
  readonly startUs?: DurationUs;
  /** Time of one `load`; default 50 ms. */
  readonly loadUs?: DurationUs;
  /** Time from a kill to its end; default 8 ms, as measured for SIGKILL. */
  readonly killUs?: DurationUs;
  /** The `nth` start of a core (from 0) fails with this instead; default: none does. */
  readonly failStart?: (core: CoreId, nth: number) => CoxswainError | undefined;
  /** The `nth` load of a core (from 0, all lives) fails with this instead; default: none does. */
  readonly failLoad?: (core: CoreId, model: ModelSpec, nth: number) => CoxswainError | undefined;
  /** Called when a run ends well, before its end is told: writes outputs into the arena, say. */
  readonly compute?: (core: CoreId, segment: Segment) => void;
}

/** A run as it was begun. */
export interface ScriptedRun {
  readonly core: CoreId;
  readonly segment: Segment;
  readonly startedAt: InstantUs;
}

export interface ScriptedDevice extends Device {
  /** Every run begun, in order. */
  readonly runs: readonly ScriptedRun[];
  /** The core crashes now, idle or not; does nothing to a lost one. */
  crash(core: CoreId): void;
}

/** A Device that computes nothing and behaves as scripted, on any Clock; with a SimClock the same script gives the same history to the microsecond. */
export function createScriptedDevice(
  options: ScriptedDeviceOptions,
  deps: { readonly clock: Clock; readonly listener: DeviceListener },
): ScriptedDevice {
  const runs: ScriptedRun[] = [];
  const cores = new Map(options.cores.map((id) => [id, new ScriptedCore(id, options, { ...deps, runs })]));
  const coreOf = (id: CoreId): ScriptedCore => {
    const core = cores.get(id);
    assert(core !== undefined, `core ${id} is one of this device`);
    return core;
  };
  return {
    cores: [...options.cores],
    preemption: options.preemption ?? 'none',
    canSplit: false,
    yield: () => undefined,
    abort: () => undefined,
    conditions: () => ({ bandwidthRatio: undefined, dieC: undefined }),
    runs,
    start: (core, onEnd) => coreOf(core).start(onEnd),
    load: (core, model, onEnd) => coreOf(core).load(model, onEnd),
    run(core, segment, onEnd) {
      if (segment.others === undefined) coreOf(core).run(segment, onEnd);
      else after(deps.clock, durationUs(0), () => onEnd({ kind: 'failed', reason: 'device-error', message: 'not split by script' }));
    },
    kill: (core) => coreOf(core).lose('killed', options.killUs ?? KILL_US),
    crash: (core) => coreOf(core).lose('crashed', durationUs(0)),
    health: (core) => coreOf(core).health(),
    async dispose() {
      // By promise and not by clock: a simulation that has ended steps no more.
      await Promise.resolve();
      for (const core of cores.values()) core.dispose();
    },
  };
}

const START_US = durationUs(200_000);
const LOAD_US = durationUs(50_000);
const KILL_US = durationUs(8000);

interface CoreDeps {
  readonly clock: Clock;
  readonly listener: DeviceListener;
  readonly runs: ScriptedRun[];
}

type Work =
  | { readonly kind: 'load'; readonly model: ModelSpec; readonly onEnd: (error: CoxswainError | undefined) => void }
  | { readonly kind: 'run'; readonly segment: Segment; readonly onEnd: (end: SegmentEnd) => void };

class ScriptedCore {
  readonly #id: CoreId;
  readonly #options: ScriptedDeviceOptions;
  readonly #deps: CoreDeps;
  #state: CoreState = 'lost';
  #isDying = false;
  #isDisposed = false;
  readonly #models = new Map<ModelId, ModelSpec>();
  readonly #timers = new Set<Timer>();
  #onStarted: ((error: CoxswainError | undefined) => void) | undefined;
  /** In the order asked for; the first is under way. */
  #work: Work[] = [];
  #startCount = 0;
  #loadCount = 0;
  #runCount = 0;

  constructor(id: CoreId, options: ScriptedDeviceOptions, deps: CoreDeps) {
    this.#id = id;
    this.#options = options;
    this.#deps = deps;
  }

  start(onEnd: (error: CoxswainError | undefined) => void): void {
    assert(this.#state === 'lost' && !this.#isDisposed, `core ${this.#id} is started only while lost`);
    this.#state = 'starting';
    this.#onStarted = onEnd;
    const error = this.#options.failStart?.(this.#id, this.#startCount++);
    this.#after(this.#options.startUs ?? START_US, () => {
      this.#onStarted = undefined;
      this.#state = error === undefined ? 'ready' : 'lost';
      onEnd(error);
    });
  }

  load(model: ModelSpec, onEnd: (error: CoxswainError | undefined) => void): void {
    this.#add({ kind: 'load', model, onEnd });
  }

  run(segment: Segment, onEnd: (end: SegmentEnd) => void): void {
    assert(!this.#work.some(({ kind }) => kind === 'run'), `core ${this.#id} runs one segment at a time`);
    this.#add({ kind: 'run', segment, onEnd });
  }

  lose(reason: CoreLoss['reason'], delay: DurationUs): void {
    if (this.#state === 'lost' || this.#isDying) return;
    this.#isDying = true;
    this.#cancelTimers();
    this.#after(delay, () => {
      const wasStarting = this.#onStarted !== undefined;
      this.#endAll(reason);
      if (!wasStarting) this.#deps.listener.coreLost({ core: this.#id, reason, message: `core ${this.#id} ${reason} by script` });
    });
  }

  health(): CoreHealth {
    const state = this.#isDying ? 'lost' : this.#state;
    return { core: this.#id, state, pid: undefined, models: [...this.#models.keys()], pssBytes: undefined };
  }

  dispose(): void {
    if (!this.#isDisposed && this.#state !== 'lost') this.#endAll('killed');
    this.#cancelTimers();
    this.#isDisposed = true;
  }

  #behave(behaviour: Exclude<Behaviour, { kind: 'hang' }>, segment: Segment, startedAt: InstantUs): void {
    switch (behaviour.kind) {
      case 'ok':
        this.#options.compute?.(this.#id, segment);
        this.#endRun({ kind: 'done', startedAt, endedAt: this.#deps.clock.now() });
        break;
      case 'fail':
        this.#endRun({ kind: 'failed', reason: behaviour.reason, message: `${behaviour.reason} by script` });
        break;
      case 'crash':
        this.lose('crashed', durationUs(0));
        break;
    }
  }

  #add(work: Work): void {
    assert(this.#state === 'ready' && !this.#isDisposed, `core ${this.#id} is given work only while ready`);
    this.#work.push(work);
    if (this.#work.length === 1) this.#begin();
  }

  #begin(): void {
    const work = this.#work[0];
    if (work === undefined || this.#isDying) return;
    if (work.kind === 'run') {
      this.#beginRun(work.segment);
      return;
    }
    const error = this.#options.failLoad?.(this.#id, work.model, this.#loadCount++);
    this.#after(this.#options.loadUs ?? LOAD_US, () => {
      if (error === undefined) this.#models.set(work.model.id, work.model);
      this.#next();
      work.onEnd(error);
    });
  }

  #beginRun(segment: Segment): void {
    const { clock, runs } = this.#deps;
    const startedAt = clock.now();
    runs.push({ core: this.#id, segment, startedAt });
    const refusal = this.#refusal(segment);
    if (refusal !== undefined) {
      this.#after(durationUs(0), () => this.#endRun(refusal));
      return;
    }
    const behaviour = this.#options.script(this.#id, segment, this.#runCount++);
    // The end is asked for before the kill, so that a run which takes exactly until `killAt` has ended by then.
    if (behaviour.kind !== 'hang') this.#after(behaviour.costUs, () => this.#behave(behaviour, segment, startedAt));
    this.#timers.add(clock.at(segment.killAt, () => this.lose('hung', this.#options.killUs ?? KILL_US)));
  }

  #endRun(end: SegmentEnd): void {
    const work = this.#next();
    assert(work?.kind === 'run', 'a run ends only while it is under way');
    work.onEnd(end);
  }

  /** Takes the piece of work that has ended off and begins the next. */
  #next(): Work | undefined {
    this.#cancelTimers();
    const work = this.#work.shift();
    this.#begin();
    return work;
  }

  /** What the real device refuses as well, so that a simulated runtime is held to it. */
  #refusal(segment: Segment): SegmentEnd | undefined {
    const model = this.#models.get(segment.model);
    if (model === undefined)
      return { kind: 'failed', reason: 'model-unavailable', message: `${segment.model} is not loaded on core ${this.#id}` };
    const specs = [...model.inputs, ...model.outputs];
    const regions = [...segment.inputs, ...segment.outputs];
    const doFit = segment.inputs.length === model.inputs.length && specs.length === regions.length;
    if (doFit && specs.every((spec, index) => tensorBytes(spec) === regions[index]?.byteLength)) return undefined;
    return { kind: 'failed', reason: 'wrong-shape', message: `the regions are not those that ${segment.model} needs` };
  }

  #endAll(reason: CoreLoss['reason']): void {
    const isHung = reason === 'hung';
    const message = `core ${this.#id} ${reason} by script`;
    const onStarted = this.#onStarted;
    const work = this.#work;
    this.#state = 'lost';
    this.#isDying = false;
    this.#onStarted = undefined;
    this.#work = [];
    this.#models.clear();
    onStarted?.(new CoxswainError('CORE_START_FAILED', message));
    for (const piece of work) {
      if (piece.kind === 'run') piece.onEnd({ kind: 'failed', reason: isHung ? 'core-hung' : 'core-crashed', message });
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
