import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../../core/errors.ts';
import { isFiniteEverywhere } from '../../core/finite.ts';
import type { JobId } from '../../core/job.ts';
import type { StateSpec } from '../../core/model.ts';
import type { FailReason } from '../../core/outcome.ts';
import type { Region } from '../../core/region.ts';
import type { LoadableModel } from './protocol.ts';
import { arenaTensor, constantTensor, crossingTensor, regionMismatch, zeroTensor } from './tensors.ts';

/** A row of blocks of one job, as the runtime asks for it. A network that is not cut has one. */
export interface BlockRun {
  readonly job: JobId;
  /** The first block, counted from 0 through the whole job. */
  readonly from: number;
  readonly steps: number;
  readonly inputs: readonly Region[];
  readonly outputs: readonly Region[];
}

/** Blocks that were run, and whether the job's outputs are in their regions. */
export interface BlocksDone {
  readonly kind: 'done';
  readonly steps: number;
  readonly isLast: boolean;
}

/** Why a run gave nothing usable; the session stays as it was, its states included. */
export interface RunFailure {
  readonly kind: 'failed';
  readonly reason: FailReason;
  readonly message: string;
}

/** A network that is open on this core, with its states and constants and what half-done jobs have come to. */
export interface NetworkSession {
  /** After each block that is not the last one, `isYieldAsked` may end it. */
  run(run: BlockRun, isYieldAsked: () => boolean): Promise<BlocksDone | RunFailure>;
  /** The job has ended, whatever it had come to. */
  forget(job: JobId): void;
  release(): Promise<void>;
}

/** Half-done jobs of one network at once: one for each stream that uses it is what the scheduler makes. Past that the oldest is forgotten, and fails when it goes on. */
export const HALF_DONE_MAX = 8;

/** What a job has come to: all that crosses from a block to a later one, and which is the next. */
interface HalfDone {
  next: number;
  readonly crossing: ReadonlyMap<string, Tensor>;
}

interface State {
  readonly spec: StateSpec;
  current: Tensor;
  next: Tensor;
}

/** One session a block, in the order of the network; each reads what it needs by name: inputs of the network, and outputs of those before it. */
export function createNetworkSession(blocks: readonly InferenceSession[], model: LoadableModel, arena: ArrayBuffer): NetworkSession {
  const constants = new Map(model.constants.map((spec) => [spec.name, constantTensor(spec)]));
  const states: State[] = model.states.map((spec) => ({ spec, current: zeroTensor(spec.input), next: zeroTensor(spec.output) }));
  const crossing = crossingNames(blocks);
  const halfDone = new Map<JobId, HalfDone>();
  /** Memory of jobs that are over. */
  const spare: HalfDone[] = [];

  const begin = (job: JobId): HalfDone => {
    forget(job);
    const [oldest] = halfDone.keys();
    if (halfDone.size >= HALF_DONE_MAX && oldest !== undefined) forget(oldest);
    const fresh = spare.pop() ?? { next: 0, crossing: crossingTensors(blocks, crossing) };
    fresh.next = 0;
    halfDone.set(job, fresh);
    return fresh;
  };

  const forget = (job: JobId): void => {
    const known = halfDone.get(job);
    if (known === undefined) return;
    halfDone.delete(job);
    spare.push(known);
  };

  /** Undefined when it went well. */
  const runBlock = async (block: number, tensors: Tensors, progress: HalfDone): Promise<RunFailure | undefined> => {
    const session = blocks[block] as InferenceSession;
    const feeds: Record<string, Tensor> = {};
    const fetches: Record<string, Tensor> = {};
    for (const name of session.inputNames) {
      // An output of the network may be read by a later block as well.
      const tensor = tensors.inputs.get(name) ?? constants.get(name) ?? tensors.outputs.get(name) ?? progress.crossing.get(name);
      if (tensor !== undefined) feeds[name] = tensor;
    }
    for (const name of session.outputNames) {
      const tensor = tensors.outputs.get(name) ?? progress.crossing.get(name);
      if (tensor !== undefined) fetches[name] = tensor;
    }
    try {
      await session.run(feeds, fetches);
      return undefined;
    } catch (thrown) {
      return failureOf(thrown);
    }
  };

  const finish = ({ outputs }: Tensors): BlocksDone | RunFailure => {
    for (const [name, { data }] of outputs) {
      if (data instanceof Float32Array && !isFiniteEverywhere(data)) {
        const message = `the output ${JSON.stringify(name)} of ${model.id} has a value that is NaN or infinite`;
        return { kind: 'failed', reason: 'non-finite', message };
      }
    }
    for (const state of states) [state.current, state.next] = [state.next, state.current];
    return { kind: 'done', steps: 0, isLast: true };
  };

  return {
    async run({ job, from, steps, inputs, outputs }, isYieldAsked) {
      const mismatch = regionMismatch('input', model.inputs, inputs, arena) ?? regionMismatch('output', model.outputs, outputs, arena);
      if (mismatch !== undefined) return { kind: 'failed', reason: 'wrong-shape', message: mismatch };
      const progress = from === 0 ? begin(job) : halfDone.get(job);
      if (progress === undefined || progress.next !== from) {
        forget(job);
        return {
          kind: 'failed',
          reason: 'device-error',
          message: `what job ${job} had come to by block ${from} of ${model.id} is not here`,
        };
      }
      const tensors = tensorsOf(model, states, { inputs, outputs }, arena);
      // A network that could be cut into fewer blocks than the plan has does nothing in the others.
      const end = Math.min(from + steps, blocks.length);
      for (let block = from; block < end; block += 1) {
        const failure = await runBlock(block, tensors, progress);
        if (failure !== undefined) {
          forget(job);
          return failure;
        }
        progress.next = block + 1;
        if (block + 1 < end && isYieldAsked()) break;
      }
      if (progress.next < blocks.length) return { kind: 'done', steps: progress.next - from, isLast: false };
      forget(job);
      const finished = finish(tensors);
      return finished.kind === 'failed' ? finished : { ...finished, steps };
    },
    forget,
    async release() {
      for (const block of blocks) await block.release();
    },
  };
}

/** By name, what a job reads and what it gives, the network's states among them. */
interface Tensors {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly outputs: ReadonlyMap<string, Tensor>;
}

function tensorsOf(
  model: LoadableModel,
  states: readonly State[],
  regions: { readonly inputs: readonly Region[]; readonly outputs: readonly Region[] },
  arena: ArrayBuffer,
): Tensors {
  const inputs = new Map(model.inputs.map((spec, index) => [spec.name, arenaTensor(spec, arena, regions.inputs[index])]));
  const outputs = new Map(model.outputs.map((spec, index) => [spec.name, arenaTensor(spec, arena, regions.outputs[index])]));
  for (const { spec, current, next } of states) {
    inputs.set(spec.input.name, current);
    outputs.set(spec.output.name, next);
  }
  return { inputs, outputs };
}

/** Outputs of a block that a later one reads. */
function crossingNames(blocks: readonly InferenceSession[]): ReadonlySet<string> {
  const made = new Set<string>();
  const crossing = new Set<string>();
  for (const block of blocks) {
    for (const name of block.inputNames) if (made.has(name)) crossing.add(name);
    for (const name of block.outputNames) made.add(name);
  }
  return crossing;
}

function crossingTensors(blocks: readonly InferenceSession[], crossing: ReadonlySet<string>): ReadonlyMap<string, Tensor> {
  const metadata = blocks.flatMap((block) => block.outputMetadata).filter(({ name }) => crossing.has(name));
  return new Map(metadata.map((value) => [value.name, crossingTensor(value)]));
}

/** The ONNX Runtime tells a preallocated output of another shape than the one computed in words only. */
function failureOf(thrown: unknown): RunFailure {
  const message = messageOf(thrown);
  return { kind: 'failed', reason: /shape/i.test(message) ? 'wrong-shape' : 'device-error', message };
}
