import { rmSync, writeFileSync } from 'node:fs';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { messageOf } from '../../core/errors.ts';
import { Prng } from '../../core/prng.ts';
import { type SplitGraph, splitGraph } from '../../models/onnx-graph/split-graph.ts';
import { readRegularFile, sha256Of } from './model-file.ts';
import { takeNodeRuns } from './node-runs.ts';
import type { CopyFile, LoadableModel } from './protocol.ts';
import { constantTensor, zeroTensor } from './tensors.ts';

/** A network in blocks, or whole, and why. */
export type CutNetwork =
  | { readonly kind: 'cut'; readonly blocks: readonly InferenceSession[]; readonly files: readonly CopyFile[] }
  | { readonly kind: 'whole'; readonly session: InferenceSession; readonly reason: string };

export interface CutDeps {
  /** Where the optimised graph is written, and its blocks beside it. */
  readonly saveAs: string;
  /** Opens a graph, optimising it unless told otherwise. Error: MODEL_UNLOADABLE. */
  readonly open: (graph: Uint8Array, more: InferenceSession.SessionOptions) => Promise<InferenceSession>;
  /** Error: MODEL_CONTRACT, with the session released. */
  readonly check: (session: InferenceSession) => Promise<void>;
}

/** Each node counts as it ran fastest: the first run is a slow one, and somebody else may be busy. */
const RUNS = 4;

/**
 * Opens a network, has it optimised and timed node by node, and cuts what came of it into `model.blocks` parts of about the same time. The parts are taken only if they give the same
 * bits as the whole, on noise. Errors: MODEL_UNLOADABLE, MODEL_CONTRACT, of the network as it is.
 */
export async function cutNetwork(model: LoadableModel, bytes: Uint8Array, { saveAs, open, check }: CutDeps): Promise<CutNetwork> {
  const profile = `${saveAs}.profile`;
  const whole = await open(bytes, { optimizedModelFilePath: saveAs, enableProfiling: true, profileFilePrefix: profile });
  await check(whole);
  const opened: InferenceSession[] = [];
  const feeds = noiseFor(model);
  try {
    const given = await runOften(whole, feeds);
    const runs = takeNodeRuns(profile, RUNS);
    if (runs === undefined) return { kind: 'whole', session: whole, reason: 'its runs cannot be told apart by nodes' };
    const split = splitGraph(readRegularFile(saveAs), runs, model.blocks ?? 1);
    if (split.kind === 'whole') return { kind: 'whole', session: whole, reason: split.reason };
    for (const part of split.parts) opened.push(await open(part, { graphOptimizationLevel: 'disabled' }));
    if (!isSame(given, await runAll(opened, feeds))) throw new Error('in blocks it gives other bits than whole');
    const files = save(split, saveAs);
    await whole.release();
    return { kind: 'cut', blocks: opened, files };
  } catch (thrown) {
    for (const block of opened) await block.release();
    return { kind: 'whole', session: whole, reason: messageOf(thrown) };
  }
}

/** What the last run gave. Ends the profile, whatever comes of the runs. */
async function runOften(session: InferenceSession, feeds: Values): Promise<Values> {
  try {
    for (let run = 1; run < RUNS; run += 1) await session.run(feeds);
    return (await session.run(feeds)) as Values;
  } finally {
    session.endProfiling();
  }
}

/** In place of the graph that they are of. */
function save({ parts }: SplitGraph, saveAs: string): readonly CopyFile[] {
  rmSync(saveAs);
  return parts.map((part, block) => {
    const file = `${saveAs}.${block}`;
    writeFileSync(file, part, { mode: 0o600 });
    return { file, sha256: sha256Of(part) };
  });
}

/** Whole numbers are more often places of something than amounts, so they are 0. */
function noiseFor(model: LoadableModel): Record<string, Tensor> {
  const prng = new Prng(1);
  const feeds: Record<string, Tensor> = {};
  for (const spec of model.inputs) {
    const tensor = zeroTensor(spec);
    if (tensor.data instanceof Float32Array) for (const index of tensor.data.keys()) tensor.data[index] = 2 * prng.ratio() - 1;
    feeds[spec.name] = tensor;
  }
  for (const spec of model.constants) feeds[spec.name] = constantTensor(spec);
  return feeds;
}

type Values = Readonly<Record<string, Tensor>>;

async function runAll(blocks: readonly InferenceSession[], feeds: Values): Promise<Values> {
  const values = new Map(Object.entries(feeds));
  for (const block of blocks) {
    const inputs = Object.fromEntries(block.inputNames.map((name) => [name, values.get(name) as Tensor]));
    for (const [name, tensor] of Object.entries(await block.run(inputs))) values.set(name, tensor);
  }
  return Object.fromEntries(values);
}

function isSame(whole: Values, parts: Values): boolean {
  return Object.entries(whole).every(([name, value]) => {
    const part = parts[name];
    return part !== undefined && bytesOf(value).equals(bytesOf(part));
  });
}

function bytesOf({ data }: Tensor): Buffer {
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength);
}
