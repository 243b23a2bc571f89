import type { CoxswainError } from '../core/errors.ts';
import type { CoreId, JobId } from '../core/job.ts';
import type { ModelId, ModelSpec } from '../core/model.ts';
import type { Segment, SegmentEnd } from '../core/segment.ts';

/** What a device can take away from a running segment: nothing, the steps after the one it is at (`yield`), or that one as well (`abort`). */
export type Preemption = 'none' | 'between-steps' | 'within-step';

export type CoreState = 'starting' | 'ready' | 'lost';

export interface CoreHealth {
  readonly core: CoreId;
  readonly state: CoreState;
  /** Operating-system process that plays the core; undefined when none lives or there is no such thing. */
  readonly pid: number | undefined;
  readonly models: readonly ModelId[];
  /** Proportional share of physical memory; undefined when not known. */
  readonly pssBytes: number | undefined;
}

/** What the device knows of its surroundings; undefined where it cannot tell. */
export interface DeviceConditions {
  /** Part of the bandwidth there should be that there is. 0..1 */
  readonly bandwidthRatio: number | undefined;
  readonly dieC: number | undefined;
}

/** Why a core is gone. `killed`: by `kill`, at the caller's wish. */
export interface CoreLoss {
  readonly core: CoreId;
  readonly reason: 'crashed' | 'hung' | 'killed';
  /** For people: exit code, signal, last words on stderr. */
  readonly message: string;
}

export interface DeviceListener {
  /** Called once per loss, after the running segment's `onEnd`. The core stays lost until `start` is called again. */
  coreLost(loss: CoreLoss): void;
}

/**
 * A set of cores behind one driver. Callbacks, not promises, so that a simulated device can answer at an exact instant of a SimClock; no callback runs
 * inside the call that asked for it.
 *
 * Life of a core: `start` -> ready -> `load` models -> `run` segments, one at a time -> lost (crash, hang, `kill`) -> `start` again, empty.
 */
export interface Device {
  readonly cores: readonly CoreId[];
  readonly preemption: Preemption;
  /** Whether a segment may run on several cores at once. */
  readonly canSplit: boolean;
  /** Brings a core up with no models. Errors: CORE_START_FAILED. */
  start(core: CoreId, onEnd: (error: CoxswainError | undefined) => void): void;
  /**
   * Opens a model on a ready core, after its SHA-256, and holds it to its contract.
   * Errors: MODEL_MISSING, MODEL_HASH_MISMATCH, MODEL_UNLOADABLE, MODEL_CONTRACT; CORE_CRASHED or CORE_HUNG when the core was lost meanwhile.
   */
  load(core: CoreId, model: ModelSpec, onEnd: (error: CoxswainError | undefined) => void): void;
  /**
   * Runs one segment of a loaded model on a ready core that runs nothing else. `onEnd` is called exactly once. The segment's `others` have to be as ready and
   * idle, and are taken until it ends; `yield` and `abort` name the leading core. Is any of them lost, it ends as failed before that is told, and the
   * rest of them are idle again and live on. A device that cannot split ends it as failed: device-error.
   */
  run(core: CoreId, segment: Segment, onEnd: (end: SegmentEnd) => void): void;
  /** Asks the running segment to end after the step it is at. Does nothing where the device cannot, where none runs, or where it is at its last step. */
  yield(core: CoreId): void;
  /** Stops the running segment within its step; it ends as `done` with no steps. Does nothing where the device cannot or none runs. */
  abort(core: CoreId): void;
  /** The job has ended before its last step: what cores keep of it may go. Absent where nothing is kept. */
  forget?(job: JobId): void;
  /** Ends a core at once, whatever it does; a running segment ends as failed first. Does nothing to a core that is lost already. */
  kill(core: CoreId): void;
  health(core: CoreId): CoreHealth;
  conditions(): DeviceConditions;
  /** Ends every core: idle ones politely, busy ones by force. No callback runs after it resolves. */
  dispose(): Promise<void>;
}
