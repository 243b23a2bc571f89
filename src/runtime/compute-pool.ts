import { tmpdir } from 'node:os';
import { assert } from '../core/assert.ts';
import type { Clock } from '../core/clock.ts';
import { createDeferred } from '../core/deferred.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';
import type { CoreId } from '../core/job.ts';
import { type ModelId, type ModelSpec, type TensorSpec, tensorBytes } from '../core/model.ts';
import type { FailReason } from '../core/outcome.ts';
import type { Region } from '../core/region.ts';
import type { SegmentEnd } from '../core/segment.ts';
import { addUs, durationUs } from '../core/units.ts';
import type { Device } from '../devices/device.ts';
import { createOrtDevice, type OrtCoreSettings } from '../devices/ort/ort-device.ts';
import { createSharedMemory, type SharedMemory } from '../native/shared-memory.ts';

export type Computed =
  | { readonly kind: 'done'; readonly outputs: readonly Uint8Array[] }
  | { readonly kind: 'failed'; readonly reason: FailReason; readonly message: string };

export interface ComputePoolOptions {
  /** One process each. */
  readonly cores: readonly OrtCoreSettings[];
  readonly models: readonly ModelSpec[];
}

export interface ComputePoolDeps {
  /** The machine's. */
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** Nothing waits for these runs but virtual time, so only a process that hangs for good is given up. */
const RUN_MAX_US = durationUs(120_000_000);
const TIMEOUTS = { startTimeoutUs: durationUs(60_000_000), loadTimeoutUs: durationUs(60_000_000) };

/** After so many the machine or a model is at fault, and each costs a second. */
const LOSSES_MAX = 4;

/** Of tensors, as everywhere: a cache line. */
const ALIGNMENT_BYTES = 64;

interface PoolModel {
  readonly spec: ModelSpec;
  readonly inputs: readonly Region[];
  readonly outputs: readonly Region[];
  readonly byteLength: number;
  /** The one core that runs a model with a state; the others do not load it. */
  readonly owner: CoreId | undefined;
}

interface Task {
  readonly model: PoolModel;
  readonly inputs: readonly Uint8Array[];
  readonly resolve: (computed: Computed) => void;
  readonly reject: (error: CoxswainError) => void;
}

/** Resolves when every process has loaded all models. Errors: NATIVE_UNAVAILABLE, CORE_START_FAILED and those of loading a model. */
export async function createComputePool(options: ComputePoolOptions, deps: ComputePoolDeps): Promise<ComputePool> {
  const pool = new ComputePool(options, deps);
  try {
    await pool.start();
  } catch (error) {
    await pool.close();
    throw error;
  }
  return pool;
}

/**
 * ONNX Runtime by the run, whenever a process is free: bytes in, bytes out. Runs of a model with a state are made by one process, in the order asked for, so that
 * what comes out depends on nothing but what was asked.
 */
export class ComputePool {
  readonly #cores: readonly CoreId[];
  readonly #models: ReadonlyMap<ModelId, PoolModel>;
  readonly #deps: ComputePoolDeps;
  /** A part for each core, as large as the largest model needs. */
  readonly #shared: SharedMemory;
  readonly #partBytes: number;
  readonly #device: Device;
  readonly #waiting: Task[] = [];
  readonly #idle = new Set<CoreId>();
  readonly #comingUp = new Set<CoreId>();
  #losses = 0;
  #isClosed = false;
  #failure: CoxswainError | undefined;

  constructor({ cores, models }: ComputePoolOptions, deps: ComputePoolDeps) {
    this.#cores = cores.map(({ id }) => id);
    this.#models = poolModels(models, this.#cores);
    this.#deps = deps;
    this.#partBytes = Math.max(...[...this.#models.values()].map(({ byteLength }) => byteLength));
    this.#shared = createSharedMemory(cores.length * this.#partBytes);
    const { fd, buffer } = this.#shared;
    this.#device = createOrtDevice(
      { ...TIMEOUTS, cores, arena: { fd, byteLength: buffer.byteLength }, threadsPerCore: 1, optimizedDir: tmpdir() },
      { clock: deps.clock, listener: { coreLost: ({ core, message }) => this.#restart(core, message) }, onWarning: deps.onWarning },
    );
  }

  async start(): Promise<void> {
    await Promise.all(this.#cores.map((core) => this.#bringUp(core)));
  }

  /** A run that its process does not survive has failed: device-error. Rejects when processes are lost again and again: CORE_CRASHED. */
  run(id: ModelId, inputs: readonly Uint8Array[]): Promise<Computed> {
    const model = this.#models.get(id);
    assert(model !== undefined, 'a model that is computed is one of the pool', id);
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.push({ model, inputs, resolve, reject });
      this.#advance();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#device.dispose();
    this.#shared.close();
  }

  async #bringUp(core: CoreId): Promise<void> {
    this.#comingUp.add(core);
    await told((onEnd) => this.#device.start(core, onEnd));
    for (const { spec, owner = core } of this.#models.values())
      if (owner === core) await told((onEnd) => this.#device.load(core, spec, onEnd));
    this.#comingUp.delete(core);
    this.#idle.add(core);
    this.#advance();
  }

  #advance(): void {
    for (const core of this.#idle) {
      const index = this.#waiting.findIndex(({ model: { owner = core } }) => owner === core);
      const task = index < 0 ? undefined : this.#waiting.splice(index, 1)[0];
      if (task !== undefined) this.#begin(core, task);
    }
  }

  #begin(core: CoreId, { model, inputs, resolve }: Task): void {
    this.#idle.delete(core);
    const place = this.#cores.indexOf(core) * this.#partBytes;
    const placed = ({ offsetBytes, byteLength }: Region): Region => ({ offsetBytes: place + offsetBytes, byteLength });
    const [ins, outs] = [model.inputs.map(placed), model.outputs.map(placed)];
    for (const [index, region] of ins.entries()) this.#bytes(region).set(inputs[index] ?? []);
    const killAt = addUs(this.#deps.clock.now(), RUN_MAX_US);
    const onEnd = (end: SegmentEnd): void => {
      resolve(end.kind === 'failed' ? answerOf(end) : { kind: 'done', outputs: outs.map((region) => this.#bytes(region).slice()) });
      if (isLoss(end)) return;
      this.#idle.add(core);
      this.#advance();
    };
    this.#device.run(core, { job: 0, from: 0, steps: 1, model: model.spec.id, inputs: ins, outputs: outs, killAt }, onEnd);
  }

  #restart(core: CoreId, message: string): void {
    // One that is lost on its way up is told by that.
    if (this.#comingUp.has(core) || this.#isClosed) return;
    this.#idle.delete(core);
    this.#losses += 1;
    this.#deps.onWarning(`${message}; it computed for the simulation and is started again`);
    if (this.#losses > LOSSES_MAX) return this.#fail(`${this.#losses} processes that compute were lost; the last: ${message}`);
    this.#bringUp(core).catch((thrown: unknown) => {
      this.#comingUp.delete(core);
      if (this.#device.health(core).state === 'lost') this.#restart(core, messageOf(thrown));
      else this.#fail(`a process that computes did not come back: ${messageOf(thrown)}`);
    });
  }

  #fail(message: string): void {
    this.#failure ??= new CoxswainError('CORE_CRASHED', message);
    for (const task of this.#waiting.splice(0)) task.reject(this.#failure);
  }

  #bytes({ offsetBytes, byteLength }: Region): Uint8Array {
    return new Uint8Array(this.#shared.buffer, offsetBytes, byteLength);
  }
}

/** Models with a state take turns in being dealt out. */
function poolModels(models: readonly ModelSpec[], cores: readonly CoreId[]): ReadonlyMap<ModelId, PoolModel> {
  const stateful = models.filter(({ states }) => states.length > 0);
  return new Map(
    models.map((spec) => {
      const turn = stateful.indexOf(spec);
      return [spec.id, { spec, ...layoutOf(spec), owner: turn < 0 ? undefined : cores[turn % cores.length] }];
    }),
  );
}

/** A model's tensors, one behind the other. */
function layoutOf(model: ModelSpec): Pick<PoolModel, 'inputs' | 'outputs' | 'byteLength'> {
  let end = 0;
  const next = (spec: TensorSpec): Region => {
    const region = { offsetBytes: end, byteLength: tensorBytes(spec) };
    end = Math.ceil((end + region.byteLength) / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
    return region;
  };
  const [inputs, outputs] = [model.inputs.map(next), model.outputs.map(next)];
  return { inputs, outputs, byteLength: end };
}

const isLoss = (end: SegmentEnd): boolean => end.kind === 'failed' && (end.reason === 'core-crashed' || end.reason === 'core-hung');

/** No core of the chip is lost with a process of ours: to the chip it is a run that gave an error. */
const answerOf = (end: Extract<SegmentEnd, { readonly kind: 'failed' }>): Computed =>
  isLoss(end) ? { ...end, reason: 'device-error' } : end;

async function told(ask: (onEnd: (error: CoxswainError | undefined) => void) => void): Promise<void> {
  const answer = createDeferred<void>();
  ask((error) => (error === undefined ? answer.resolve() : answer.reject(error)));
  await answer.promise;
}
