import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { LanguageShape, ManifestModel } from '../config/runtime-config.ts';
import { CoxswainError } from '../core/errors.ts';
import type { LayerCost, NumberType } from '../core/layer-cost.ts';
import type { SocProfile } from '../core/soc-profile.ts';
import { externalSizeBeside } from '../models/external-size.ts';
import { createLanguageModel, type LanguageModel } from '../models/language/language-model.ts';
import { pyramidLayers } from '../models/network/described-network.ts';
import { openInputs } from '../models/onnx-graph/bind-inputs.ts';
import { layerCosts } from '../models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../models/onnx-graph/read-onnx-graph.ts';
import { requireManifestHash } from './manifest-hash.ts';

/** `onnx`: from the graph in the file. `shape`: from the manifest's description. `cost-ms`: from its run time alone, since there is no file. */
export const COST_ORIGINS = ['onnx', 'shape', 'cost-ms'] as const;
export type CostOrigin = (typeof COST_ORIGINS)[number];

/** What a model's layers ask for, and how that is known. */
export interface ModelCosts {
  readonly model: string;
  readonly layers: readonly LayerCost[];
  /** What it keeps in memory beside its weights, such as a KV cache; of a language model for each conversation. */
  readonly stateBytes?: number;
  /** Weights that no run reads as a whole, and that lie in memory all the same: the table of an embedding. */
  readonly tableBytes?: number;
  /** Of a language model: what reading a prompt and making a token ask for. `layers` are those of a token at the end of the context. */
  readonly language?: LanguageCosts;
  /** Of a model that is judged as a whole elsewhere, these layers are a part: nobody asks whether a core can address them. */
  readonly isPart?: true;
  readonly origin: CostOrigin;
  /** One sentence without a full stop, for people. */
  readonly told: string;
}

export interface LanguageCosts extends Pick<LanguageModel, 'prefillLayers' | 'decodeLayers'> {
  readonly contextTokens: number;
}

/**
 * Multiply-accumulates per second of the machine whose run times stand in the manifest as costMs: NanoDet did 2.09e9 in 24 ms, M-LSD 4.22e9 in 55 ms, one
 * thread of an x86-64 with AVX2.
 */
const COST_MS_MACS_PER_SECOND = 80e9;

/**
 * Costs of one run of a model when its numbers are stored in this type. A missing file is stood in for by costMs, and told; a file that is there must be the
 * manifest's. Errors: FILE_UNREADABLE, MODEL_HASH_MISMATCH, MODEL_UNLOADABLE, CONFIG_INVALID (sizes left open).
 */
export function costsOf(model: ManifestModel, storedAs: NumberType): ModelCosts {
  const { shape } = model;
  if (shape?.kind === 'network') {
    const layers = pyramidLayers(shape, storedAs);
    return { model: model.id, layers, origin: 'shape', told: `a pyramid of layers with the published size (${model.origin})` };
  }
  if (shape?.kind === 'language') {
    const language = languageModelOf(shape);
    const layers = language.decodeLayers(1, shape.context);
    return {
      model: model.id,
      layers,
      tableBytes: Math.max(0, language.weightBytes - weightBytesOf(layers)),
      stateBytes: language.kvBytesPerToken * shape.context,
      language: { ...language, contextTokens: shape.context },
      origin: 'shape',
      told: `one token at ${shape.context} tokens of context, by its shape (${model.origin})`,
    };
  }
  const bytes = bytesOf(model);
  if (bytes === undefined) return costFromMs(model, storedAs);
  const graph = readOnnxGraph(bytes, { name: model.id, externalSize: externalSizeBeside(model.file) });
  const tensors = [...model.inputs, ...model.states.map(({ input }) => input), ...model.constants];
  const shapes = Object.fromEntries(tensors.map(({ name, shape: sizes }) => [name, sizes]));
  const open = openInputs(graph.inputs, { shapes }).map(({ name }) => name);
  if (open.length > 0)
    throw new CoxswainError(
      'CONFIG_INVALID',
      `model ${model.id}: ${relative(process.cwd(), model.file)} leaves sizes of its inputs open: ${open.join(', ')}; give each in the manifest, under inputs, states or constants, with its shape`,
    );
  const { layers, unknown, weightBytes } = layerCosts(graph, {
    storedAs,
    isFused: true,
    shapes,
    values: Object.fromEntries(model.constants.map(({ name, values }) => [name, values])),
  });
  const unknownText = unknown.map(({ operator, count }) => `${count} x ${operator}`).join(', ');
  const told = `the graph of ${relative(process.cwd(), model.file)}, its floats stored as ${storedAs}`;
  return {
    model: model.id,
    layers,
    tableBytes: Math.max(0, weightBytes - weightBytesOf(layers)),
    origin: 'onnx',
    told: unknownText === '' ? told : `${told}; not counted, since not understood: ${unknownText}`,
  };
}

/** Of those that a run reads. */
export const weightBytesOf = (layers: readonly LayerCost[]): number => layers.reduce((sum, { weightBytes }) => sum + weightBytes, 0);

/** Of weights and state, of one conversation where it has any. */
export const residentBytesOf = ({ layers, stateBytes = 0, tableBytes = 0 }: ModelCosts): number =>
  weightBytesOf(layers) + tableBytes + stateBytes;

/** What float models are converted to unless told otherwise. */
export const storedAsOn = ({ core }: Pick<SocProfile, 'core'>): NumberType => (core.opsPerSecond.int8 === undefined ? 'fp16' : 'int8');

export const languageModelOf = ({
  kind: _,
  context: _context,
  contextMax: _contextMax,
  headSize,
  ...shape
}: LanguageShape): LanguageModel => createLanguageModel({ ...shape, ...(headSize === undefined ? {} : { headSize }) });

function bytesOf({ id, file, sha256 }: ManifestModel): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CoxswainError('FILE_UNREADABLE', `model ${id}: ${file} cannot be read`, { cause: thrown });
  }
  requireManifestHash({ id, file }, createHash('sha256').update(bytes).digest('hex'), sha256);
  return bytes;
}

/** One layer that fits any array, with the multiply-accumulates that the run time stands for; what it moves is not known and not counted. */
function costFromMs(model: ManifestModel, type: NumberType): ModelCosts {
  const macs = Math.round((model.costUs / 1e6) * COST_MS_MACS_PER_SECOND);
  const side = Math.max(1, Math.round(Math.cbrt(macs)));
  const layer: LayerCost = {
    ...{ name: 'all', operator: 'costMs', type, macs, m: macs / side ** 2, n: side, k: side, groups: 1 },
    ...{ elementOps: 0, weightBytes: 0, inputBytes: 0, outputBytes: 0 },
  };
  const ms = model.costUs / 1000;
  const told = `costMs ${ms} of the manifest at ${COST_MS_MACS_PER_SECOND / 1e9} GMAC/s, without memory traffic, since ${relative(process.cwd(), model.file)} is missing (npm run samples)`;
  return { model: model.id, layers: [layer], origin: 'cost-ms', told };
}
