import { InferenceSession, Tensor } from 'onnxruntime-node';
import { CoxswainError, messageOf } from '../../core/errors.ts';
import { isFiniteEverywhere } from '../../core/finite.ts';
import { type ConstantSpec, type StateSpec, TENSOR_TYPE_BYTES, type TensorSpec, tensorBytes, tensorElements } from '../../core/model.ts';
import type { FailReason } from '../../core/outcome.ts';
import type { Region } from '../../core/region.ts';
import { contractViolations } from './contract.ts';
import { readRegularFile, readVerifiedModel, sha256Of } from './model-file.ts';
import type { LoadableModel, OptimizedCopy } from './protocol.ts';

/** Why a run gave nothing usable; the session stays as it was, its states included. */
export interface RunFailure {
  readonly reason: FailReason;
  readonly message: string;
}

/** A model that is open on this core, with its states and constants. */
export interface ModelSession {
  /** Undefined when the run went well and its outputs are in their regions. */
  run(inputs: readonly Region[], outputs: readonly Region[]): Promise<RunFailure | undefined>;
  release(): Promise<void>;
}

/**
 * Opens a model from `copy` if that is given and holds what it should, else from its file. Never runs it: a core that comes back must be ready soon.
 * Errors: MODEL_MISSING, MODEL_HASH_MISMATCH, MODEL_UNLOADABLE, MODEL_CONTRACT.
 */
export async function openModelSession(
  model: LoadableModel,
  options: { readonly threads: number; readonly copy: OptimizedCopy | undefined; readonly saveCopyAs: string | undefined },
  arena: ArrayBuffer,
): Promise<{ readonly session: ModelSession; readonly hasUsedCopy: boolean; readonly savedCopy: string | undefined }> {
  if (options.copy !== undefined) {
    const session = await openCopy(model, options.copy, options.threads);
    if (session !== undefined) return { session: createModelSession(session, model, arena), hasUsedCopy: true, savedCopy: undefined };
  }
  const bytes = readVerifiedModel(model.file, model.sha256);
  const session = await create(model, bytes, { ...sessionOptions(options.threads), ...savingOptions(options.saveCopyAs) });
  checkContract(model, session);
  return { session: createModelSession(session, model, arena), hasUsedCopy: false, savedCopy: digestOf(options.saveCopyAs) };
}

/** A copy is a shortcut: whatever is wrong with it, the original decides. */
async function openCopy(model: LoadableModel, copy: OptimizedCopy, threads: number): Promise<InferenceSession | undefined> {
  try {
    const session = await create(model, readVerifiedModel(copy.file, copy.sha256), {
      ...sessionOptions(threads),
      graphOptimizationLevel: 'disabled',
    });
    checkContract(model, session);
    return session;
  } catch (thrown) {
    if (thrown instanceof CoxswainError) return undefined;
    throw thrown;
  }
}

const sessionOptions = (threads: number): InferenceSession.SessionOptions => ({
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // Errors only: converted models print a warning for every unused initialiser.
  logSeverityLevel: 3,
  extra: {
    session: {
      // Without it, signed int8 weights are silently wrong on CPUs without VNNI (17.6 % RMS error measured).
      x64quantprecision: '1',
      // Spinning helper threads would take time from the other cores.
      intra_op: { allow_spinning: '0' },
    },
  },
});

const savingOptions = (file: string | undefined): InferenceSession.SessionOptions =>
  file === undefined ? {} : { optimizedModelFilePath: file };

function digestOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return sha256Of(readRegularFile(file));
  } catch {
    // A full disk, say: the model is open all the same, the next core will optimise it again.
    return undefined;
  }
}

async function create(model: LoadableModel, bytes: Uint8Array, options: InferenceSession.SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, options);
  } catch (thrown) {
    throw new CoxswainError('MODEL_UNLOADABLE', `The ONNX Runtime could not open ${model.file}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

function checkContract(model: LoadableModel, session: InferenceSession): void {
  const violations = contractViolations(model, session.inputMetadata, session.outputMetadata);
  if (violations.length === 0) return;
  void session.release();
  throw new CoxswainError(
    'MODEL_CONTRACT',
    `${model.file} is not what its manifest entry ${JSON.stringify(model.id)} says: ${violations.join('; ')}.`,
  );
}

interface State {
  readonly spec: StateSpec;
  current: Tensor;
  next: Tensor;
}

function createModelSession(session: InferenceSession, model: LoadableModel, arena: ArrayBuffer): ModelSession {
  const constants = model.constants.map((spec) => ({ name: spec.name, tensor: constantTensor(spec) }));
  const states: State[] = model.states.map((spec) => ({ spec, current: zeroTensor(spec.input), next: zeroTensor(spec.output) }));

  return {
    async run(inputs, outputs) {
      const mismatch = regionMismatch('input', model.inputs, inputs, arena) ?? regionMismatch('output', model.outputs, outputs, arena);
      if (mismatch !== undefined) return { reason: 'wrong-shape', message: mismatch };
      const feeds: Record<string, Tensor> = {};
      const fetches: Record<string, Tensor> = {};
      for (const [index, spec] of model.inputs.entries()) feeds[spec.name] = arenaTensor(spec, arena, inputs[index]);
      for (const [index, spec] of model.outputs.entries()) fetches[spec.name] = arenaTensor(spec, arena, outputs[index]);
      for (const { name, tensor } of constants) feeds[name] = tensor;
      for (const { spec, current, next } of states) {
        feeds[spec.input.name] = current;
        fetches[spec.output.name] = next;
      }
      try {
        await session.run(feeds, fetches);
      } catch (thrown) {
        return failureOf(thrown);
      }
      for (const [name, tensor] of Object.entries(fetches)) {
        if (tensor.data instanceof Float32Array && !isFiniteEverywhere(tensor.data)) {
          return { reason: 'non-finite', message: `the output ${JSON.stringify(name)} of ${model.id} has a value that is NaN or infinite` };
        }
      }
      for (const state of states) [state.current, state.next] = [state.next, state.current];
      return undefined;
    },
    release: () => session.release(),
  };
}

function regionMismatch(side: string, specs: readonly TensorSpec[], regions: readonly Region[], arena: ArrayBuffer): string | undefined {
  if (specs.length !== regions.length) return `${regions.length} ${side} regions for ${specs.length} ${side}s`;
  for (const [index, spec] of specs.entries()) {
    const { offsetBytes, byteLength } = regions[index] as Region;
    const wanted = tensorBytes(spec);
    if (byteLength !== wanted) return `${side} ${JSON.stringify(spec.name)} has a region of ${byteLength} bytes and needs ${wanted}`;
    const isInside = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes + byteLength <= arena.byteLength;
    if (!isInside || offsetBytes % TENSOR_TYPE_BYTES[spec.type] !== 0) {
      return `${side} ${JSON.stringify(spec.name)} lies at byte ${offsetBytes} of an arena of ${arena.byteLength}`;
    }
  }
  return undefined;
}

function arenaTensor(spec: TensorSpec, arena: ArrayBuffer, region: Region | undefined): Tensor {
  return tensorOver(spec, arena, region?.offsetBytes ?? 0);
}

const zeroTensor = (spec: TensorSpec): Tensor => tensorOver(spec, new ArrayBuffer(tensorBytes(spec)), 0);

function constantTensor(spec: ConstantSpec): Tensor {
  const tensor = zeroTensor(spec);
  const { data } = tensor;
  for (const [index, value] of spec.values.entries()) {
    if (data instanceof BigInt64Array) data[index] = BigInt(value);
    else if (data instanceof Float32Array || data instanceof Uint8Array) data[index] = value;
  }
  return tensor;
}

/** A view, never a copy. */
function tensorOver(spec: TensorSpec, buffer: ArrayBuffer, offsetBytes: number): Tensor {
  const count = tensorElements(spec);
  switch (spec.type) {
    case 'float32':
      return new Tensor('float32', new Float32Array(buffer, offsetBytes, count), spec.shape);
    case 'int64':
      return new Tensor('int64', new BigInt64Array(buffer, offsetBytes, count), spec.shape);
    case 'uint8':
      return new Tensor('uint8', new Uint8Array(buffer, offsetBytes, count), spec.shape);
  }
}

/** The ONNX Runtime tells a preallocated output of another shape than the one computed in words only. */
function failureOf(thrown: unknown): RunFailure {
  const message = messageOf(thrown);
  return { reason: /shape/i.test(message) ? 'wrong-shape' : 'device-error', message };
}
