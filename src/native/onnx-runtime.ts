import { createRequire } from 'node:module';
import { assert } from '../core/assert.ts';
import { CoxswainError, messageOf } from '../core/errors.ts';

type Koffi = typeof import('koffi');
type Pointer = bigint;

/** `ONNXTensorElementDataType`; float16 is given as its bits. */
export type TensorData = Float32Array | Uint16Array | BigInt64Array;

/** A tensor over the caller's memory, as the library knows it. */
export interface NativeTensor {
  /** To be called once, and never while it is used. */
  release(): void;
}

export interface NativeSessionOptions {
  /** Names of what is fed and what is wanted, in the order in which `run` is given them. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly threads: number;
  /** Entries of the session's configuration by their full key, such as `session.intra_op.allow_spinning`. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface NativeSession {
  /** `data` is held, and stays where it is; as many elements as `dims` say. */
  wrap(data: TensorData, dims: readonly number[]): NativeTensor;
  /** Runs on the calling thread, to the end. Outputs are written where they lie, which may be where an input lies. Throws an Error in the library's words. */
  run(inputs: readonly NativeTensor[], outputs: readonly NativeTensor[]): void;
  release(): void;
}

export interface OnnxRuntime {
  readonly version: string;
  /** `model`: the bytes of a graph, or a path, where its weights lie beside and are to be mapped. Throws an Error in the library's words. */
  open(model: Uint8Array | string, options: NativeSessionOptions): NativeSession;
}

/**
 * Places in `OrtApi` of onnxruntime_c_api.h. The library promises that they never change: newer functions are added behind. Those before 102 are of its first version,
 * AddSessionConfigEntry is of its fifth.
 */
const PLACES = {
  GetErrorMessage: [2, 'const char *(uintptr_t status)'],
  CreateEnv: [3, 'uintptr_t (int severity, const char *name, _Out_ uintptr_t *env)'],
  CreateSession: [7, 'uintptr_t (uintptr_t env, const char *path, uintptr_t options, _Out_ uintptr_t *session)'],
  CreateSessionFromArray: [
    8,
    'uintptr_t (uintptr_t env, const uint8_t *model, size_t length, uintptr_t options, _Out_ uintptr_t *session)',
  ],
  Run: [
    9,
    'uintptr_t (uintptr_t session, uintptr_t options, const uint64_t *inputNames, const uint64_t *inputs, size_t inputCount, const uint64_t *outputNames, size_t outputCount, uint64_t *outputs)',
  ],
  CreateSessionOptions: [10, 'uintptr_t (_Out_ uintptr_t *options)'],
  SetSessionLogSeverityLevel: [22, 'uintptr_t (uintptr_t options, int level)'],
  SetSessionGraphOptimizationLevel: [23, 'uintptr_t (uintptr_t options, int level)'],
  SetIntraOpNumThreads: [24, 'uintptr_t (uintptr_t options, int count)'],
  SetInterOpNumThreads: [25, 'uintptr_t (uintptr_t options, int count)'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'uintptr_t (uintptr_t memory, uintptr_t data, size_t length, const int64_t *shape, size_t axes, int type, _Out_ uintptr_t *value)',
  ],
  CreateCpuMemoryInfo: [69, 'uintptr_t (int allocator, int kind, _Out_ uintptr_t *info)'],
  ReleaseStatus: [93, 'void (uintptr_t status)'],
  ReleaseSession: [95, 'void (uintptr_t session)'],
  ReleaseValue: [96, 'void (uintptr_t value)'],
  ReleaseSessionOptions: [100, 'void (uintptr_t options)'],
  AddSessionConfigEntry: [130, 'uintptr_t (uintptr_t options, const char *key, const char *value)'],
} as const;

type Api = Readonly<Record<keyof typeof PLACES, (...values: unknown[]) => number | bigint | string>>;

/** The oldest version of the interface that has all of them; a library gives every one up to its own. */
const API_VERSION = 17;

/** What goes wrong is thrown; the log would say it again on the standard error output. */
const LOG_FATAL = 4;
const OPTIMIZE_ALL = 99;
const POINTER_BYTES = 8;

/**
 * The C interface of ONNX Runtime in the library at `path`, the one that onnxruntime-node brings. Its binding to JavaScript copies every output into new memory, a
 * language model's whole cache with each token; here tensors stay where they are (docs/decisions/0012). Error: NATIVE_UNAVAILABLE.
 */
export function openOnnxRuntime(path: string): OnnxRuntime {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    return bind(koffi, path);
  } catch (thrown) {
    const message = `ONNX Runtime at ${path} could not be called through koffi: ${messageOf(thrown)}. Install again with npm ci.`;
    throw new CoxswainError('NATIVE_UNAVAILABLE', message, { cause: thrown });
  }
}

function bind(koffi: Koffi, path: string): OnnxRuntime {
  const loaded = koffi.load(path);
  const base = loaded.func('void *OrtGetApiBase()')() as unknown;
  const functionAt = (table: unknown, place: number, prototype: string): ((...values: unknown[]) => unknown) =>
    koffi.decode(koffi.decode(table, place * POINTER_BYTES, 'void *'), koffi.proto(prototype)) as (...values: unknown[]) => unknown;
  const table = functionAt(base, 0, 'void *(uint32_t version)')(API_VERSION);
  const version = String(functionAt(base, 1, 'const char *()')());
  if (table === null) throw new Error(`version ${version} does not have its interface ${API_VERSION}`);
  const api = Object.fromEntries(
    Object.entries(PLACES).map(([name, [place, prototype]]) => [name, functionAt(table, place, prototype)]),
  ) as unknown as Api;
  const env = created(api, (out) => api.CreateEnv(LOG_FATAL, 'coxswain', out));
  const memory = created(api, (out) => api.CreateCpuMemoryInfo(0, 0, out));
  return { version, open: (model, options) => new Session({ koffi, api, memory, loaded }, openSession(api, env, model, options), options) };
}

interface Library {
  readonly koffi: Koffi;
  readonly api: Api;
  readonly memory: Pointer;
  /** Held: koffi unloads a library with its object, and the next call would jump into nothing. */
  readonly loaded: unknown;
}

function check(api: Api, status: unknown): void {
  if (BigInt(status as number) === 0n) return;
  const message = String(api.GetErrorMessage(status));
  api.ReleaseStatus(status);
  throw new Error(message);
}

function created(api: Api, make: (out: unknown[]) => unknown): Pointer {
  const out: unknown[] = [null];
  check(api, make(out));
  return BigInt(out[0] as number);
}

function openSession(api: Api, env: Pointer, model: Uint8Array | string, { threads, settings }: NativeSessionOptions): Pointer {
  const options = created(api, (out) => api.CreateSessionOptions(out));
  try {
    check(api, api.SetSessionLogSeverityLevel(options, LOG_FATAL));
    check(api, api.SetSessionGraphOptimizationLevel(options, OPTIMIZE_ALL));
    check(api, api.SetIntraOpNumThreads(options, threads));
    check(api, api.SetInterOpNumThreads(options, 1));
    for (const [key, value] of Object.entries(settings)) check(api, api.AddSessionConfigEntry(options, key, value));
    if (typeof model === 'string') return created(api, (out) => api.CreateSession(env, model, options, out));
    return created(api, (out) => api.CreateSessionFromArray(env, model, model.length, options, out));
  } finally {
    api.ReleaseSessionOptions(options);
  }
}

class Tensor implements NativeTensor {
  readonly value: Pointer;
  /** Held for as long as the library looks at it. */
  readonly data: TensorData;
  readonly #api: Api;
  #isReleased = false;

  constructor(api: Api, value: Pointer, data: TensorData) {
    this.#api = api;
    this.value = value;
    this.data = data;
  }

  release(): void {
    assert(!this.#isReleased, 'a tensor is released once');
    this.#isReleased = true;
    this.#api.ReleaseValue(this.value);
  }
}

class Session implements NativeSession {
  readonly #library: Library;
  readonly #session: Pointer;
  readonly #inputNames: BigUint64Array;
  readonly #outputNames: BigUint64Array;
  readonly #inputs: BigUint64Array;
  readonly #outputs: BigUint64Array;
  /** The names themselves, and memory for tensors without elements. */
  readonly #texts: Buffer[] = [];
  readonly #nothing = new Uint8Array(new ArrayBuffer(POINTER_BYTES));

  constructor(library: Library, session: Pointer, { inputs, outputs }: NativeSessionOptions) {
    this.#library = library;
    this.#session = session;
    this.#inputNames = this.#pointersTo(inputs);
    this.#outputNames = this.#pointersTo(outputs);
    this.#inputs = new BigUint64Array(inputs.length);
    this.#outputs = new BigUint64Array(outputs.length);
  }

  wrap(data: TensorData, dims: readonly number[]): Tensor {
    const count = dims.reduce((product, size) => product * size, 1);
    assert(data.length === count, 'a tensor has as many elements as its shape', data.length);
    const { api, memory } = this.#library;
    const shape = BigInt64Array.from(dims, BigInt);
    const address = this.#addressOf(count === 0 ? this.#nothing : data);
    const type = data instanceof Float32Array ? 1 : data instanceof Uint16Array ? 10 : 7;
    const value = created(api, (out) =>
      api.CreateTensorWithDataAsOrtValue(memory, address, data.byteLength, shape, dims.length, type, out),
    );
    return new Tensor(api, value, data);
  }

  run(inputs: readonly NativeTensor[], outputs: readonly NativeTensor[]): void {
    fill(this.#inputs, inputs);
    fill(this.#outputs, outputs);
    const { api } = this.#library;
    const status = api.Run(
      this.#session,
      0,
      this.#inputNames,
      this.#inputs,
      this.#inputs.length,
      this.#outputNames,
      this.#outputs.length,
      this.#outputs,
    );
    check(api, status);
  }

  release(): void {
    this.#library.api.ReleaseSession(this.#session);
  }

  #addressOf(data: TensorData | Uint8Array): Pointer {
    return BigInt(this.#library.koffi.address(data) as number | bigint);
  }

  #pointersTo(names: readonly string[]): BigUint64Array {
    return BigUint64Array.from(names, (name) => {
      const text = Buffer.from(new ArrayBuffer(Buffer.byteLength(name) + 1));
      text.write(name);
      this.#texts.push(text);
      return this.#addressOf(text);
    });
  }
}

function fill(values: BigUint64Array, tensors: readonly NativeTensor[]): void {
  assert(tensors.length === values.length, 'a run is given as many tensors as the session has names', tensors.length);
  for (let index = 0; index < values.length; index += 1) {
    const tensor = tensors[index];
    assert(tensor instanceof Tensor, 'a tensor was wrapped by a session');
    values[index] = tensor.value;
  }
}
