import { basename } from 'node:path';
import { createConfigFiles } from '../config/config-files.ts';
import { CoxswainError } from '../core/errors.ts';
import type { NumberType } from '../core/layer-cost.ts';
import { externalSizeBeside } from '../models/external-size.ts';
import { type BindOptions, openInputs } from '../models/onnx-graph/bind-inputs.ts';
import type { OnnxGraph } from '../models/onnx-graph/graph.ts';
import { type GraphCosts, layerCosts } from '../models/onnx-graph/layer-costs.ts';
import { readOnnxGraph } from '../models/onnx-graph/read-onnx-graph.ts';
import type { Chip } from './on-chip.ts';
import { type NetworkPlan, planNetwork } from './plan-model.ts';

/** A graph that is longer has its weights beside it. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

const typeOf = (bits: number): NumberType => (bits <= 4 ? 'int4' : bits <= 8 ? 'int8' : 'fp16');

/** A network from a file, as it is meant to run. */
export interface NetworkFile {
  readonly file: string;
  readonly graph: OnnxGraph;
  /** Of its floats. */
  readonly bits: number;
  /** Sizes that the file leaves open, by name (`input[axis]` where there is none), and numbers that inputs without axes are fed. */
  readonly dims: Readonly<Record<string, number>>;
}

/** A network from a file, and what is to be known of how it was read. */
export interface FilePlan extends NetworkPlan {
  /** What its float tensors were taken to be converted to. */
  readonly storedAs: NumberType;
  /** Operators that are in the file, and whose cost is not in the figures. */
  readonly unknown: readonly { readonly operator: string; readonly count: number }[];
}

/** A network on one core of a chip. Errors: as of `costsOfGraph`. */
export function planGraph(network: NetworkFile, chip: Chip): FilePlan {
  const { layers, weightBytes, unknown } = costsOfGraph(network);
  return {
    ...planNetwork(layers, weightBytes, chip),
    storedAs: typeOf(network.bits),
    unknown: unknown.map(({ operator, count }) => ({ operator, count })),
  };
}

/** Errors: MODEL_UNLOADABLE, CONFIG_INVALID (sizes left open, or given and not open). */
export const costsOfGraph = (network: NetworkFile): GraphCosts =>
  layerCosts(network.graph, { ...bindingsOf(network), storedAs: typeOf(network.bits), isFused: true });

function bindingsOf({ file, graph, dims }: NetworkFile): BindOptions {
  const name = JSON.stringify(file);
  const all = openInputs(graph.inputs);
  const shapeless = all.find(({ sizes }) => sizes === undefined);
  if (shapeless !== undefined)
    throw invalid(
      `${name} does not even say how many axes its input ${shapeless.name} has; export it with a shape, or name it in a manifest, which gives one`,
    );
  // What an input without axes is fed decides shapes and branches, such as a sample rate.
  const fed = graph.inputs.filter(({ shape, type }) => shape?.length === 0 && type !== undefined).map((port) => port.name);
  const known = [...namesOf(graph, {}), ...fed];
  const sums = graph.inputs.flatMap(({ shape = [] }) => shape);
  const stranger = Object.keys(dims).find((given) => !known.includes(given) && !sums.includes(given));
  if (stranger !== undefined)
    throw invalid(
      `--dims names ${stranger}, which ${name} does not leave open; ${known.length === 0 ? 'it leaves nothing open' : `allowed are ${known.join(', ')}`}`,
    );
  const missing = namesOf(graph, dims);
  if (missing.length > 0) {
    const inputs = all.map(
      (open) =>
        `${open.name} [${graph.inputs
          .find((port) => port.name === open.name)
          ?.shape?.map((size) => size ?? '?')
          .join(',')}]`,
    );
    const more = fed.length === 0 ? '' : `; so can be given what inputs without axes are fed: ${fed.join(', ')}`;
    const example = missing.map((size) => `${size}=1`).join(',');
    throw invalid(
      `${name} leaves sizes open: ${missing.join(', ')} (inputs ${inputs.join(', ')}); give those that it is run with, in the form of --dims '${example}'${more}`,
    );
  }
  return { dims, values: Object.fromEntries(fed.flatMap((input) => (Object.hasOwn(dims, input) ? [[input, [dims[input] ?? 0]]] : []))) };
}

/** Of sizes that are still open when these are given. */
const namesOf = (graph: OnnxGraph, dims: Readonly<Record<string, number>>): readonly string[] => [
  ...new Set(openInputs(graph.inputs, { dims }).flatMap(({ sizes }) => sizes ?? [])),
];

const invalid = (message: string): CoxswainError => new CoxswainError('CONFIG_INVALID', message);

/** Errors: FILE_UNREADABLE; MODEL_UNLOADABLE, also where weights that should lie beside it do not, or not whole. */
export const graphOfFile = (file: string): OnnxGraph =>
  readOnnxGraph(createConfigFiles().read(file, FILE_BYTES_MAX), { name: basename(file), externalSize: externalSizeBeside(file) });
